"""Components put together: what one imports, another exports; the rest stays for the host.

Who is wired to whom is decided here, by the same rules of versions as in `matching`, and can be looked
at as a graph. Making the new component is left to ``wac`` where it is on PATH, else to ``wasm-tools
compose``, which its makers call deprecated and which gives the same result for these plans.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.artifact import Artifact, Template
from wasm_lab.build.wasm_tools import ToolError, wasm_tools
from wasm_lab.components.component import Component
from wasm_lab.components.matching import find_key
from wasm_lab.components.wit import Interface
from wasm_lab.errors import InterfaceError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wasm_lab.components.instance import ComponentInstance

#: The node of a graph that stands for whoever runs the composed component.
HOST = "host"


@dataclass(frozen=True, slots=True)
class Wire:
    """One import and what fulfils it."""

    importer: str  #: label of the component that imports
    imported: str  #: the interface as it names it
    provider: str  #: label of the component that exports it, or `HOST`
    exported: str  #: the interface as that one names it


@dataclass(frozen=True, slots=True)
class Composition:
    """A composed component and how it was put together.

    Prints as a list of wires; in a notebook it is drawn.
    """

    component: Component
    parts: tuple[str, ...]  #: labels, the socket first
    exports: tuple[str, ...]
    wires: tuple[Wire, ...]
    tool: str  #: what made it
    sizes: dict[str, int] = field(repr=False)  #: of each part, in bytes

    def __str__(self) -> str:
        lines = [f"{self.parts[0]} exports {', '.join(self.exports) or 'nothing'}"]
        for wire in self.wires:
            as_named = "" if wire.exported == wire.imported else f" (as {wire.exported})"
            lines.append(f"{wire.importer} takes {wire.imported} from {wire.provider}{as_named}")
        return "\n".join(lines)


def compose(
    socket: Component | ComponentInstance, *plugs: Component | ComponentInstance, label: str = ""
) -> Composition:
    """Fulfil what ``socket`` imports with what ``plugs`` export, and what these import with one another.

    Each plug becomes one instance, shared by all that use it. The result exports what the socket exports.

    Args:
        socket: the component whose imports are to be fulfilled; an instance stands for its component.
        plugs: components, in any language; the first that fits an import is taken.
        label: what messages call the result.

    Raises:
        UsageError: a plug fits nothing, plugs import one another in a circle, or two have the same label.
        InterfaceError: an export has the name that is wanted and not its types.
    """
    parts = tuple(_component_of(part) for part in (socket, *plugs))
    socket = parts[0]
    labels = [part.label for part in parts]
    if len(set(labels)) != len(labels):
        raise UsageError(
            f"Two of {', '.join(labels)} have the same label.",
            hint="Load them with label=... to tell them apart.",
        )
    wires = _wires(parts)
    used = {wire.provider for wire in wires}
    idle = [plug for plug in parts[1:] if plug.label not in used]
    if idle:
        wanted = ", ".join(w.imported for w in wires if w.provider == HOST) or "nothing more"
        gives = ", ".join(idle[0].world.exports) or "nothing"
        raise UsageError(
            f"{idle[0].label} fits nothing: it exports {gives}, and what is still wanted is {wanted}.",
            hint="Names must be equal, and versions compatible: docs/components.md.",
        )
    misfits = list(_misfits(parts, wires))
    if misfits:
        raise InterfaceError("\n- ".join([f"{', '.join(labels)} do not fit:", *misfits]))
    order = _order(labels, wires)
    wac = shutil.which("wac")
    make = _by_wac if wac else _by_wasm_tools
    try:
        wasm = make(parts, order, wires)
    except ToolError as error:
        raise InterfaceError(f"{', '.join(labels)} cannot be composed: {_last(str(error))}.") from None
    template = composed_template(wasm, [part.artifact.template for part in parts])
    made = Component.load(Artifact(wasm=wasm, label=label or "+".join(labels), template=template))
    return Composition(
        component=made,
        parts=tuple(labels),
        exports=tuple(socket.world.exports),
        wires=wires,
        tool="wac" if wac else "wasm-tools compose",
        sizes={part.label: part.artifact.size_bytes for part in parts},
    )


def composed_template(wasm: bytes, templates: Sequence[Template | None]) -> Template | None:
    """What the composition was made from, where one of its parts has a text written into it.

    Then its machine code serves the composition with an edited text as well.
    """
    known = [each for each in templates if each is not None]
    if len(known) != 1 or known[0].filled not in wasm:
        return None
    blank = wasm.replace(known[0].filled, known[0].blank)
    return Template(hashlib.sha256(blank).hexdigest(), known[0].blank, known[0].filled)


def _component_of(part: Component | ComponentInstance) -> Component:
    return part if isinstance(part, Component) else part._prepared.component


def _wires(parts: Sequence[Component]) -> tuple[Wire, ...]:
    wires = []
    for part in parts:
        for name, item in part.world.imports.items():
            if not isinstance(item, Interface) or not item.functions:
                continue  # functions of a world, and interfaces of types alone, are nobody's to give
            provider, exported = HOST, name
            for other in parts[1:]:
                found = None if other is part else find_key(name, other.world.exports)
                if found is not None:
                    provider, exported = other.label, found
                    break
            wires.append(Wire(part.label, name, provider, exported))
    return tuple(wires)


def _misfits(parts: Sequence[Component], wires: Sequence[Wire]) -> Iterator[str]:
    """What the two ends of a wire disagree on, function by function."""
    by_label = {part.label: part for part in parts}
    for wire in wires:
        if wire.provider == HOST:
            continue
        wanted, given = (
            by_label[wire.importer].world.imports[wire.imported],
            by_label[wire.provider].world.exports[wire.exported],
        )
        if not isinstance(wanted, Interface) or not isinstance(given, Interface):
            continue
        for symbol, function in wanted.functions.items():
            other = given.functions.get(symbol)
            if other is None:
                yield f"{wire.importer} imports {function} of {wire.imported}, and {wire.provider} has no such function"
            elif str(other) != str(function):
                yield f"{wire.importer} imports {function} of {wire.imported}, and {wire.provider} has {other}"


def _order(labels: Sequence[str], wires: Sequence[Wire]) -> list[str]:
    """Providers before their users."""
    needs = {label: {w.provider for w in wires if w.importer == label} - {HOST} for label in labels}
    order: list[str] = []
    while len(order) < len(labels):
        ready = [label for label in labels if label not in order and needs[label] <= set(order)]
        if not ready:
            circle = ", ".join(label for label in labels if label not in order)
            raise UsageError(
                f"{circle} import one another in a circle.", hint="Components form a tree: break the circle."
            )
        order += ready
    return order


def _by_wasm_tools(parts: Sequence[Component], order: Sequence[str], wires: Sequence[Wire]) -> bytes:
    names = {part.label: f"part{number}" for number, part in enumerate(parts)}
    names[parts[0].label] = "root"
    plan = {
        "dependencies": {names[part.label]: f"{names[part.label]}.wasm" for part in parts[1:]},
        "instantiations": {
            names[label]: {
                "arguments": {
                    w.imported: {"instance": names[w.provider], "export": w.exported}
                    for w in wires
                    if w.importer == label and w.provider != HOST
                }
            }
            for label in order
        },
    }
    with tempfile.TemporaryDirectory(prefix="wasm-lab-") as temporary:
        folder = _written(Path(temporary), parts, names)
        (folder / "plan.yml").write_text(json.dumps(plan), encoding="utf-8")  # JSON is YAML
        words = ["compose", "--quiet", "--config", str(folder / "plan.yml"), str(folder / "root.wasm")]
        return wasm_tools(words, b"")


def wac_script(parts: Sequence[Component], order: Sequence[str], wires: Sequence[Wire]) -> str:
    """The composition in wac's own language (github.com/bytecodealliance/wac, LANGUAGE.md)."""
    names = {part.label: f"part{number}" for number, part in enumerate(parts)}
    lines = ["package lab:composed;"]
    for label in order:
        given = [
            f'"{w.imported}": {names[w.provider]}["{w.exported}"]'
            for w in wires
            if w.importer == label and w.provider != HOST
        ]
        lines.append(f"let {names[label]} = new lab:{names[label]} {{ {', '.join([*given, '...'])} }};")
    lines.append(f"export {names[parts[0].label]}...;")
    return "\n".join(lines) + "\n"


def _by_wac(parts: Sequence[Component], order: Sequence[str], wires: Sequence[Wire]) -> bytes:
    names = {part.label: f"part{number}" for number, part in enumerate(parts)}
    with tempfile.TemporaryDirectory(prefix="wasm-lab-") as temporary:
        folder = _written(Path(temporary), parts, names)
        script = folder / "composed.wac"
        script.write_text(wac_script(parts, order, wires), encoding="utf-8")
        made = folder / "composed.wasm"
        words = ["wac", "compose", str(script), "-o", str(made)]
        for name in names.values():
            words += ["--dep", f"lab:{name}={folder / f'{name}.wasm'}"]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ToolError(done.stderr)
        return made.read_bytes()


def _written(folder: Path, parts: Sequence[Component], names: dict[str, str]) -> Path:
    for part in parts:
        (folder / f"{names[part.label]}.wasm").write_bytes(part.artifact.wasm)
    return folder


def _last(said: str) -> str:
    """The innermost cause of a tool's message."""
    lines = [re.sub(r"^\s*(\d+: |error: |[×│╰─▶]+ ?)*", "", line).strip() for line in said.splitlines()]
    return next((line for line in reversed(lines) if line), "the tool does not say why").rstrip(".")
