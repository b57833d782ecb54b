"""Finding containerd, crun and runc: which of several is taken, and what is said of those that will not do."""

import os
import sys

import pytest

from wasm_lab.services import Containerd
from wasm_lab.services import containerd as service
from wasm_lab.toolchains import containerd as programs

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="containers run on Linux alone")

CRUN = "crun version 1.21\ncommit: 1\n+SYSTEMD +CAP {wasm}+YAJL"


def program(folder, name, says, status=0):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\nprintf '%s\\n' '{says}'\nexit {status}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """A machine with nothing; the folder that is its PATH."""
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}")
    monkeypatch.setenv("WASM_LAB_TOOLS", str(tmp_path / "tools"))
    monkeypatch.setattr(programs, "SYSTEM", ())
    library = tmp_path / "lib" / "libwasmedge.so.0"
    library.parent.mkdir()
    library.touch()
    monkeypatch.setattr(programs, "LIBRARY_FOLDERS", (str(library.parent),))
    return tmp_path / "bin"


def containerd(folder, version):
    program(folder, "ctr", "")
    program(folder, "containerd-shim-runc-v2", "")
    return program(folder, "containerd", f"containerd github.com/containerd/containerd {version} abc")


def test_nothing_is_here(bare):
    assert programs.find_containerd() is programs.find_runc() is programs.find_crun() is None
    for why in (programs.containerd_missing(), programs.runc_missing(), programs.crun_missing()):
        assert "To get it: sudo apt install" in why
    assert "containerd" in Containerd.missing()
    assert "containerd" in Containerd.missing_handler("runc")


@pytest.mark.parametrize("version", ["1.6.20~ds1", "1.7.24~ds1", "v2.1.3", "2.0.0"])
def test_containerd_of_every_age_that_will_do(bare, version):
    path = containerd(bare, version)

    assert programs.find_containerd().program == path


def test_containerd_that_is_too_old(bare):
    containerd(bare, "1.4.13~ds1")

    assert programs.find_containerd() is None
    assert "older than 1.6" in programs.containerd_missing()


def test_containerd_without_its_shim(bare):
    containerd(bare, "1.7.24")
    (bare / "containerd-shim-runc-v2").unlink()

    assert programs.find_containerd() is None
    assert "containerd-shim-runc-v2" in programs.containerd_missing()


def test_what_was_unpacked_is_found_after_what_is_installed(bare, tmp_path):
    own = containerd(tmp_path / "tools" / "containerd" / "bin", "1.6.20")
    assert programs.find_containerd().program == own
    installed = containerd(bare, "1.7.24")
    assert programs.find_containerd().program == installed


def test_a_crun_with_an_engine_is_preferred(bare, tmp_path):
    plain = program(bare, "crun", CRUN.format(wasm=""))
    assert programs.find_crun() is None
    assert programs.find_crun(wasm=False).program == plain
    assert "without a Wasm engine" in programs.crun_missing()

    own = program(tmp_path / "tools" / "wasmedge" / "bin", "crun", CRUN.format(wasm="+WASM:wasmedge "))
    found = programs.find_crun()
    assert (found.program, found.version, found.engine) == (own, "1.21", "wasmedge")
    assert programs.crun_missing() == ""


def test_a_crun_whose_engine_was_not_installed_with_it(bare, tmp_path):
    path = program(bare, "crun", CRUN.format(wasm="+WASM:wasmedge "))
    assert programs.find_crun().program == path
    (tmp_path / "lib" / "libwasmedge.so.0").unlink()

    assert programs.find_crun() is None
    assert "its library is not here" in programs.crun_missing()
    assert "wasmedge" in programs.crun_missing()


def test_fedoras_name_for_crun(bare):
    path = program(bare, "crun-wasm", CRUN.format(wasm="+WASM:wasmedge "))

    assert programs.find_crun().program == path


def test_a_program_that_does_not_run(bare):
    program(bare, "runc", "", status=127)

    assert programs.find_runc() is None


def test_an_ordinary_user_is_told_why(bare, monkeypatch):
    containerd(bare, "1.7.24")
    program(bare, "runc", "runc version 1.1.15")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    assert "ordinary user" in Containerd.missing()
    assert "sudo" in Containerd.missing_handler("runc")


def test_each_handler_says_what_it_lacks(bare, monkeypatch):
    containerd(bare, "1.7.24")
    monkeypatch.setattr(programs, "not_root", lambda: "")
    assert "neither crun nor runc" in Containerd.missing()

    program(bare, "runc", "runc version 1.1.15")
    assert Containerd.missing() == ""
    assert Containerd().handlers == ("runc",)
    assert "crun" in Containerd.missing_handler("crun-wasm")
    assert "no handler" in Containerd.missing_handler("gvisor")

    program(bare, "crun", CRUN.format(wasm="+WASM:wasmedge "))
    assert Containerd().handlers == ("crun-wasm", "crun", "runc")
    assert service.Containerd.missing_handler("crun-wasm") == ""
