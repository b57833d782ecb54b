"""What is exported for wrangler: the right files, in a form that its own schema takes."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import tarfile
import tomllib

import pytest

from wasm_lab.artifact import CORE_PREAMBLE, Artifact
from wasm_lab.build import build
from wasm_lab.cells import parse_cell
from wasm_lab.errors import UsageError
from wasm_lab.scenarios.edge.worker import Bindings, Worker
from wasm_lab.scenarios.edge.wrangler import export, wrangler_files, wrangler_settings
from wasm_lab.toolchains.places import tools_folder

TEXT = 'import { f } from "tools";\nexport default { fetch() { return new Response(f()); } };'
SCRIPT = 'addEventListener("fetch", (event) => event.respondWith(new Response("hi")));'

#: The release whose schema the exports are checked by.
WRANGLER = "4.164.0"
INTEGRITY = "sha512-WwM+DL4F+zvz1id0CAPa06CAmTb6nOq1adR+Dy5AdwDsDXH5xDjSmDUUBQQN8KgSEuPCOLvzkrdMDUODIDml1A=="


def worker(**settings):
    source = parse_cell("pub fn f() -> u32 { 5 }", name="tools")
    artifact = Artifact(wasm=CORE_PREAMBLE, label="tools", source=source)
    return Worker.of("Shop", TEXT, artifacts={"tools": artifact}, **settings)


FULL = {
    "bindings": Bindings(
        texts={"GREETING": 'say "hé"\n\\'},
        json={"LIMITS": {"most": [1, 2.5, True], "name": "x y"}},
        secrets={"KEY": "hush"},
        kv=("COUNTS", "PAGES"),
    ),
    "compatibility_flags": ("nodejs_compat",),
    "allowed_hosts": ("api.example.org",),
}


def settings_of(file: str, data: bytes) -> dict:
    if file.endswith(".toml"):
        return tomllib.loads(data.decode())
    lines = data.decode().splitlines()
    return json.loads("\n".join(line for line in lines if not line.startswith("//")))


@pytest.mark.parametrize("toml", [False, True])
def test_both_forms_say_the_same(toml):
    made = worker(**FULL)
    files = wrangler_files(made, toml=toml)
    name = "wrangler.toml" if toml else "wrangler.jsonc"
    told = settings_of(name, files[name])
    told.pop("$schema", None)
    assert told == wrangler_settings(made)
    assert told["name"] == "shop"
    assert told["alias"] == {"tools": "./tools.js"}
    assert told["kv_namespaces"] == [{"binding": "COUNTS"}, {"binding": "PAGES"}]


def test_the_module_goes_without_debug_information():
    tools = build(parse_cell("pub fn f() -> u32 { 5 }", name="tools"))
    assert b".debug_" in tools.wasm
    files = wrangler_files(Worker.of("Shop", TEXT, artifacts={"tools": tools}))
    assert b".debug_" not in files["tools.wasm"]
    assert len(files["tools.wasm"]) < len(tools.wasm)


def test_every_file_is_there_and_no_secret():
    files = wrangler_files(worker(**FULL))
    assert set(files) == {
        "wrangler.jsonc",
        "Shop.js",
        "tools.js",
        "tools.wasm",
        "wasm-lab-glue.js",
        "wasm-lab-wasi.js",
        ".dev.vars.example",
    }
    assert not any(b"hush" in data for data in files.values())
    assert b"api.example.org" in files["wrangler.jsonc"]


def test_a_script_has_its_modules_as_globals():
    made = Worker.of(
        "old",
        SCRIPT,
        artifacts={"lib": Artifact(wasm=CORE_PREAMBLE, label="lib")},
        wasm=("lib",),
        bindings=Bindings(data={"D": b"1"}),
    )
    told = wrangler_settings(made)
    assert told["wasm_modules"] == {"lib": "./lib.wasm"}
    assert told["data_blobs"] == {"D": "./D.bin"}
    assert {"lib.wasm", "D.bin", "old.js"} < set(wrangler_files(made))


def test_bytes_by_name_have_no_form_in_a_module_worker():
    with pytest.raises(UsageError, match=r"env\.D"):
        wrangler_settings(worker(bindings=Bindings(data={"D": b"1"})))


def test_a_folder_of_someone_else_is_left_alone(tmp_path):
    folder = tmp_path / "out"
    assert (folder / "Shop.js") in export(worker(), folder)
    export(worker(), folder)  # its own may be written anew
    other = tmp_path / "other"
    other.mkdir()
    (other / "wrangler.toml").write_text("name = 'mine'")
    with pytest.raises(UsageError, match="did not write"):
        export(worker(), other)
    assert (other / "wrangler.toml").read_text() == "name = 'mine'"


@pytest.fixture(scope="module")
def schema() -> dict:
    """The schema in wrangler's own package, kept in the folder for tools."""
    kept = tools_folder() / f"wrangler-{WRANGLER}" / "config-schema.json"
    if not kept.exists():
        npm = shutil.which("npm")
        assert npm, "npm is missing: make test-tools says how to get it"
        folder = kept.parent
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            [npm, "pack", f"wrangler@{WRANGLER}", "--silent", f"--pack-destination={folder}"],
            check=True,
            timeout=120,
        )
        archive = folder / f"wrangler-{WRANGLER}.tgz"
        digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        assert f"sha512-{digest}" == INTEGRITY
        with tarfile.open(archive) as packed:
            member = packed.extractfile("package/config-schema.json")
            assert member is not None
            part = kept.with_suffix(".part")
            part.write_bytes(member.read())
            part.rename(kept)
        archive.unlink()
    return json.loads(kept.read_bytes())


@pytest.mark.slow
def test_wrangler_s_own_schema_takes_every_export(schema):
    import jsonschema_rs

    checker = jsonschema_rs.validator_for(schema)
    old = Worker.of(
        "old", SCRIPT, artifacts={"lib": Artifact(wasm=CORE_PREAMBLE, label="lib")}, wasm=("lib",)
    )
    for made in (worker(), worker(**FULL), old):
        for toml in (False, True):
            files = wrangler_files(made, toml=toml)
            name = "wrangler.toml" if toml else "wrangler.jsonc"
            told = settings_of(name, files[name])
            assert [error.message for error in checker.iter_errors(told)] == []
    wrong = {**wrangler_settings(worker()), "kv_namespaces": [{"bindng": "COUNTS"}]}
    assert not checker.is_valid(wrong)  # or the check above would show nothing
    assert not checker.is_valid({**wrangler_settings(worker()), "mian": "x.js"})
