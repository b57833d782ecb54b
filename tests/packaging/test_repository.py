"""What the repository promises about itself: fixed versions, clean notebooks, a whole wheel."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PINNED = re.compile(r"^([\w.-]+)==([^\s;]+)(?: ; (.*?))? \\$")
SYSTEMS = [("linux", "Linux"), ("darwin", "Darwin"), ("win32", "Windows")]


def pins() -> list[tuple[Requirement, list[str]]]:
    """Each version in constraints.txt with its checksums."""
    found: list[tuple[Requirement, list[str]]] = []
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        if line.startswith("#"):
            continue
        match = PINNED.match(line)
        if match:
            found.append((Requirement(line.removesuffix("\\")), []))
        else:
            checksum = re.fullmatch(r"    --hash=sha256:([0-9a-f]{64})(?: \\)?", line)
            assert checksum, f"neither a version nor a checksum: {line}"
            found[-1][1].append(checksum.group(1))
    return found


def wanted() -> list[Requirement]:
    groups = PROJECT["dependency-groups"]
    texts = [
        *PROJECT["project"]["dependencies"],
        *PROJECT["project"]["optional-dependencies"]["lab"],
        *groups["dev"],
        *groups["build"],
    ]
    return [Requirement(text) for text in texts]


def test_every_fixed_version_has_checksums_and_no_address():
    assert len(pins()) > 50
    for requirement, checksums in pins():
        assert checksums, requirement
        assert requirement.url is None
    assert "://" not in (ROOT / "constraints.txt").read_text()


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system[1])
def test_what_the_project_needs_is_fixed_once_for_each_python_and_system(version, system):
    environment = {
        "python_version": version,
        "python_full_version": f"{version}.9",
        "sys_platform": system[0],
        "platform_system": system[1],
        "os_name": "nt" if system[0] == "win32" else "posix",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    chosen: dict[str, str] = {}
    for requirement, _ in pins():
        if requirement.marker is None or requirement.marker.evaluate(environment):
            name = canonicalize_name(requirement.name)
            assert name not in chosen, f"{name} is fixed twice"
            (specifier,) = requirement.specifier
            chosen[name] = specifier.version
    for requirement in wanted():
        assert requirement.specifier.contains(chosen[canonicalize_name(requirement.name)]), requirement


def test_every_dependency_has_a_lower_and_an_upper_bound():
    texts = [*PROJECT["project"]["dependencies"], *PROJECT["build-system"]["requires"]]
    for group in (PROJECT["project"]["optional-dependencies"], PROJECT["dependency-groups"]):
        texts += [text for texts_of_group in group.values() for text in texts_of_group]
    for requirement in map(Requirement, texts):
        operators = {specifier.operator for specifier in requirement.specifier}
        assert operators in ({">=", "<"}, {"=="}), requirement


def test_the_build_group_is_the_build_system():
    assert PROJECT["dependency-groups"]["build"] == PROJECT["build-system"]["requires"]


def notebooks() -> list[Path]:
    return sorted(path for folder in ("notebooks", "exercises") for path in (ROOT / folder).rglob("*.ipynb"))


def test_there_are_notebooks():
    assert ROOT / "notebooks" / "00_quickstart.ipynb" in notebooks()


@pytest.mark.parametrize("path", notebooks(), ids=lambda path: path.name)
def test_notebooks_are_stored_without_outputs(path):
    for cell in json.loads(path.read_text())["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == [], "run: jupyter nbconvert --clear-output --inplace NOTEBOOK"
            assert cell["execution_count"] is None


def test_the_wheel_has_what_it_needs(tmp_path):
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*command, "-w", tmp_path, ROOT], check=True, capture_output=True, timeout=120)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "wasm_lab/__init__.py",
        "wasm_lab/py.typed",
        "wasm_lab/toolchains/rustup.txt",
        "wasm_lab/notebooks/00_quickstart.ipynb",
    } <= names
    tracked = {
        path.relative_to(ROOT / "lab").as_posix() for path in (ROOT / "lab" / "wasm_lab").rglob("*.py")
    }
    assert tracked <= names
    for form in ("release", "source"):  # so that wasm-lab exercises works without a clone
        exercises = {
            path.relative_to(ROOT / "exercises").as_posix()
            for path in ROOT.glob(f"exercises/{form}/*/*.ipynb")
        }
        assert {f"wasm_lab/course/{name}" for name in exercises} <= names
        assert exercises
    assert any(name.endswith("licenses/LICENSE") for name in names)
    placed = {name.partition(".data/data/")[2] for name in names}
    extension = "share/jupyter/labextensions/wasm-lab"
    assert {f"{extension}/package.json", f"{extension}/static/remoteEntry.js"} <= placed
