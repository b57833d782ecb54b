"""``wasm-lab kube render`` and ``validate`` as their users meet them: whole processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Command

pytest.importorskip("kubernetes_validate")
pytest.importorskip("jsonschema_rs")

GOOD = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: good\ndata:\n  a: b\n"
BAD = GOOD.replace("metadata", "metdata")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good.yaml").write_text(GOOD)
    (tmp_path / "bad.yaml").write_text(BAD)
    return tmp_path


@pytest.mark.parametrize("command", ["render", "validate"])
def test_help_has_examples(wasm_lab: Command, command: str) -> None:
    shown = wasm_lab("kube", command, "--help")
    assert shown.returncode == 0
    assert "Examples:" in shown.stdout


def test_right(wasm_lab: Command, folder: Path) -> None:
    done = wasm_lab("kube", "validate", folder / "good.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{folder / 'good.yaml'}: right (objects: 1)\n"


def test_wrong(wasm_lab: Command, folder: Path) -> None:
    done = wasm_lab("kube", "validate", folder / "bad.yaml")
    assert done.returncode == 1
    assert f"{folder / 'bad.yaml'}:3:1: error: unknown field `metdata`" in done.stdout
    assert "Did you mean `metadata`?" in done.stdout


def test_one_wrong_file_does_not_stop_the_others(wasm_lab: Command, folder: Path) -> None:
    (folder / "broken.yaml").write_bytes(b"a: \xff\n")
    (folder / "empty.yaml").write_text("")
    done = wasm_lab("kube", "validate", "--json", folder / "gone.yaml", folder)
    assert done.returncode == 1
    records = {Path(record["file"]).name: record for record in json.loads(done.stdout)}
    assert {name: record["valid"] for name, record in records.items()} == {
        "gone.yaml": False,
        "good.yaml": True,
        "bad.yaml": False,
        "broken.yaml": False,
        "empty.yaml": True,
    }
    assert (
        records["broken.yaml"]["problems"][0]["line"],
        records["broken.yaml"]["problems"][0]["column"],
    ) == (1, 4)


def test_standard_input_and_several_documents(wasm_lab: Command) -> None:
    both = subprocess.run(
        [Path(sys.executable).with_name("wasm-lab"), "kube", "validate", "-"],
        input=f"{GOOD}---\n{BAD}",
        capture_output=True,
        text=True,
    )
    assert both.returncode == 1
    assert both.stdout.startswith("<stdin>:10:1: error: unknown field")


def test_patterns_and_folders(wasm_lab: Command, folder: Path) -> None:
    (folder / "below").mkdir()
    (folder / "below" / "one.json").write_text(
        '{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}}'
    )
    (folder / "below" / "notes.txt").write_text("no manifest")
    done = wasm_lab("kube", "validate", "--json", folder / "**" / "*.json")
    assert [record["objects"] for record in json.loads(done.stdout)] == [1]
    nothing = wasm_lab("kube", "validate", folder / "*.nothing")
    assert nothing.returncode == 2
    assert "No file fits" in nothing.stderr


def test_versions(wasm_lab: Command, tmp_path: Path) -> None:
    file = tmp_path / "old.yaml"
    file.write_text(
        "apiVersion: autoscaling/v2beta2\nkind: HorizontalPodAutoscaler\nmetadata: {name: a}\nspec: {scaleTargetRef: {kind: Deployment, name: a}, maxReplicas: 2}\n"
    )
    assert wasm_lab("kube", "validate", "--kubernetes-version", "1.25", file).returncode == 0
    both = wasm_lab("kube", "validate", "--kubernetes-version", "1.25-1.27", file)
    assert both.returncode == 1
    assert "is not in Kubernetes 1.26, 1.27" in both.stdout
    now = wasm_lab("kube", "validate", file)
    assert now.returncode == 1
    assert "removed in Kubernetes 1.26" in now.stdout
    assert "autoscaling/v2" in now.stdout
    wrong = wasm_lab("kube", "validate", "--kubernetes-version", "2.0", file)
    assert wrong.returncode == 2
    assert "1.37" in wrong.stderr or "There are those of" in wrong.stderr


CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: toys.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Toy, plural: toys}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              required: [colour]
              properties:
                colour: {type: string, enum: [red, green]}
                size: {x-kubernetes-int-or-string: true}
                any: {type: object, x-kubernetes-preserve-unknown-fields: true}
"""
TOY = (
    "apiVersion: example.com/v1\nkind: Toy\nmetadata: {name: a}\nspec: {colour: red, size: 3, any: {x: 1}}\n"
)


def test_definitions_of_custom_resources(wasm_lab: Command, tmp_path: Path) -> None:
    crd, toy, wrong = tmp_path / "crd.yaml", tmp_path / "toy.yaml", tmp_path / "wrong.yaml"
    crd.write_text(CRD)
    toy.write_text(TOY)
    wrong.write_text(TOY.replace("red", "rad").replace("any", "ane"))
    unchecked = wasm_lab("kube", "validate", toy)
    assert unchecked.returncode == 0
    assert "its fields are not checked" in unchecked.stdout
    assert "not checked" not in wasm_lab("kube", "validate", "--schema", crd, toy).stdout
    found = wasm_lab("kube", "validate", "--schema", crd, wrong)
    assert found.returncode == 1
    assert "Did you mean red?" in found.stdout
    assert "Did you mean `any`?" in found.stdout
    together = wasm_lab("kube", "validate", crd, wrong)
    assert together.returncode == 1


def test_strict(wasm_lab: Command, tmp_path: Path) -> None:
    file = tmp_path / "twice.yaml"
    file.write_text(f"{GOOD}---\n{GOOD}")
    assert wasm_lab("kube", "validate", file).returncode == 0
    assert wasm_lab("kube", "validate", "--strict", file).returncode == 1


def test_usage(wasm_lab: Command, tmp_path: Path) -> None:
    assert wasm_lab("kube", "validate").returncode == 2
    empty = wasm_lab("kube", "validate", tmp_path)
    assert empty.returncode == 2
    assert "no manifest" in empty.stderr


def test_an_empty_standard_input_does_not_pass(wasm_lab: Command) -> None:
    program = Path(sys.executable).with_name("wasm-lab")
    nothing = subprocess.run([program, "kube", "validate", "-"], input="", capture_output=True, text=True)
    assert nothing.returncode == 2
    assert "nothing to check" in nothing.stderr


@pytest.mark.parametrize("command", ["validate", "apply", "delete", "run"])
def test_files_stand_without_the_f_of_kubectl(wasm_lab: Command, command: str) -> None:
    refused = wasm_lab("kube", command, "-f", "hello.yaml")
    assert refused.returncode == 2
    assert f"wasm-lab kube {command} FILE" in refused.stderr


@pytest.mark.parametrize("way", ["crun", "runwasi", "spinkube"])
def test_what_is_rendered_is_right(wasm_lab: Command, tmp_path: Path, way: str) -> None:
    file = tmp_path / "app.yaml"
    done = wasm_lab("kube", "render", "ghcr.io/me/hello:1", "--way", way, "--out", file)
    assert done.returncode == 0
    again = wasm_lab("kube", "render", "ghcr.io/me/hello:1", "--way", way)
    assert again.stdout == file.read_text()
    checked = wasm_lab("kube", "validate", "--strict", "--kubernetes-version", "all", file)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["Not An Image"], "no reference"),
        (["a:1", "--memory", "32MB"], "Write 32M"),
        (["a:1", "--name", "Not_A_Name"], "no name"),
        (["missing.wasm"], "cannot be read"),
        (["a:1", "--probe", "health"], "slash"),
        (["a:1", "--node-selector", "wasm"], "KEY=VALUE"),
    ],
)
def test_render_refuses(wasm_lab: Command, arguments: list[str], says: str) -> None:
    done = wasm_lab("kube", "render", *arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("command", ["validate", "apply", "delete", "run"])
def test_the_shell_completes_names_of_files(command: str) -> None:
    program = Path(sys.executable).with_name("wasm-lab")
    asked = {
        "_WASM_LAB_COMPLETE": "bash_complete",
        "COMP_WORDS": f"wasm-lab kube {command} dep",
        "COMP_CWORD": "3",
    }
    done = subprocess.run([program], env={**os.environ, **asked}, capture_output=True, text=True)
    assert done.stdout == "file,dep\n"
