"""scripts/setup.py: what it says on a machine that lacks something, and that it can be run again."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "setup.py"
#: The Python behind this virtual environment: one that can make another.
PYTHON = Path(getattr(sys, "_base_executable", sys.executable)).resolve()


def without(module: str, version: str) -> str:
    """A fake Python of that version, which lacks a module."""
    error = f"ModuleNotFoundError: No module named '{module}'"
    return f'case "$2" in *ensurepip*) echo "{error}" >&2; exit 1;; *) echo {version};; esac'


@pytest.fixture
def setup():
    """The script, as a module of its own."""
    spec = importlib.util.spec_from_file_location("wasm_lab_setup_script", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def project(tmp_path) -> Path:
    """A folder with the script and no more than it reads."""
    root = tmp_path / "project"
    (root / "scripts").mkdir(parents=True)
    shutil.copy(SCRIPT, root / "scripts")
    (root / "lab" / "wasm_lab").mkdir(parents=True)
    shutil.copy(ROOT / "lab" / "wasm_lab" / "_version.py", root / "lab" / "wasm_lab")
    shutil.copytree(ROOT / "lab" / "labextension", root / "lab" / "labextension")
    (root / "pyproject.toml").write_text("")
    (root / "constraints.txt").write_text(f"no-such-package==1.0 \\\n    --hash=sha256:{'0' * 64}\n")
    return root


def test_an_old_python_can_read_it():
    """Nothing newer than Python 3.4 in its grammar, so that it can say that a Python is too old."""
    import ast

    tree = ast.parse(SCRIPT.read_text(), feature_version=(3, 4))
    # What feature_version does not refuse: formatted strings came with 3.6.
    assert not [
        node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr | ast.AnnAssign | ast.NamedExpr)
    ]


class TestChoosingAPython:
    def test_one_that_will_do(self, setup):
        good, version = setup._suitable(str(PYTHON))
        assert good
        assert version == f"{sys.version_info.major}.{sys.version_info.minor}"

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("echo 3.9", "3.9, which is too old"),
            ("echo 'pyenv: python3.12: command not found' >&2; exit 127", "command not found"),
            ("exit 2", "status 2"),
            (without("ensurepip", "3.12"), "sudo apt install python3.12-venv"),
            (without("venv", "2.7"), "2.7, which is too old"),
        ],
    )
    def test_one_that_will_not(self, setup, tmp_path, text, why):
        good, said = setup._suitable(str(program(tmp_path / "python", text)))
        assert not good
        assert why in said

    def test_one_that_does_not_start(self, setup, tmp_path):
        good, said = setup._suitable(str(tmp_path / "nothing"))
        assert not good
        assert "does not start" in said

    def test_another_is_taken_when_this_one_will_not_do(self, setup, tmp_path, monkeypatch):
        program(tmp_path / "old" / "python3", "echo 3.9")
        good = program(
            tmp_path / "new" / "python3.12", f'[ "$1" = -c ] && echo 3.12 || echo "$@" > {tmp_path}/ran'
        )
        monkeypatch.setenv("PATH", f"{tmp_path / 'old'}:{tmp_path / 'new'}")
        monkeypatch.setattr(sys, "executable", str(tmp_path / "old" / "python3"))
        monkeypatch.setattr(sys, "argv", ["setup.py"])
        assert setup.main() == 0
        assert (tmp_path / "ran").read_text().split() == [str(SCRIPT)]
        assert good.exists()

    def test_when_none_will_do_all_are_listed_with_what_to_install(self, setup, tmp_path, monkeypatch):
        old = program(tmp_path / "old" / "python3", "echo 3.9")
        broken = program(tmp_path / "broken" / "python3.11", "echo 'no such version' >&2; exit 127")
        monkeypatch.setenv("PATH", f"{old.parent}:{broken.parent}")
        monkeypatch.setattr(sys, "executable", str(old))
        with pytest.raises(setup.SetupError) as caught:
            setup.main()
        said = str(caught.value)
        for words in (
            "Python 3.11 or later",
            f"{old}: 3.9, which is too old",
            f"{broken}: no such version",
            "sudo apt install python3-venv",
            "brew install python",
            "winget",
        ):
            assert words in said


def test_make_without_any_python_says_what_to_install():
    make = shutil.which("make")
    assert make
    done = subprocess.run(
        [make, "setup", "PYTHON="], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode != 0
    assert "wasm-lab needs Python 3.11 or later" in done.stderr
    assert "apt install python3" in done.stderr


def test_make_alone_lists_the_targets():
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, timeout=30, check=True)
    for target in ("setup", "quickstart", "test", "test-all", "lab", "bench", "lint", "docs", "clean"):
        assert f"\n  {target} " in done.stdout


def run_setup(project: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PYTHON, project / "scripts" / "setup.py"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )


@pytest.mark.slow
def test_when_pip_fails_it_says_so_and_can_be_run_again(project):
    first = run_setup(project, PIP_NO_INDEX="1", PIP_USER="1", PIP_TARGET="/nowhere")
    assert first.returncode == 1
    assert f"Making {project / '.venv'} with Python" in first.stdout
    assert "Installing up to 1 Python packages into .venv" in first.stdout
    assert "pip could not install the packages" in first.stderr
    assert "no-such-package" in first.stderr
    assert str(project / ".venv" / "setup.log") in first.stderr
    second = run_setup(project, PIP_NO_INDEX="1")
    assert second.returncode == 1
    assert "Making" not in second.stdout  # the environment is kept
    (project / ".venv" / "setup-folder").write_text("/another/place")
    moved = run_setup(project, PIP_NO_INDEX="1")
    assert "Making" in moved.stdout  # its programs would name the place from which it was moved


class TestWhoInstalls:
    """uv where packages come from where they always come from; pip, which knows its own settings, elsewhere."""

    @pytest.fixture
    def pip(self, monkeypatch) -> list[str]:
        for name in os.environ:
            if name.startswith("PIP_"):
                monkeypatch.delenv(name)
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        return [sys.executable, "-m", "pip"]

    def test_without_settings_it_is_uv(self, setup, pip):
        assert setup._sources_are_plain(pip)

    @pytest.mark.parametrize("name", ["PIP_INDEX_URL", "PIP_PROXY", "PIP_EXTRA_INDEX_URL"])
    def test_with_a_mirror_or_a_proxy_it_is_pip(self, setup, pip, monkeypatch, name):
        monkeypatch.setenv(name, "http://127.0.0.1:9/simple")
        assert not setup._sources_are_plain(pip)

    def test_a_certificate_is_one_that_uv_is_told_of_or_it_is_pip(self, setup, pip, monkeypatch):
        monkeypatch.setenv("PIP_CERT", "own.pem")
        monkeypatch.delenv("SSL_CERT_FILE", raising=False)
        assert not setup._sources_are_plain(pip)
        monkeypatch.setenv("SSL_CERT_FILE", "own.pem")
        assert setup._sources_are_plain(pip)

    def test_where_uv_fails_pip_goes_on(self, setup, tmp_path, monkeypatch):
        monkeypatch.setattr(setup, "VENV", str(tmp_path))
        monkeypatch.setattr(setup, "LOG", str(tmp_path / "log"))
        monkeypatch.setattr(setup, "PYTHON", str(tmp_path / "python"))
        program(tmp_path / "uv", "echo no network; exit 2")
        assert not setup._installed_by_uv(["true"], "uv==1\n", "required.txt", 1)
        program(tmp_path / "uv", "exit 0")
        assert setup._installed_by_uv(["true"], "uv==1\n", "required.txt", 1)


class TestPackagesThatTheLabCanDoWithout:
    """wasmer-sdk has wheels for some Linux systems and for macOS alone, and no source distribution."""

    def test_they_are_parted_from_the_rest_with_their_checksums(self, setup):
        text = (ROOT / "constraints.txt").read_text()
        needed, optional = setup._parted(text, setup.OPTIONAL)
        assert set(optional) == set(setup.OPTIONAL) == {"wasmer-sdk"}
        assert optional["wasmer-sdk"].startswith("wasmer-sdk==")
        assert optional["wasmer-sdk"].count("--hash=") >= 2
        assert "wasmer" not in needed
        assert needed.count("--hash=") + optional["wasmer-sdk"].count("--hash=") == text.count("--hash=")

    def test_the_rest_of_the_constraints_is_as_it_was(self, setup):
        text = "# c\na==1 \\\n    --hash=x\nwasmer-sdk==2 ; q \\\n    --hash=y\nb==3\n"
        assert setup._parted(text, setup.OPTIONAL) == (
            "# c\na==1 \\\n    --hash=x\nb==3\n",
            {"wasmer-sdk": "wasmer-sdk==2 ; q \\\n    --hash=y\n"},
        )

    @pytest.fixture
    def with_wheels(self, project, tmp_path):
        """A project that asks for wasmer-sdk, and a folder in which pip looks for it."""
        wheels = tmp_path / "wheels"
        wheels.mkdir()
        return project, wheels

    def ask_for(self, project: Path, wheel: Path) -> None:
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        (project / "constraints.txt").write_text(f"wasmer-sdk==0.5.0 \\\n    --hash=sha256:{digest}\n")

    @pytest.mark.slow
    def test_a_system_without_a_file_is_set_up_all_the_same(self, with_wheels):
        project, wheels = with_wheels
        wheel = made_wheel(wheels, "manylinux_2_99_s390x")  # no machine of ours
        self.ask_for(project, wheel)
        done = run_setup(project, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(wheels))
        assert "There is no file of wasmer-sdk for this system" in done.stdout
        assert "the runtime wasmer" in done.stdout
        assert "Installing wasm-lab itself" in done.stdout  # it went on

    @pytest.mark.slow
    def test_a_system_with_a_file_gets_it(self, with_wheels):
        project, wheels = with_wheels
        wheel = made_wheel(wheels, "any")
        self.ask_for(project, wheel)
        done = run_setup(project, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(wheels))
        assert "There is no file" not in done.stdout
        assert "Successfully installed wasmer-sdk-0.5.0" in (project / ".venv" / "setup.log").read_text()

    @pytest.mark.slow
    def test_a_file_with_another_checksum_stops_it(self, with_wheels):
        project, wheels = with_wheels
        made_wheel(wheels, "any")
        (project / "constraints.txt").write_text(f"wasmer-sdk==0.5.0 \\\n    --hash=sha256:{'0' * 64}\n")
        done = run_setup(project, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(wheels))
        assert done.returncode == 1
        assert "DO NOT MATCH THE HASHES" in done.stderr
        assert "There is no file" not in done.stdout


def made_wheel(folder: Path, platform: str) -> Path:
    """An empty wheel of wasmer-sdk for a platform."""
    wheel = folder / f"wasmer_sdk-0.5.0-py3-none-{platform}.whl"
    about = "wasmer_sdk-0.5.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("wasmer_sdk.py", "")
        archive.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: wasmer-sdk\nVersion: 0.5.0\n")
        archive.writestr(
            f"{about}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-{platform}\n"
        )
        archive.writestr(f"{about}/RECORD", "")
    return wheel


@pytest.mark.slow
def test_an_interrupted_setup_says_so_and_ends(project):
    with socket.create_server(("127.0.0.1", 0)) as silent:  # a registry that never answers
        process = subprocess.Popen(
            [PYTHON, "-u", project / "scripts" / "setup.py"],
            env={**os.environ, "PIP_INDEX_URL": f"http://127.0.0.1:{silent.getsockname()[1]}/simple"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert process.stdout
        for line in process.stdout:
            if line.startswith("Installing up to"):
                break
        silent.settimeout(60)
        connection, _ = silent.accept()
        os.killpg(process.pid, signal.SIGINT)
        _, error = process.communicate(timeout=30)
        connection.close()
    assert process.returncode == 130
    assert "interrupted; run the same command again" in error
    assert not (project / ".venv" / "setup.json").exists()


@pytest.mark.slow
def test_from_a_clean_copy_with_an_empty_home_twice_and_as_binder_does(tmp_path):
    copy = tmp_path / "clone"
    left_out = shutil.ignore_patterns(".*", "__pycache__", "out", "target")
    shutil.copytree(ROOT, copy, ignore=left_out)
    home = tmp_path / "home"
    home.mkdir()
    # What uv has fetched before is as good, for its checksum is compared.
    kept = Path(os.environ.get("UV_CACHE_DIR") or Path.home() / ".cache" / "uv")
    first = run_setup(copy, HOME=str(home), UV_CACHE_DIR=str(kept))
    assert first.returncode == 0, first.stderr
    assert "Ready in" in first.stdout
    assert "Bytecode compiled" in (copy / ".venv" / "setup.log").read_text()  # by uv
    # Without a network, and at once.
    start = time.monotonic()
    second = run_setup(copy, HOME=str(home), PIP_NO_INDEX="1", https_proxy="http://127.0.0.1:9")
    assert second.returncode == 0, second.stderr
    assert second.stdout == ""
    assert time.monotonic() - start < 30
    command = [copy / ".venv" / "bin" / "wasm-lab", "doctor", "--json"]
    report = json.loads(subprocess.check_output(command, env={**os.environ, "HOME": str(home)}, timeout=120))
    assert report["ok"]

    # What Binder does then. Its packages are some of those that are here by now (tests/packaging/test_binder.py), and
    # its home has no Rust compiler: `wasm-lab doctor --fix` gets one in the same way as the set-up above.
    env = {
        "CHAPTERS": "00_quickstart",
        "HOME": str(home),
        "PATH": f"{copy / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}",
    }
    prepared = subprocess.run(
        [copy / "binder" / "postBuild"], cwd=copy, env=env, capture_output=True, text=True, check=False
    )
    assert prepared.returncode == 0, prepared.stdout + prepared.stderr
    assert "binder: running 00_quickstart" in prepared.stdout
