"""What Binder makes its image of. No image is built here: that takes docker."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
BINDER = ROOT / "binder"


def versions(path: Path) -> set[str]:
    return set(re.findall(r"^[\w.-]+==[^ ;]+", path.read_text(), re.MULTILINE))


@pytest.fixture(scope="module")
def build_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What repo2docker would have docker build."""
    folder = tmp_path_factory.mktemp("repository")
    shutil.copytree(BINDER, folder / "binder")
    program = Path(sys.executable).with_name("jupyter-repo2docker")
    words = [program, "--no-build", "--debug", "--user-id", "1000", "--user-name", "jovyan", folder]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout + done.stderr


@pytest.mark.slow
def test_repo2docker_takes_every_file(build_file):
    assert "python=3.12" in build_file
    assert '-r "binder/requirements.txt"' in build_file
    assert "RUN ./binder/postBuild" in build_file
    assert "binder/start" in build_file


@pytest.mark.slow
def test_packages_are_installed_before_the_repository_is_copied(build_file):
    # So that a change of a notebook does not install them again. The layer holds only while they name no file here.
    assert build_file.index('-r "binder/requirements.txt"') < build_file.index("src/ ${REPO_DIR}/")


def test_its_versions_are_those_that_are_tested():
    assert versions(BINDER / "requirements.txt") <= versions(ROOT / "constraints.txt")


def needed(lines: Iterable[str], extras: Iterable[str], into: set[str]) -> None:
    """Put the names of what requirements ask for here, and of all that this asks for in turn, into a set."""
    for requirement in map(Requirement, lines):
        marker, name = requirement.marker, canonicalize_name(requirement.name)
        if marker and not any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            continue
        if name not in into:
            into.add(name)
            needed(metadata.requires(name) or (), requirement.extras, into)


def test_what_the_lab_needs_is_among_them_and_no_more():
    found = {canonicalize_name(each.partition("==")[0]) for each in versions(BINDER / "requirements.txt")}
    wanted: set[str] = set()
    needed(metadata.requires("wasm-lab") or (), ("lab", "wasmer"), wanted)
    assert {"ipykernel", "jupyterlab", "papermill", "wasmer-sdk", "wasmtime"} <= wanted
    assert wanted <= found
    assert not {"distributed", "nbgrader", "pytest", "sphinx"} & found, "a pod has no use for these"


@pytest.mark.parametrize(("limit", "jobs"), [("2.0", "2"), ("0.5", "1"), (None, "1")])
def test_the_start_counts_the_processors_of_the_pod_and_not_those_of_its_node(limit, jobs):
    env = {"PATH": os.environ["PATH"]} | ({"CPU_LIMIT": limit} if limit else {})
    words = [BINDER / "start", "sh", "-c", "echo $CARGO_BUILD_JOBS $RAYON_NUM_THREADS"]
    assert subprocess.check_output(words, env=env, text=True).split() == [jobs, jobs]


@pytest.mark.parametrize("name", ["postBuild", "start"])
def test_what_binder_runs_can_be_run(name):
    assert os.access(BINDER / name, os.X_OK)


def test_the_page_names_every_chapter():
    rows = re.findall(
        r"^\| (\d\d)(?: to (\d\d))? \|", (ROOT / "docs" / "binder.md").read_text(), re.MULTILINE
    )
    named = {number for first, last in rows for number in range(int(first), int(last or first) + 1)}
    assert named == {int(path.name[:2]) for path in (ROOT / "notebooks").glob("*.ipynb")}
