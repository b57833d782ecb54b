"""What is in a module or component, as wasm-tools tells."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from wasm_lab.build.sections import leb128, sections
from wasm_lab.build.wasm_tools import ToolError, wasm_tools
from wasm_lab.errors import LoadError

if TYPE_CHECKING:
    from wasm_lab.artifact import Artifact


@dataclass(frozen=True, slots=True)
class Import:
    """One thing that a module or component must be given."""

    module: str  #: of a core module's import; empty for a component's
    name: str
    kind: str  #: ``func``, ``memory``, ``table``, ``global``, ``tag``, ``instance``, ``component``, …
    type: str  #: such as ``(i32, i32) -> i32``; empty where wasm-tools writes none


@dataclass(frozen=True, slots=True)
class Export:
    """One thing that a module or component gives."""

    name: str
    kind: str
    type: str


@dataclass(frozen=True, slots=True)
class SectionSize:
    """One section of the binary, in its order there."""

    name: str  #: such as ``code`` or ``custom "name"``
    size_bytes: int  #: of its content
    count: int  #: of entries in it
    depth: int = 0  #: of nested modules and components around it


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What is in a module or component."""

    label: str
    wasm: bytes = field(repr=False)
    sha256: str
    is_component: bool
    imports: tuple[Import, ...]
    exports: tuple[Export, ...]
    sections: tuple[SectionSize, ...]
    #: such as ``{"processed-by": {"rustc": "1.95.0"}}``
    producers: dict[str, dict[str, str]]
    target_features: tuple[str, ...]  #: such as ``+bulk-memory``

    @property
    def size_bytes(self) -> int:
        return len(self.wasm)

    @property
    def base64(self) -> str:
        """The whole binary in Base64."""
        return base64.b64encode(self.wasm).decode("ascii")


def inspect(artifact: Artifact) -> Inspection:
    """Look into an artifact.

    Raises:
        LoadError: its bytes are damaged.

    Example:
        >>> from wasm_lab.artifact import CORE_PREAMBLE, Artifact
        >>> empty = Artifact(wasm=CORE_PREAMBLE, label="empty")
        >>> inspect(empty).imports
        ()
    """
    try:
        bare = wasm_tools(["strip", "--all"], artifact.wasm)  # names would hide indices
        outline = wasm_tools(["print", "--skeleton"], bare).decode("utf-8", "replace")
        sizes = wasm_tools(["objdump"], artifact.wasm).decode("utf-8", "replace")
        metadata = json.loads(wasm_tools(["metadata", "show", "--json"], artifact.wasm))
    except ToolError as error:
        raise LoadError(f"{artifact.label} cannot be read: {error}.") from None
    return Inspection(
        label=artifact.label,
        wasm=artifact.wasm,
        sha256=artifact.sha256,
        is_component=artifact.is_component,
        imports=_imports(outline),
        exports=_exports(outline),
        sections=_section_sizes(sizes),
        producers=_producers(metadata),
        target_features=_target_features(artifact.wasm),
    )


# The outline that wasm-tools prints -------------------------------------------------------
#
# One item stands on each line; what belongs to the outermost module or component is indented
# by two spaces.

_STRING = r'"((?:[^"\\]|\\.)*)"'
_CORE_IMPORT = re.compile(rf"^  \(import {_STRING} {_STRING} \((\w+) ?(.*)\)\)$", re.MULTILINE)
_COMPONENT_IMPORT = re.compile(rf"^  \(import {_STRING} \(([\w ]+?) ?(\(.*)?\)\)$", re.MULTILINE)
_EXPORT = re.compile(rf"^  \(export (?:\(;\d+;\) )?{_STRING} \(([\w ]+?) (\S+?)\).*\)$", re.MULTILINE)
_TYPE = re.compile(r"^  \(type \(;(\d+);\) \(func ?(.*)\)\)$", re.MULTILINE)
_DEFINED = re.compile(
    r"^  (?:\(import .* )?\((func|memory|table|global|tag) \(;(\d+);\) ?(.*?)\)+$", re.MULTILINE
)
_INDEX = re.compile(r"\(;\d+;\) ?")
_GLOBAL_TYPE = re.compile(r"(\(mut [^()]*(?:\([^()]*\))?\)|\(ref [^()]*\)|\w+)?")
_TYPE_USE = re.compile(r"\(type (\d+)")


def _imports(outline: str) -> tuple[Import, ...]:
    types = dict(_TYPE.findall(outline))
    core = [
        Import(_unquote(module), _unquote(name), kind, _type_text(kind, rest, types))
        for module, name, kind, rest in _CORE_IMPORT.findall(outline)
    ]
    component = [Import("", _unquote(name), kind, "") for name, kind, _ in _COMPONENT_IMPORT.findall(outline)]
    return (*core, *component)


def _exports(outline: str) -> tuple[Export, ...]:
    types = dict(_TYPE.findall(outline))
    defined = {(kind, index): rest for kind, index, rest in _DEFINED.findall(outline)}
    return tuple(
        Export(_unquote(name), kind, _type_text(kind, defined.get((kind, index), ""), types))
        for name, kind, index in _EXPORT.findall(outline)
    )


def _type_text(kind: str, rest: str, types: dict[str, str]) -> str:
    rest = _INDEX.sub("", rest)
    if kind not in ("func", "tag"):
        # The initial value of a global follows its type: (mut i32) i32.const 0
        return _GLOBAL_TYPE.match(rest)[0] if kind == "global" else rest  # type: ignore[index]
    use = _TYPE_USE.search(rest)
    if not use or use[1] not in types:
        return rest
    signature = types[use[1]]
    parameters = " ".join(re.findall(r"\(param ([^)]*)\)", signature)).split()
    results = " ".join(re.findall(r"\(result ([^)]*)\)", signature)).split()
    text = f"({', '.join(parameters)})"
    if not results:
        return text
    return f"{text} -> {results[0] if len(results) == 1 else '(' + ', '.join(results) + ')'}"


_SIMPLE_ESCAPES = {"t": "\t", "n": "\n", "r": "\r", '"': '"', "'": "'", "\\": "\\"}
_ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F]+)\}|([tnr\"'\\])|([0-9a-fA-F]{2}))")


def _unquote(text: str) -> str:
    """A string of the text format without its escapes (core specification 6.3.3)."""

    def plain(match: re.Match[str]) -> str:
        if match[1]:
            return chr(int(match[1], 16))
        return _SIMPLE_ESCAPES[match[2]] if match[2] else chr(int(match[3], 16))

    return _ESCAPE.sub(plain, text)


_SIZE_LINE = re.compile(r"^( *)(\S.*?) +\| .*\| +(\d+) bytes \| (\d+) count")


def _section_sizes(listing: str) -> tuple[SectionSize, ...]:
    found = []
    for line in listing.splitlines():
        match = _SIZE_LINE.match(line)
        if match:
            found.append(SectionSize(match[2], int(match[3]), int(match[4]), (len(match[1]) - 2) // 2))
    return tuple(found)


def _producers(metadata: dict[str, Any]) -> dict[str, dict[str, str]]:
    """The producers of a module, or of a component and all that is in it; the outermost wins.

    ``metadata`` is ``{"module": {…}}`` or ``{"component": {"metadata": {…}, "children": […]}}``.
    """
    found: dict[str, dict[str, str]] = {}
    for content in metadata.values():
        for child in content.get("children") or ():
            for kind, tools in _producers(child).items():
                found.setdefault(kind, {}).update(tools)
        own = content.get("metadata", content)
        for kind, tools in own.get("producers") or ():
            found.setdefault(kind, {}).update(tools)
    return found


def _target_features(wasm: bytes) -> tuple[str, ...]:
    """The custom section ``target_features`` (tool-conventions, Linking.md): a prefix and a name for each."""
    for section in sections(wasm):
        if section.name != "target_features":
            continue
        count, offset = leb128(wasm, section.body)
        features = []
        for _ in range(count):
            length, name = leb128(wasm, offset + 1)
            features.append(chr(wasm[offset]) + wasm[name : name + length].decode("utf-8", "replace"))
            offset = name + length
        return tuple(features)
    return ()
