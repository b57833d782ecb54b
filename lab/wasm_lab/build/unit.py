"""A crate as the compiler gets it: its text and every flag that changes what it becomes."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from wasm_lab.source import Profile, Target

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


#: Flags of each profile. Line tables of a cell cost about 1 KB for each hundred lines.
PROFILE_FLAGS: dict[Profile, tuple[str, ...]] = {
    Profile.DEV: (
        "-Copt-level=0",
        "-Cdebug-assertions=on",
        "-Coverflow-checks=on",
        "-Cdebuginfo=line-tables-only",
    ),
    Profile.RELEASE: ("-Copt-level=3", "-Cdebuginfo=line-tables-only"),
    Profile.SIZE: ("-Copt-level=z", "-Clto=fat", "-Cstrip=symbols"),
}

#: Variables that rustc itself reads and that change what it makes of the same code.
DECIDING_VARIABLES = ("RUSTC_BOOTSTRAP",)

#: What the compiler is given of this process's environment: no more than it needs to find programs,
#: libraries and room. A cell can read what the compiler sees, by ``env!``.
PASSED_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT")


def compiler_environment() -> dict[str, str]:
    """The environment of a compiler, before what the crate itself sets."""
    names = (*PASSED_VARIABLES, *DECIDING_VARIABLES)
    return {name: os.environ[name] for name in names if name in os.environ}


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """All that decides what rustc makes of one crate."""

    name: str
    label: str  #: what messages and panics call the root file
    root: str
    files: Mapping[str, str] = field(default_factory=dict)
    crate_type: str  #: ``bin``, ``cdylib`` or ``rlib``
    test: bool = False
    edition: str
    profile: Profile
    target: str  #: a `Target`, or the triple of this machine
    folder: Path  #: where files that the code names are looked for
    env: Mapping[str, str] = field(default_factory=dict)
    #: Whether to keep what did not change from one compile to the next. It pays for crates that
    #: instantiate much of their dependencies' generic code (five times faster with serde), and
    #: not for others. It needs more than one codegen unit.
    incremental: bool = False
    exports: tuple[str, ...] = ()  #: of a ``cdylib``: the functions that its glue exports
    #: Compiled behind walls (`wasm_lab.build.walls`): it sees no file and no variable of ours.
    walled: bool = False

    @property
    def for_host(self) -> bool:
        """Whether it becomes code of this machine."""
        return self.target not in tuple(Target)

    def without_text(self) -> Unit:
        """The same crate before anything is written into it: what edits of it have in common."""
        return replace(self, root="", files={}, exports=())

    def flags(self) -> list[str]:
        """The flags that change the result, without paths of this machine."""
        flags = [
            f"--crate-name={self.name}",
            f"--edition={self.edition}",
            f"--target={self.target}",
            "--test" if self.test else f"--crate-type={self.crate_type}",
            *PROFILE_FLAGS[self.profile],
        ]
        if self.for_host:
            # As on the Wasm targets: a panic ends the program, and no code is there to unwind.
            flags.append("-Cpanic=abort")
            if self.profile is not Profile.SIZE:  # which strips all of it
                # Nine tenths of a small program are the standard library's debug information.
                flags.append("-Cstrip=debuginfo")
        # One unit optimises at least as well as rustc's sixteen, and a cell compiles sooner. The many
        # are rustc's own number for incremental compiles; unsaid, it takes one where it does not link.
        one = not self.incremental and self.profile is not Profile.DEV
        flags.append(f"-Ccodegen-units={1 if one else 256}")
        if self.crate_type == "rlib" and self.profile is not Profile.SIZE:
            flags.append("-Cembed-bitcode=no")
        return flags
