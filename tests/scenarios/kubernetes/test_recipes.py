"""The recipes are scripts a shell takes, with the configuration that the manifests of the lab want."""

from __future__ import annotations

import re
import subprocess
import tomllib

import pytest
import yaml

from wasm_lab.scenarios.kubernetes import validate
from wasm_lab.scenarios.kubernetes.recipes import RECIPES, recipe
from wasm_lab.scenarios.kubernetes.ways import HANDLERS


def here_document(text: str, word: str) -> str:
    found = re.search(rf"<<'?{word}'?\n(.*?)^{word}$", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("name", RECIPES)
def test_a_shell_takes_it(name):
    done = subprocess.run(["sh", "-n"], input=recipe(name), text=True, capture_output=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("name", "way"), [("kind", "runwasi"), ("k3d", "spinkube")])
def test_its_runtime_class_is_valid_and_the_one_of_the_lab(name, way):
    text = here_document(recipe(name), "CLASS")
    assert [one for one in validate(text) if one.severity != "note"] == []
    assert yaml.safe_load(text)["handler"] == HANDLERS[way]


def test_the_configuration_of_kind_names_the_runtime_for_either_version_of_containerds():
    config = yaml.safe_load(here_document(recipe("kind"), "CONFIG"))
    assert config["apiVersion"] == "kind.x-k8s.io/v1alpha4"
    mounted = config["nodes"][0]["extraMounts"][0]
    assert mounted["containerPath"].endswith("/containerd-shim-wasmtime-v1")
    plugins = [tomllib.loads(patch)["plugins"] for patch in config["containerdConfigPatches"]]
    assert [next(iter(one)) for one in plugins] == [
        "io.containerd.grpc.v1.cri",
        "io.containerd.cri.v1.runtime",
    ]
    for one in plugins:
        runtimes = next(iter(one.values()))["containerd"]["runtimes"]
        assert runtimes == {HANDLERS["runwasi"]: {"runtime_type": "io.containerd.wasmtime.v1"}}


def test_the_configuration_of_k3d_takes_an_image_with_the_shim():
    config = yaml.safe_load(here_document(recipe("k3d"), "CONFIG"))
    assert (config["apiVersion"], config["kind"]) == ("k3d.io/v1alpha5", "Simple")
    assert "containerd-shim-spin/k3d:" in config["image"]


@pytest.mark.parametrize("name", RECIPES)
def test_the_shell_fills_in_what_a_user_sets(name, tmp_path):
    """Run for real with stand-ins for the programs: what would be run is written down."""
    log = tmp_path / "log"
    for program in ("kind", "k3d", "kubectl", "helm"):
        stand_in = tmp_path / program
        stand_in.write_text(
            f'#!/bin/sh\necho "{program} $*" >> {log}\nif [ ! -t 0 ]; then cat >> {log}; fi\n'
        )
        stand_in.chmod(0o755)
    shim = tmp_path / "containerd-shim-wasmtime-v1"
    shim.touch(mode=0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "SHIM": str(shim), "SHIM_VERSION": "v9.9.9"}
    done = subprocess.run(
        ["sh", "-c", recipe(name)], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    said = log.read_text()
    assert (f"hostPath: {shim}" if name == "kind" else "k3d:v9.9.9") in said
    assert "wasm-lab kube apply" in done.stdout


def test_without_the_shim_it_says_what_is_missing():
    done = subprocess.run(
        ["sh", "-c", recipe("kind")],
        env={"PATH": "/usr/bin:/bin", "SHIM": "/nowhere"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "/nowhere is not there" in done.stderr
