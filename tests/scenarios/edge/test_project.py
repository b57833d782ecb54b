"""Projects of wrangler's, run from their own configuration; and what the lab exports, run again from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from wasm_lab.build import build
from wasm_lab.cells import parse_cell
from wasm_lab.errors import UsageError
from wasm_lab.scenarios.edge import Bindings, Worker, run_worker
from wasm_lab.scenarios.edge.project import find_project, load_project
from wasm_lab.scenarios.edge.wrangler import export

WORKER = "export default { fetch(request, env) { return Response.json(Object.keys(env)); } };"

JSONC = """// a comment, and "https://not.one" in a string
{
  "$schema": "./node_modules/wrangler/config-schema.json",
  "name": "my-worker", /* another */
  "main": "src/index.js",
  "compatibility_date": "2024-05-02",
  "compatibility_flags": ["nodejs_compat"],
  "vars": { "URL": "https://example.org/a,}", "LIMITS": { "most": 5 }, },
  "kv_namespaces": [{ "binding": "NOTES", "id": "0123" },],
  "observability": { "enabled": true },
}
"""

TOML = """name = "my-worker"
main = "src/index.js"
compatibility_date = 2024-05-02
workers_dev = true
kv_namespaces = [{ binding = "NOTES", id = "0123", preview_id = "4567" }]

[vars]
URL = "https://example.org/a,}"
LIMITS = { most = 5 }

[env.staging]
name = "other"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "index.js").write_text(WORKER)
    return tmp_path


@pytest.mark.parametrize(("name", "text"), [("wrangler.jsonc", JSONC), ("wrangler.toml", TOML)])
def test_both_forms_are_read(project, name, text):
    (project / name).write_text(text)
    (project / ".dev.vars").write_text('# for development\nKEY="hush"\nPLAIN=a=b\n')
    found = find_project(project)
    assert found == project / name
    worker = load_project(found, bindings=Bindings(texts={"URL": "mine"}))
    assert worker.name == "my-worker"
    assert worker.modules[0].name == "src/index.js"
    assert worker.compatibility_date == "2024-05-02"
    assert worker.bindings.texts == {"URL": "mine"}
    assert worker.bindings.json == {"LIMITS": {"most": 5}}
    assert worker.bindings.secrets == {"KEY": "hush", "PLAIN": "a=b"}
    assert worker.bindings.kv == ("NOTES",)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('main = "src/index.js"\n[[r2_buckets]]\nbinding = "B"', "r2_buckets"),
        ('main = "src/index.js"\n[[durable_objects.bindings]]\nname = "B"', "durable_objects"),
        ('main = "src/index.ts"', "esbuild"),
        ('name = "x"', "names no main file"),
        ('main = "src/gone.js"', "cannot be read"),
        ("main = ", "cannot be read"),
        ('main = "src/index.js"\nkv_namespaces = [{ id = "x" }]', "id 'x', has no binding"),
        ('main = "src/index.js"\nkv_namespaces = ["x"]', "kv_namespaces is no list of tables"),
        ('main = "src/index.js"\nkv_namespaces = { binding = "x" }', "kv_namespaces is no list of tables"),
        ('main = "src/index.js"\nvars = "x"', "vars is no table"),
        ('main = "src/index.js"\nalias = { a = 1 }', "alias names something other than paths"),
        ('main = "src/index.js"\ncompatibility_flags = "nodejs_compat"', "compatibility_flags is no list"),
        ('main = "build/shim.mjs"\n[build]\ncommand = "worker-build"', "build/shim.mjs is not there"),
    ],
)
def test_what_cannot_be_run_here_is_told(project, text, told):
    (project / "wrangler.toml").write_text(text)
    with pytest.raises(UsageError, match=told):
        load_project(project / "wrangler.toml")


DEV_VARS = """
# for development
PLAIN=one two   # a comment
export EXPORTED=a=b
  INDENTED = spaced\t
HASH="a # b" # a comment
SINGLE='as it is: \\n'
DOUBLE="two\\nlines"
BACK=`both ' and "`
EMPTY=
# COMMENTED=1
KEY="-----BEGIN-----
abc # no comment
-----END-----"
COLON: value
OPEN="not closed
JSON={"a": [1]}
LATER=1
LATER=2
"""


def test_variables_for_development_are_read_as_dotenv_does(project):
    (project / "wrangler.toml").write_text('main = "src/index.js"')
    (project / ".dev.vars").write_bytes(DEV_VARS.replace("\n", "\r\n").encode())
    assert load_project(project / "wrangler.toml").bindings.secrets == {
        "PLAIN": "one two",
        "EXPORTED": "a=b",
        "INDENTED": "spaced",
        "HASH": "a # b",
        "SINGLE": "as it is: \\n",
        "DOUBLE": "two\nlines",
        "BACK": "both ' and \"",
        "EMPTY": "",
        "KEY": "-----BEGIN-----\nabc # no comment\n-----END-----",
        "COLON": "value",
        "OPEN": '"not closed',
        "JSON": '{"a": [1]}',
        "LATER": "2",
    }


def test_a_build_is_no_hindrance_once_it_is_done(project):
    (project / "wrangler.toml").write_text(
        'main = "src/index.js"\n[build]\ncommand = "worker-build --release"'
    )
    assert load_project(project / "wrangler.toml").modules[0].name == "src/index.js"
    (project / "src" / "index.js").unlink()
    with pytest.raises(UsageError) as caught:
        load_project(project / "wrangler.toml")
    assert "worker-build --release" in (caught.value.hint or "")


@pytest.mark.parametrize("toml", [False, True])
def test_an_export_keeps_the_namespaces_that_a_project_has(project, toml):
    (project / "wrangler.toml").write_text(TOML)
    worker = load_project(project / "wrangler.toml", bindings=Bindings(kv=("NEW",)))
    export(worker, project / "out", toml=toml)
    found = find_project(project / "out")
    assert found is not None
    again = load_project(found)
    assert again.bindings.kv == ("NOTES", "NEW")
    assert again.bindings.kv_ids == {"NOTES": {"id": "0123", "preview_id": "4567"}, "NEW": {}}


@pytest.mark.parametrize(
    ("name", "text", "hint"),
    [
        ("wrangler.toml", 'main = "src/index.js"\nvars = 1', 'Such as: { GREETING = "hello" }'),
        ("wrangler.json", '{ "main": "src/index.js", "vars": 1 }', 'Such as: { "GREETING": "hello" }'),
        (
            "wrangler.json",
            '{ "main": "src/index.js", "kv_namespaces": 1 }',
            'Such as: [{ "binding": "NOTES" }]',
        ),
    ],
)
def test_what_is_proposed_is_in_the_form_of_the_file(project, name, text, hint):
    (project / name).write_text(text)
    with pytest.raises(UsageError) as caught:
        load_project(project / name)
    assert caught.value.hint == hint


@pytest.mark.slow
def test_imports_from_a_folder_below_lead_to_cells_and_files(project):
    (project / "src" / "index.js").write_text(
        'import { one } from "tools"; import words from "../words.txt"; import { two } from "two";'
        "export default { fetch() { return Response.json([one(), words, two]); } };"
    )
    (project / "words.txt").write_text("hello")
    (project / "lib").mkdir()
    (project / "lib" / "two.js").write_text("export const two = 2;")
    (project / "wrangler.toml").write_text('main = "src/index.js"\nalias = { two = "./lib/two.js" }')
    tools = build(parse_cell("pub fn one() -> u32 { 1 }", name="tools"))
    with run_worker(load_project(project / "wrangler.toml", artifacts={"tools": tools})) as live:
        assert live.get("/").json() == [1, "hello", 2]


@pytest.mark.slow
@pytest.mark.parametrize("toml", [False, True])
def test_what_was_exported_runs_as_it_did(tmp_path, toml):
    tools = build(parse_cell("pub fn shout(s: &str) -> String { s.to_uppercase() }", name="tools"))
    text = (
        'import { shout } from "tools"; export default { async fetch(request, env) { await env.K.put("k", env.WORD);'
        'return new Response(shout(await env.K.get("k")) + env.J.a + (env.S ?? "")); } };'
    )
    bindings = Bindings(texts={"WORD": 'say "hé"\n'}, json={"J": {"a": 1}}, kv=("K",), secrets={"S": "!"})
    worker = Worker.of("shop", text, artifacts={"tools": tools}, bindings=bindings)
    with run_worker(worker) as live:
        first = live.get("/").text
    export(worker, tmp_path / "out", toml=toml)
    found = find_project(tmp_path / "out")
    assert found is not None
    again = load_project(found, bindings=Bindings(secrets={"S": "!"}))
    with run_worker(again) as live:
        assert live.get("/").text == first == 'SAY "HÉ"\n1!'
