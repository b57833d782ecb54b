"""Source to Artifact with the real rustc: hits, misses, sameness, failures."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from wasm_lab.build import build
from wasm_lab.errors import CompileError, UnsupportedError, UsageError
from wasm_lab.source import Kind, Profile, Source, Target

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from wasm_lab.build.cache import Cache


def entry_of(cache: Cache) -> Path:
    (entry,) = (entry for entry in cache.entries() if entry.kind == "wasm")
    return entry.path


def test_a_program_is_built_and_runs(cache: Cache, program: Source, run: Callable) -> None:
    artifact = build(program)
    assert run(artifact.wasm).stdout == "42\n"
    assert not artifact.is_component
    assert not artifact.cached
    assert artifact.label == "cell answer"
    assert artifact.source is program
    assert artifact.compiler.startswith("rustc 1.")
    assert all(step.duration_ns > 0 for step in artifact.steps)


def test_unchanged_is_a_hit(cache: Cache, program: Source) -> None:
    first = build(program)
    again = build(replace(program))
    assert again.cached
    assert again.wasm == first.wasm
    assert [step.name for step in again.steps] == ["cache"]


CHANGES: dict[str, Callable[[Source], Source]] = {
    "code": lambda source: replace(source, code=source.code + "\n"),
    "label": lambda source: replace(source, label="cell other"),
    "line": lambda source: replace(source, first_line=5),
    "edition": lambda source: replace(source, edition="2021"),
    "profile": lambda source: replace(source, profile=Profile.DEV),
    "target": lambda source: replace(source, target=Target.WASIP2),
    "name": lambda source: replace(source, name="other"),
    "use": lambda source: replace(source, uses=(Source(code="", kind=Kind.FUNCTIONS, name="a"),)),
}


@pytest.mark.parametrize("what", CHANGES)
def test_any_changed_input_is_a_miss(cache: Cache, program: Source, what: str) -> None:
    build(program)
    changed = CHANGES[what](program)
    assert not build(changed).cached
    assert build(changed).cached
    assert build(program).cached


def test_a_changed_compiler_is_a_miss(cache: Cache, program: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    from wasm_lab.build import pipeline

    build(program)
    found = pipeline.find_rust(Target.WASIP1)
    monkeypatch.setattr(pipeline, "find_rust", lambda _: replace(found, verbose=found.verbose + "patched\n"))
    assert not build(program).cached


def test_changed_glue_is_a_miss(cache: Cache, program: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    from wasm_lab.build import key

    build(program)
    monkeypatch.setattr(key, "FORMAT", key.FORMAT + 1)
    assert not build(program).cached


def test_a_changed_included_file_is_a_miss(cache: Cache, tmp_path: Path, run: Callable) -> None:
    folder = tmp_path / "src" / "bin"
    folder.mkdir(parents=True)
    (folder / "helper.rs").write_text(
        'pub const WORD: &str = include_str!("a b.txt"); pub const UP: &str = include_str!("../../up.txt");'
    )
    (folder / "a b.txt").write_text("one")
    (tmp_path / "up.txt").write_text("up")
    code = 'mod helper;\nfn main() { println!("{} {}", helper::WORD, helper::UP); }'
    source = Source(code=code, kind=Kind.PROGRAM, label="main.rs", folder=str(folder))
    assert run(build(source).wasm).stdout == "one up\n"
    assert build(source).cached
    changes = {folder / "a b.txt": "two", tmp_path / "up.txt": "UP"}
    changes[folder / "helper.rs"] = (folder / "helper.rs").read_text() + "// changed"
    for file, text in changes.items():
        file.write_text(text)
        assert not build(source).cached
        assert build(source).cached
    assert run(build(source).wasm).stdout == "two UP\n"


def test_a_changed_variable_is_a_miss(cache: Cache, monkeypatch: pytest.MonkeyPatch, run: Callable) -> None:
    source = Source(
        code='fn main() { println!("{:?} {}", option_env!("LD_LIBRARY_PATH"), env!("CARGO_PKG_NAME")); }',
        kind=Kind.PROGRAM,
        name="greeter",
    )
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    assert run(build(source).wasm).stdout == "None greeter\n"
    assert build(source).cached
    monkeypatch.setenv("LD_LIBRARY_PATH", "/no\nwhere")
    assert run(build(source).wasm).stdout == 'Some("/no\\nwhere") greeter\n'
    assert build(source).cached
    monkeypatch.setenv("UNRELATED", "x")
    assert build(source).cached


def test_a_cell_cannot_read_the_environment(
    cache: Cache, monkeypatch: pytest.MonkeyPatch, run: Callable
) -> None:
    monkeypatch.setenv("SECRET", "of the host")
    source = Source(code='fn main() { println!("{:?}", option_env!("SECRET")); }', kind=Kind.PROGRAM)
    assert run(build(source).wasm).stdout == "None\n"


@pytest.mark.parametrize("profile", Profile)
def test_two_builds_are_the_same_byte_for_byte(
    cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, profile: Profile
) -> None:
    code = "use std::collections::HashMap;\nfn main() { let mut m = HashMap::new(); m.insert(1, vec![1.5]); "
    code += 'println!("{m:?}"); if m.len() > 1 { panic!("no") } }'
    source = Source(code=code, kind=Kind.PROGRAM, profile=profile)
    first = build(source)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    entry_of(cache).unlink()
    second = build(source)
    assert not second.cached
    assert second.wasm == first.wasm
    assert str(tmp_path).encode() not in second.wasm
    assert b"wasm-lab-build" not in second.wasm


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-10], lambda data: b"", lambda data: b"\xff" + data[1:]]
)
def test_a_damaged_entry_is_built_again(cache: Cache, program: Source, damage: Callable) -> None:
    first = build(program)
    file = entry_of(cache)
    file.write_bytes(damage(file.read_bytes()))
    again = build(program)
    assert not again.cached
    assert again.wasm == first.wasm
    assert build(program).cached


def test_without_a_usable_cache_it_builds_all_the_same(
    program: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Callable
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("WASM_LAB_CACHE", str(tmp_path / "file" / "below"))
    assert run(build(program).wasm).stdout == "42\n"
    assert not build(program).cached


BUILD_IN_PROCESS = """
    import sys
    from wasm_lab.build import build
    from wasm_lab.source import Kind, Source
    print("ready", flush=True)
    sys.stdin.readline()
    artifact = build(Source(code='fn main() { println!("both"); }', kind=Kind.PROGRAM))
    print(artifact.sha256)
"""


def test_two_processes_that_compile_the_same_cell_agree(cache: Cache) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(BUILD_IN_PROCESS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout
        process.stdout.readline()
    outputs = [process.communicate("go\n")[0] for process in processes]
    assert outputs[0] == outputs[1]
    assert len(outputs[0]) == 65
    assert build(Source(code='fn main() { println!("both"); }', kind=Kind.PROGRAM)).cached


def running(word: str) -> list[str]:
    """The command lines of processes that have ``word`` in them."""
    found = []
    for process in os.listdir("/proc"):
        try:
            with open(f"/proc/{process}/cmdline", "rb") as stream:  # noqa: PTH123
                line = stream.read().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if word in line:
            found.append(line)
    return found


def until(condition: Callable[[], object], seconds: float = 30.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return False


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the compiler in /proc")
def test_an_interrupt_during_a_compile_stops_rustc(cache: Cache, tmp_path: Path) -> None:
    """A crate that takes rustc many seconds is interrupted as Ctrl-C does it: SIGINT to Python alone."""
    name = f"slow_{os.getpid()}"
    code = f"""
        from wasm_lab.build import build
        from wasm_lab.source import Kind, Source
        deep = "fn main() {{ const N: u64 = {{ let mut i = 0u64; while i < 1_000_000_000_000 {{ i += 1 }} i }};"
        deep = "#![allow(long_running_const_eval)]" + deep + "println!(\\"{{N}}\\"); }}"
        try:
            build(Source(code=deep, kind=Kind.PROGRAM, name="{name}"))
        except KeyboardInterrupt:
            print("interrupted")
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True
    )
    assert until(lambda: running(f"--crate-name={name} ")), "rustc never started"
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    started = time.monotonic()
    assert process.communicate(timeout=60)[0] == "interrupted\n"
    assert time.monotonic() - started < 15
    assert until(lambda: not running(f"--crate-name={name} "), 2.0)
    assert [entry for entry in cache.entries() if entry.kind == "wasm"] == []
    assert build(Source(code="fn main() {}", kind=Kind.PROGRAM, name=name)).wasm


def test_an_error_carries_its_diagnostics(cache: Cache) -> None:
    with pytest.raises(CompileError) as caught:
        build(Source(code='fn main() { let x: u8 = "a"; }', kind=Kind.PROGRAM, label="cell bad"))
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "E0308"
    assert diagnostic.spans[0].line == 1
    assert "1 error" in caught.value.message
    assert "cell bad" in caught.value.message
    assert "mismatched types" in caught.value.rendered
    assert not [entry for entry in cache.entries() if entry.kind == "wasm"]


def test_warnings_are_kept_with_the_entry(cache: Cache) -> None:
    source = Source(code="fn main() { let unused = 1; }", kind=Kind.PROGRAM)
    first, again = build(source), build(source)
    assert again.cached
    assert [each.code for each in first.warnings] == ["unused_variables"]
    assert again.warnings == first.warnings


def test_a_panic_names_the_cell_and_its_line(cache: Cache, run: Callable) -> None:
    source = Source(
        code='fn main() {\n    panic!("oh");\n}', kind=Kind.PROGRAM, label="cell three", first_line=4
    )
    ran = run(build(source).wasm)
    assert "panicked at cell three:5:5:\noh" in ran.stderr
    assert "unreachable" in ran.trap


def test_dev_checks_overflow_and_release_does_not(cache: Cache, run: Callable) -> None:
    code = 'fn main() { let x = 250u8 + std::env::args().count() as u8 + 10; println!("{x}"); }'
    source = Source(code=code, kind=Kind.PROGRAM)
    assert run(build(source).wasm).stdout == "5\n"
    assert "overflow" in run(build(replace(source, profile=Profile.DEV)).wasm).stderr


def test_size_is_smaller_and_runs(cache: Cache, program: Source, run: Callable) -> None:
    release, size = build(program), build(replace(program, profile=Profile.SIZE))
    assert size.size_bytes < release.size_bytes
    assert run(size.wasm).stdout == "42\n"


def test_a_wasip2_program_is_a_component(cache: Cache, program: Source) -> None:
    assert build(replace(program, target=Target.WASIP2)).is_component


def test_functions_for_wasip2_are_refused(cache: Cache) -> None:
    source = Source(code="pub fn f() {}", kind=Kind.FUNCTIONS, target=Target.WASIP2)
    with pytest.raises(UnsupportedError, match="wasm32-wasip1"):
        build(source)


def test_a_library_has_an_initialize_that_is_run_once(cache: Cache) -> None:
    """Without one, the linker wraps every export in a call of the constructors."""
    import wasmtime

    source = Source(code="pub fn twice(x: u32) -> u32 { x * 2 }", kind=Kind.FUNCTIONS)
    module = wasmtime.Module(wasmtime.Engine(), build(source).wasm)
    names = {export.name for export in module.exports}
    assert "_initialize" in names
    assert "_start" not in names
    assert not {name for name in names if name.endswith(".command_export")}


def test_a_later_cell_uses_earlier_ones_as_crates(cache: Cache, run: Callable) -> None:
    point = Source(
        code="pub struct Point(pub u32);\nimpl Point { pub fn twice(&self) -> u32 { self.0 * 2 } }",
        kind=Kind.FUNCTIONS,
        name="point",
    )
    line = Source(
        code="pub fn answer() -> u32 { point::Point(21).twice() }", kind=Kind.FUNCTIONS, name="line"
    )
    line = replace(line, uses=(point,))
    program = Source(
        code='fn main() { println!("{} {}", line::answer(), point::Point(4).twice()); }',
        kind=Kind.PROGRAM,
        uses=(line, point),
    )
    assert run(build(program).wasm).stdout == "42 8\n"
    assert build(program).cached
    changed = replace(point, code=point.code.replace("* 2", "* 3"))
    later = replace(program, uses=(replace(line, uses=(changed,)), changed))
    assert run(build(later).wasm).stdout == "63 12\n"


def test_a_cell_of_statements_cannot_be_used(cache: Cache, program: Source) -> None:
    statements = Source(code="let x = 1;", kind=Kind.STATEMENTS, name="s", label="cell s")
    with pytest.raises(UsageError, match="cell s"):
        build(replace(program, uses=(statements,)))


def test_an_error_in_a_used_cell_names_that_cell(cache: Cache, program: Source) -> None:
    broken = Source(code='pub fn f() -> u8 { "a" }', kind=Kind.FUNCTIONS, name="b", label="cell b")
    with pytest.raises(CompileError, match="cell b"):
        build(replace(program, uses=(broken,)))


def test_a_label_may_hold_any_character(cache: Cache, program: Source, run: Callable) -> None:
    for label in ("a=b=c.rs", "ünï cödé", "../up/x.rs", 'quo"te'):
        assert run(build(replace(program, label=label)).wasm).stdout == "42\n"


def test_the_entry_says_what_it_read(cache: Cache, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("x")
    source = Source(
        code=f'fn main() {{ println!("{{}}", include_str!("{tmp_path}/data")); }}', kind=Kind.PROGRAM
    )
    build(source)
    header = json.loads(entry_of(cache).read_bytes().partition(b"\n")[0])
    assert list(header["inputs"]) == [str(tmp_path / "data")]
