"""C and C++ by ``zig cc``: clang, wasm-ld, and wasi-libc, in one program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wasm_lab.abi import needs_room
from wasm_lab.build.languages import clang_messages, zig_home
from wasm_lab.build.languages.making import Made, Making, run_compiler, work_folder
from wasm_lab.cells.languages import exported_functions
from wasm_lab.source import Kind, Profile

if TYPE_CHECKING:
    from pathlib import Path

    from wasm_lab.artifact import Artifact
    from wasm_lab.build.progress import Progress
    from wasm_lab.source import Source
    from wasm_lab.toolchains.zig import Zig

#: Flags of each profile. Line tables let a trap tell the cell's lines.
PROFILE_FLAGS: dict[Profile, tuple[str, ...]] = {
    Profile.DEV: ("-O0", "-g", "-fno-sanitize=undefined"),
    Profile.RELEASE: ("-O2", "-gline-tables-only", "-fno-sanitize=undefined"),
    Profile.SIZE: ("-Oz", "-s", "-fno-sanitize=undefined"),
}

#: Shown without being asked for: they find real mistakes and seldom cry wolf.
WARNINGS = ("-Wall", "-Wextra", "-Wno-unused-parameter")

STANDARDS = {"c": "-std=gnu23", "cpp": "-std=gnu++23"}

#: Bytes of a guest's stack, as clang's own default for Rust's targets.
STACK_BYTES = 1 << 20

#: What Python calls to make room for what it passes by address.
ALLOCATOR = ("malloc", "free")


def build(source: Source, *, progress: Progress | None = None) -> Artifact:
    """See `wasm_lab.build.languages.build_language`."""
    making = Making(source)
    zig = zig_home.zig(progress)
    flags = _flags(source)
    return making.artifact(
        compiler=f"zig {zig.version} (clang)",
        decides=[flags, source.folder],
        make=lambda: _make(making, zig, flags, progress),
        read=clang_messages.read,
        hint=clang_messages.hint,
    )


def _flags(source: Source) -> list[str]:
    flags = [*PROFILE_FLAGS[source.profile], *WARNINGS, STANDARDS[source.language]]
    if source.language == "cpp":
        flags += ["-fno-exceptions", "-fno-rtti"] if source.profile is Profile.SIZE else ["-fno-exceptions"]
    if source.kind is Kind.FUNCTIONS:
        flags.append("-mexec-model=reactor")
        functions = exported_functions(source)
        names = [each.name for each in functions if "mangled" not in each.obstacle]
        if any(map(needs_room, functions)):
            names += ALLOCATOR
        flags += [f"-Wl,--export={name}" for name in names]
    return flags


def source_text(source: Source) -> str:
    """The cell's text, whose lines and name the compiler takes for those of the cell."""
    label = source.label.replace("\\", "\\\\").replace('"', '\\"')
    return f'#line {source.first_line} "{label}"\n{source.code}\n'


def _make(making: Making, zig: Zig, flags: list[str], progress: Progress | None) -> Made:
    source = making.source
    with work_folder() as folder, zig_home.ready(zig, source.language, progress) as home:
        file = folder / f"cell.{source.language}"
        file.write_text(source_text(source), encoding="utf-8")
        output = folder / "cell.wasm"
        driver = "c++" if source.language == "cpp" else "cc"
        own = [f"-I{source.folder}"] if source.folder else []
        command: list[str | Path] = [zig.program, driver, "-target", "wasm32-wasi", *flags, *own]
        command += [file.name, "-o", output]
        status, said = run_compiler(
            command,
            folder=folder,
            env=home.environment(folder),
            label=source.label,
            reads=home.reads(source.folder),
            writes=home.writes,
            executes=home.executes,
        )
        making.step("zig cc")
        return Made(output.read_bytes() if status == 0 and output.exists() else None, said, status)
