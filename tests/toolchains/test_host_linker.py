"""Whether programs for this machine can be linked."""

from __future__ import annotations

from wasm_lab.toolchains.host_linker import find_host_linker
from wasm_lab.toolchains.rust import find_rust

#: Builds a "program" as rustc with a linker would. The last argument names it, or, where it is
#: for Wasm, the folder it goes to.
LINKS = 'for last; do :; done; [ -d "$last" ] && exit 0; echo "{text}" > "$last"; chmod +x "$last"'


def test_without_cc_the_real_compiler_cannot_link(monkeypatch, tmp_path):
    monkeypatch.setenv("WASM_LAB_CACHE", str(tmp_path / "cache"))
    toolchain = find_rust()
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
