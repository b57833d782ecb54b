"""Whether programs for this machine can be linked."""

from __future__ import annotations

import subprocess

import pytest

from wasm_lab.errors import ToolchainError
from wasm_lab.toolchains import host_linker, pypi
from wasm_lab.toolchains.commands import CommandError
from wasm_lab.toolchains.host_linker import ensure_host_linker, find_host_linker, linker_variables
from wasm_lab.toolchains.rust import find_rust

#: Builds a "program" as rustc with a linker would. The last argument names it, or, where it is
#: for Wasm, the folder it goes to.
LINKS = 'for last; do :; done; [ -d "$last" ] && exit 0; echo "{text}" > "$last"; chmod +x "$last"'


def test_without_cc_the_real_compiler_cannot_link(monkeypatch, tmp_path):
    monkeypatch.setenv("WASM_LAB_CACHE", str(tmp_path / "cache"))
    toolchain = find_rust()
    monkeypatch.setenv("WASM_LAB_TOOLCHAIN", str(tmp_path / "own"))
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    linker = find_host_linker(toolchain)
    assert not linker.works
    assert linker.path is None
    assert "link" in linker.why
    assert linker.hint


def test_one_that_works_is_remembered_until_it_changes(machine):
    cc = machine.root / "tools" / "cc"
    cc.write_text("#!/bin/sh\n")
    cc.chmod(0o755)
    compiler = machine.compiler("good", compile=LINKS.format(text="#!/bin/sh"))
    toolchain = find_rust()
    assert find_host_linker(toolchain).works
    calls = compiler.calls
    assert find_host_linker(toolchain).path == cc
    assert compiler.calls == calls
    cc.write_text("#!/bin/sh\n# another\n")
    assert find_host_linker(toolchain).works
    assert len(compiler.calls) > len(calls)


def test_what_the_linker_said_is_told_and_not_remembered(machine):
    compiler = machine.compiler("good")
    toolchain = find_rust()
    text = compiler.rustc.read_text()
    compiler.rustc.write_text(text.replace("exit 0", 'echo "error: linker \\`cc\\` not found" >&2; exit 1'))
    linker = find_host_linker(toolchain)
    assert not linker.works
    assert linker.why == "error: linker `cc` not found"
    calls = len(compiler.calls)
    find_host_linker(toolchain)
    assert len(compiler.calls) > calls


def test_a_program_that_links_and_does_not_run_is_no_use(machine):
    compiler = machine.compiler("good", compile=LINKS.format(text="nonsense"))
    linker = find_host_linker(find_rust())
    assert not linker.works
    assert "does not start" in linker.why
    assert compiler.calls


#: Links only when it is told of a linker, as rustc does where there is no cc; runs that linker.
LINKS_WHEN_TOLD = (
    'case "$*" in *--target=*) exit 0;; *-Clinker=*) ;; *) echo "error: linker \\`cc\\` not found" >&2; exit 1;; '
    'esac; for last; do :; done; "${2#-Clinker=}" "$last"'
)


@pytest.fixture
def ziglang(machine, monkeypatch):
    """A fake of PyPI's package: a program that writes a program."""
    unpacked = []

    def unpack(name, say):
        home = machine.root / "own" / "pypi" / name
        zig = home / "ziglang" / "zig"
        zig.parent.mkdir(parents=True)
        zig.write_text('#!/bin/sh\n[ "$1" = cc ] || exit 1\necho "#!/bin/sh" > "$2"; chmod +x "$2"\n')
        zig.chmod(0o755)
        (home / f"{pypi.version_of(name)}.complete").touch()
        unpacked.append(name)
        return home

    monkeypatch.setattr(pypi, "unpack", unpack)
    return unpacked


def test_where_there_is_no_linker_one_is_installed_and_cargo_is_told(machine, ziglang):
    machine.compiler("good", compile=LINKS_WHEN_TOLD)
    toolchain = find_rust()
    assert linker_variables(toolchain) == {}
    said = []
    linker = ensure_host_linker(toolchain, progress=said.append)
    assert linker.works
    assert linker.own
    assert str(machine.root / "own") in said[0]
    assert linker_variables(toolchain) == {"CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER": str(linker.path)}
    # The second time nothing is installed.
    said.clear()
    assert ensure_host_linker(toolchain, progress=said.append) == linker
    assert said == []
    assert ziglang == ["ziglang"]


def test_where_there_is_a_linker_none_is_installed(machine, ziglang):
    machine.compiler("good", compile=LINKS.format(text="#!/bin/sh"))
    assert ensure_host_linker(find_rust()).works
    assert ziglang == []
    assert linker_variables(find_rust()) == {}


def test_when_none_can_be_installed_it_says_why(machine, monkeypatch):
    def unpack(name, say):
        raise CommandError("no network")

    monkeypatch.setattr(pypi, "unpack", unpack)
    machine.compiler("good", compile=LINKS_WHEN_TOLD)
    with pytest.raises(ToolchainError, match=r"`cc` not found.*no network") as caught:
        ensure_host_linker(find_rust())
    assert caught.value.hint


def test_one_that_was_installed_and_does_not_work_says_why(machine, ziglang, monkeypatch):
    monkeypatch.setattr(host_linker, "_write_wrapper", lambda home: None)
    machine.compiler("good", compile=LINKS_WHEN_TOLD)
    with pytest.raises(ToolchainError, match="does not work here"):
        ensure_host_linker(find_rust())


MACRO = r"""
extern crate proc_macro;
#[proc_macro]
pub fn shout(_: proc_macro::TokenStream) -> proc_macro::TokenStream { "\"HELLO\"".parse().unwrap() }
"""


@pytest.mark.slow
def test_the_linker_from_pypi_builds_a_procedural_macro(monkeypatch, tmp_path):
    """For real: 0.1 GB of download, 0.4 GB on the disk while it runs."""
    monkeypatch.setenv("WASM_LAB_CACHE", str(tmp_path / "cache"))
    toolchain = find_rust()
    monkeypatch.setenv("WASM_LAB_TOOLCHAIN", str(tmp_path / "own"))
    monkeypatch.setenv("PATH", "/no/such/folder")
    assert not find_host_linker(toolchain).works
    linker = ensure_host_linker(toolchain)
    assert linker.own
    source = tmp_path / "shout.rs"
    source.write_text(MACRO)
    user = tmp_path / "user.rs"
    user.write_text('fn main() { println!("{}", shout::shout!()) }')
    rustc = [toolchain.rustc, "--edition=2021", "--out-dir", tmp_path]
    macro = subprocess.run(
        [*rustc, "--crate-type=proc-macro", f"-Clinker={linker.path}", "--print=file-names", source],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    subprocess.run([*rustc, "--crate-type=proc-macro", f"-Clinker={linker.path}", source], check=True)
    command = [*rustc, "--target=wasm32-wasip1", "--extern", f"shout={tmp_path / macro}", user]
    subprocess.run(command, check=True)
    assert b"HELLO" in (tmp_path / "user.wasm").read_bytes()
