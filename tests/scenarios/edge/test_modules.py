"""What a worker's text leads to, and what is said when an import leads nowhere."""

from __future__ import annotations

import pytest

from wasm_lab.artifact import COMPONENT_PREAMBLE, CORE_PREAMBLE, Artifact
from wasm_lab.cells import parse_cell
from wasm_lab.errors import LoadError, UsageError
from wasm_lab.scenarios.edge.capnp import quoted
from wasm_lab.scenarios.edge.glue import cell_module
from wasm_lab.scenarios.edge.modules import gather
from wasm_lab.scenarios.edge.worker import Bindings, Worker, files_of, parsed_host

WORKER = "export default { fetch() { return new Response('hi'); } };"


def cell(code: str = "pub fn f(s: &str, n: &mut [u32]) -> Result<Vec<u8>, String> { todo!() }") -> Artifact:
    return Artifact(wasm=CORE_PREAMBLE, label="tools", source=parse_cell(code, name="tools"))


def test_a_cell_brings_its_glue_and_its_module(tmp_path):
    found = gather("w.js", 'import { f } from "tools";', folder=tmp_path, artifacts={"tools": cell()})
    assert [module.name for module in found.modules] == [
        "w.js",
        "tools",
        "tools.js",
        "tools.wasm",
        "wasm-lab-glue.js",
        "wasm-lab-wasi.js",
    ]
    assert found.cells == ("tools",)


def test_the_module_of_a_cell_alone(tmp_path):
    text = 'import module from "./tools.wasm"; import again from "./tools.wasm?module";'
    found = gather("w.js", text, folder=tmp_path, artifacts={"tools": cell()})
    assert [(module.name, module.kind) for module in found.modules[1:]] == [
        ("tools.wasm", "wasm"),
        ("tools.wasm?module", "wasm"),
    ]
    assert found.cells == ()


def test_files_and_what_they_import(tmp_path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "a.mjs").write_text('import words from "../words.txt"; import "./b.js"')
    (tmp_path / "lib" / "b.js").write_text(
        'import "cloudflare:workers"; import "node:buffer"; import "./a.mjs"'
    )
    (tmp_path / "words.txt").write_text("hello")
    found = gather("w.js", 'import "./lib/a.mjs"', folder=tmp_path, artifacts={})
    assert [(module.name, module.kind) for module in found.modules[1:]] == [
        ("lib/a.mjs", "esModule"),
        ("words.txt", "text"),
        ("lib/b.js", "esModule"),
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('\nimport "./gone.js"', 'Line 6 of w.js imports "./gone.js", and there is no such file'),
        ('import { Hono } from "hono"', "no cell has this name"),
        ('import "../../etc/passwd.txt"', "outside the folder"),
        ('import x from "./x.ts"', "whose kind its name does not tell"),
    ],
)
def test_imports_that_lead_nowhere(tmp_path, text, told):
    (tmp_path / "x.ts").touch()
    with pytest.raises(UsageError, match=told):
        gather("w.js", text, folder=tmp_path, artifacts={}, first_line=5)


def test_what_is_no_module_for_a_worker(tmp_path):
    (tmp_path / "x.wasm").write_bytes(b"\x7fELF")
    with pytest.raises(LoadError, match="ELF"):
        gather("w.js", 'import x from "./x.wasm"', folder=tmp_path, artifacts={})
    component = Artifact(wasm=COMPONENT_PREAMBLE, label="c")
    with pytest.raises(UsageError, match="is a component"):
        gather("w.js", 'import x from "c"', folder=tmp_path, artifacts={"c": component})
    program = Artifact(wasm=CORE_PREAMBLE, label="p", source=parse_cell("fn main() {}"))
    with pytest.raises(UsageError, match="no function"):
        gather("w.js", 'import x from "p"', folder=tmp_path, artifacts={"p": program})


def test_glue_says_each_signature_and_its_types():
    text = cell_module("tools", cell())
    assert 'import module from "./tools.wasm";' in text
    assert "// fn f(s: &str, n: &mut [u32]) -> Result<Vec<u8>, String>" in text
    assert '[["s", "text"], ["n", ["run mut", "u32"]]], ["result", ["run", "u8", null]]' in text


def test_glue_of_functions_whose_names_javascript_keeps():
    text = cell_module("tools", cell("pub fn delete(r#in: u32) -> u32 { r#in } pub fn r#match() {}"))
    assert 'export { f0 as "delete" };' in text
    assert "export const match =" in text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("const a = 5;", "no default export"),
        (WORKER, "A cell is named tools too"),
    ],
)
def test_workers_that_cannot_be(text, told):
    with pytest.raises(UsageError, match=told):
        Worker.of("tools", text, artifacts={"tools": cell()})


def test_bindings_have_names_of_their_own():
    with pytest.raises(UsageError, match="given twice"):
        Worker.of("w", WORKER, bindings=Bindings(texts={"A": "1"}, kv=("A",)))
    with pytest.raises(UsageError, match="cannot be the name"):
        Worker.of("w", WORKER, bindings=Bindings(secrets={"a b": "1"}))


@pytest.mark.parametrize("host", ["https://a.example", "a/b", "", "a:b", "*.example.org", ":80"])
def test_hosts_that_are_none(host):
    with pytest.raises(UsageError, match="no host to allow"):
        parsed_host(host)


@pytest.mark.parametrize("text", ['"', "\\", "\n", "é", '") ], services = [', "\x7f\x01", "$Go.pkg"])
def test_nothing_ends_a_string_of_the_configuration(text):
    written = quoted(text)
    assert written[0] == written[-1] == '"'
    assert '"' not in written[1:-1]
    assert written.isascii()
    assert written.isprintable()


def test_the_configuration_holds_no_name_of_a_file_that_a_user_chose(tmp_path):
    (tmp_path / "evil name.txt").write_text("x")
    worker = Worker.of("w", 'import a from "./evil name.txt";' + WORKER, folder=tmp_path)
    assert all(name == "config.capnp" or name[1:].isdecimal() for name in files_of(worker))


def test_a_secret_is_not_in_what_is_shown():
    worker = Worker.of("w", WORKER, bindings=Bindings(secrets={"KEY": "hush"}))
    assert "hush" not in repr(worker)


@pytest.mark.parametrize("name", ["library", "library.js", "./library", "./sub/../library"])
def test_a_file_whose_path_is_not_whole(tmp_path, name):
    (tmp_path / "library.js").write_text("export const a = 1;")
    with pytest.raises(UsageError, match="not the path") as caught:
        Worker.of("shop", f'import {{ a }} from "{name}";\n{WORKER}', folder=tmp_path)
    assert 'library.js"' in (caught.value.hint or "")


def test_a_path_is_looked_for_beside_its_importer(tmp_path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "a.js").write_text('import "./b";')
    (tmp_path / "lib" / "b.js").write_text("")
    with pytest.raises(UsageError, match="Line 1 of lib/a.js") as caught:
        Worker.of("shop", f'import "./lib/a.js";\n{WORKER}', folder=tmp_path)
    assert '"./b.js"' in (caught.value.hint or "")


@pytest.mark.parametrize("name", ["buffer", "fs", "fs/promises"])
def test_a_module_of_node_is_told_its_name_here(name):
    with pytest.raises(UsageError, match=r"node:") as caught:
        Worker.of("shop", f'import {{ a }} from "{name}";\n{WORKER}')
    assert caught.value.hint == f"Write node:{name}; with --compatibility-flag nodejs_compat."
