"""The sample Spin applications: complete, and built from nothing but what is there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from wasm_lab.build.wasm_tools import wasm_tools
from wasm_lab.cells import parse_cell
from wasm_lab.errors import UsageError
from wasm_lab.scenarios.spin.samples import build_sample, sample_names
from wasm_lab.twins.ready import samples_folder

SPIN = samples_folder() / "spin"
EXPORTED = {"http": "wasi:http/incoming-handler@0.2.0", "redis": "fermyon:spin/inbound-redis"}


def manifest_of(name: str) -> dict:
    return tomllib.loads((SPIN / name / "spin.toml").read_text())


@pytest.mark.parametrize("name", sample_names())
def test_each_component_has_a_source_and_is_documented(name: str) -> None:
    manifest = manifest_of(name)
    assert manifest["application"]["name"] == name
    assert f"`{name}/`" in (SPIN / "README.md").read_text()
    files = {path.stem for path in (SPIN / name).glob("*.rs")}
    assert files == set(manifest["component"])
    for component, table in manifest["component"].items():
        assert table["source"] == f"{component}.wasm"
        assert table["build"]["command"] == f"wasm-lab build {component}.rs -o {component}.wasm"


def test_all_share_one_set_of_dependencies() -> None:
    files = sorted(SPIN.glob("*/*.rs"))
    sets = [parse_cell(file.read_text()).dependencies for file in files]
    assert len(files) > 10
    assert all(each == sets[0] for each in sets)


def test_an_unknown_sample_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no sample application absent") as caught:
        build_sample("absent", tmp_path)
    assert "counter" in caught.value.hint


@pytest.mark.slow
@pytest.mark.parametrize("name", sample_names())
def test_each_component_exports_what_its_trigger_calls(name: str, tmp_path: Path) -> None:
    path = build_sample(name, tmp_path)
    manifest = tomllib.loads(path.read_text())
    for kind, triggers in manifest["trigger"].items():
        for trigger in triggers:
            wasm = (path.parent / f"{trigger['component']}.wasm").read_bytes()
            wit = wasm_tools(["component", "wit"], wasm).decode()
            exported = re.findall(r"^  export (.*);$", wit, re.MULTILINE)
            assert exported == [EXPORTED[kind]]
