"""Artifact: WebAssembly bytes, where they came from and what making them took. HostProgram: its yardstick."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wasm_lab.diagnostic import Diagnostic
    from wasm_lab.source import Source

#: The first eight bytes of a core module and of a component: magic, version, layer
#: (WebAssembly core specification 2.0, 5.5.16; component-model ``Binary.md``).
CORE_PREAMBLE = b"\0asm\x01\0\0\0"
COMPONENT_PREAMBLE = b"\0asm\x0d\0\x01\0"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a build and its duration in nanoseconds."""

    name: str
    duration_ns: int


@dataclass(frozen=True, slots=True)
class Template:
    """What a component was made from by writing over a block of its data.

    Machine code does not depend on data, so what is known of the component with the blank block, such as its
    WIT and its machine code, serves every other that was made of it.
    """

    sha256: str  #: of the component with the blank block
    blank: bytes = field(repr=False)
    filled: bytes = field(repr=False)  #: as long


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """A module or component, ready for a runtime.

    Example:
        >>> Artifact(wasm=CORE_PREAMBLE, label="empty").is_component
        False
    """

    wasm: bytes = field(repr=False)
    label: str  #: what messages call it
    source: Source | None = None  #: None for a module made elsewhere
    compiler: str = ""  #: the first line of ``rustc --version``; empty when unknown
    steps: tuple[Step, ...] = ()  #: what this build did; one ``cache`` step when cached
    cached: bool = False  #: whether the bytes came from the build cache
    warnings: tuple[Diagnostic, ...] = ()
    #: built from named cells whose functions it imports, each by its cell's name
    libraries: tuple[Artifact, ...] = field(default=(), repr=False)
    template: Template | None = field(default=None, repr=False)  #: of Python and JavaScript

    @cached_property
    def sha256(self) -> str:
        """The SHA-256 of the bytes, in hexadecimal."""
        return hashlib.sha256(self.wasm).hexdigest()

    @property
    def size_bytes(self) -> int:
        return len(self.wasm)

    @property
    def is_component(self) -> bool:
        """True for a component (WASI 0.2 and later), False for a core module."""
        return self.wasm[:8] == COMPONENT_PREAMBLE


@dataclass(frozen=True, kw_only=True)
class HostProgram:
    """The same code as a program of this machine: the yardstick of what Wasm costs.

    Example:
        >>> HostProgram(executable=b"\\x7fELF", label="empty", target="x86_64-unknown-linux-gnu").size_bytes
        4
    """

    executable: bytes = field(repr=False)  #: an executable file
    label: str  #: what messages call it
    target: str  #: the triple that it is built for
    source: Source | None = None
    compiler: str = ""  #: the first line of ``rustc --version``
    steps: tuple[Step, ...] = ()
    cached: bool = False  #: whether it came from the build cache
    warnings: tuple[Diagnostic, ...] = ()

    @cached_property
    def sha256(self) -> str:
        """The SHA-256 of the bytes, in hexadecimal."""
        return hashlib.sha256(self.executable).hexdigest()

    @property
    def size_bytes(self) -> int:
        return len(self.executable)
