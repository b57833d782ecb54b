"""What is rendered: right for every version, the same each time, and made for the file that was given."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest

pytest.importorskip("kubernetes_validate")
pytest.importorskip("jsonschema_rs")

from wasm_lab.errors import UsageError
from wasm_lab.scenarios.kubernetes import load_documents, render, validate
from wasm_lab.scenarios.kubernetes.rendering import Way
from wasm_lab.scenarios.kubernetes.yaml_text import yaml_text

WAYS = get_args(Way)
CORE = b"\0asm\x01\0\0\0"
COMPONENT = b"\0asm\x0d\0\x01\0"

SPIN = """\
spin_manifest_version = 2
[application]
name = "river"
version = "0.1.0"
[variables]
token = { required = true }
[[trigger.http]]
route = "/..."
component = "one"
[component.one]
source = "one.wasm"
"""


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("port", [8080, None])
def test_right_for_every_version(way: Way, port: int | None) -> None:
    text = render("ghcr.io/me/a:1", way=way, port=port, node_selector={"wasm": "true"}, replicas=3)
    assert validate(text, versions=["all"]) == []
    assert text == render("ghcr.io/me/a:1", way=way, port=port, node_selector={"wasm": "true"}, replicas=3)


def kinds(text: str) -> list[str]:
    return [document.kind for document in load_documents(text)]


def test_objects_of_each_way() -> None:
    assert kinds(render("a:1", way="crun")) == ["RuntimeClass", "Deployment", "Service"]
    assert kinds(render("a:1", way="runwasi", port=None)) == ["RuntimeClass", "Deployment"]
    assert kinds(render("a:1", way="spinkube")) == ["RuntimeClass", "SpinAppExecutor", "SpinApp"]


def test_the_annotation_is_crun_s_and_stands_on_the_pod() -> None:
    crun = load_documents(render("a:1", way="crun"))[1]
    assert crun.get("spec", "template", "metadata", "annotations") == {
        "module.wasm.image/variant": "compat-smart"
    }
    assert crun.get("metadata", "annotations") is None
    runwasi = load_documents(render("a:1", way="runwasi"))[1]
    assert runwasi.get("spec", "template", "metadata", "annotations") is None


@pytest.mark.parametrize("way", WAYS)
def test_every_class_that_is_named_is_created(way: Way) -> None:
    documents = load_documents(render("a:1", way=way, handler="my-handler"))
    runtime, named = documents[0], documents[1]
    path = ("spec", "template", "spec", "runtimeClassName")
    if way == "spinkube":
        path = ("spec", "deploymentConfig", "runtimeClassName")  # type: ignore[assignment]
    assert named.get(*path) == runtime.name
    assert runtime.get("handler") == "my-handler"


def test_pods_are_restricted() -> None:
    spec = load_documents(render("a:1", way="crun"))[1].get("spec", "template", "spec")
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["containers"][0]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_a_file_decides_the_way(tmp_path: Path) -> None:
    core, component = tmp_path / "My_Program.wasm", tmp_path / "part.wasm"
    core.write_bytes(CORE)
    component.write_bytes(COMPONENT)
    made = render(core)
    assert "localhost/my-program:1" in made
    assert kinds(made)[0] == "RuntimeClass"
    assert "handler: crun" in made
    assert "handler: wasmtime" in render(component)
    assert "core modules" in render(component, way="crun")
    assert validate(render(component, way="crun")) == []


def test_a_spin_application(tmp_path: Path) -> None:
    (tmp_path / "spin.toml").write_text(SPIN)
    text = render(tmp_path / "spin.toml", image="ghcr.io/me/river:2")
    app = load_documents(text)[-1]
    assert app.kind == "SpinApp"
    assert (app.name, app.get("spec", "image")) == ("river", "ghcr.io/me/river:2")
    assert app.get("spec", "variables")[0]["valueFrom"]["secretKeyRef"] == {"name": "river", "key": "token"}
    assert validate(text) == []


@pytest.mark.parametrize(
    "given",
    [
        {"source": "A B"},
        {"source": "a", "memory": "1"},
        {"source": "a", "memory": "64m"},
        {"source": "a", "memory": "100Ki"},
        {"source": "a", "memory": "5000500m"},
        {"source": "a", "cpu": "0"},
        {"source": "a", "cpu": "500M"},
        {"source": "a", "cpu": "500"},
        {"source": "a", "cpu": "64Mi"},
        {"source": "a", "cpu": "100u"},
        {"source": "a", "port": 70000},
        {"source": "a", "name": "1a"},
        {"source": "a", "handler": "io.containerd.spin.v2"},
        {"source": "a", "replicas": -1},
        {"source": "a", "way": "docker"},
    ],
)
def test_nonsense_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        render(**given)


def test_words_that_yaml_would_take_for_others_are_quoted() -> None:
    text = yaml_text(
        {"y": "no", "a": "0755", "b": "12:30", "c": "x: y", "d": "", "e": ["~"], "f": {}, "g": "a:"}
    )
    (document,) = load_documents(text)
    assert document.value == {
        "y": "no",
        "a": "0755",
        "b": "12:30",
        "c": "x: y",
        "d": "",
        "e": ["~"],
        "f": {},
        "g": "a:",
    }
