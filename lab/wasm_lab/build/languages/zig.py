"""Zig by ``zig build-exe``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.abi import needs_room
from wasm_lab.build.languages import zig_home, zig_messages
from wasm_lab.build.languages.making import Made, Making, run_compiler, teller, work_folder
from wasm_lab.cells.languages import exported_functions
from wasm_lab.source import Kind, Profile

if TYPE_CHECKING:
    from wasm_lab.artifact import Artifact
    from wasm_lab.build.languages.zig_home import ZigHome
    from wasm_lab.build.progress import Progress
    from wasm_lab.source import Source

PROFILE_FLAGS: dict[Profile, tuple[str, ...]] = {
    Profile.DEV: ("-ODebug",),
    Profile.RELEASE: ("-OReleaseFast", "-fno-strip"),
    Profile.SIZE: ("-OReleaseSmall", "-fstrip"),
}

STACK_BYTES = 1 << 20

#: A file of the lab's own beside the cell's, which makes room for what Python passes by address.
GLUE_FILE = "__wasm_lab_glue.zig"

_GLUE = """\
const std = @import("std");
var room: []align(16) u8 = &.{};
export fn __wasm_lab_frame(size: usize) usize {
    const wider = std.heap.wasm_allocator.alignedAlloc(u8, .@"16", size) catch return 0;
    if (room.len != 0) std.heap.wasm_allocator.free(room);
    room = wider;
    return @intFromPtr(room.ptr);
}
"""


def build(source: Source, *, progress: Progress | None = None) -> Artifact:
    """See `wasm_lab.build.languages.build_language`."""
    making = Making(source)
    home = zig_home.home(progress)
    flags = _flags(source)
    return making.artifact(
        compiler=f"zig {home.zig.version}",
        decides=[flags, source.folder],
        make=lambda: _make(making, home, flags, progress),
        read=zig_messages.read,
        hint=zig_messages.hint,
    )


def _has_glue(source: Source) -> bool:
    return source.kind is Kind.FUNCTIONS and any(map(needs_room, exported_functions(source)))


def _flags(source: Source) -> list[str]:
    flags = ["-target", "wasm32-wasi", *PROFILE_FLAGS[source.profile], "--stack", str(STACK_BYTES)]
    if source.kind is Kind.FUNCTIONS:
        names = [each.name for each in exported_functions(source)]
        names += ["__wasm_lab_frame"] if _has_glue(source) else []
        flags += ["-fno-entry", *(f"--export={name}" for name in names)]
    return flags


def source_text(source: Source) -> str:
    """The cell's text, each line where the cell has it; the glue is imported after the last."""
    text = "\n" * (source.first_line - 1) + source.code + "\n"
    return text + (f'comptime {{ _ = @import("{GLUE_FILE}"); }}\n' if _has_glue(source) else "")


def _make(making: Making, home: ZigHome, flags: list[str], progress: Progress | None) -> Made:
    source = making.source
    with work_folder() as folder:
        file, output = folder / zig_messages.file_name(source), folder / "cell.wasm"
        file.write_text(source_text(source), encoding="utf-8")
        (folder / GLUE_FILE).write_text(_GLUE, encoding="utf-8")
        status, said = run_compiler(
            [home.zig.program, "build-exe", *flags, "--color", "off", file.name, f"-femit-bin={output.name}"],
            folder=folder,
            env=home.environment(folder),
            label=source.label,
            reads=[Path(source.folder)] if source.folder else [],
            writes=home.writes,
            executes=home.executes,
            on_wait=teller(f"Compiling {source.label}", progress),
        )
        making.step("zig build-exe")
        return Made(output.read_bytes() if status == 0 and output.exists() else None, said, status)
