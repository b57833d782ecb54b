"""Guests: a core module becomes a component, a component is used as it is."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field

from wasm_lab.artifact import COMPONENT_PREAMBLE, CORE_PREAMBLE
from wasm_lab.build.cache import default_cache
from wasm_lab.build.wasm_tools import ToolError, tools_version, wasm_tools
from wasm_lab.components.adapt import adapted
from wasm_lab.errors import LoadError

#: Counts how this module writes into the cache; another number makes what is there unknown.
LAYOUT = 3

#: What a component must export for each kind of trigger.
HANDLERS = {
    "http": re.compile(r"wasi:http/incoming-handler@0\.2\.\d+"),
    "redis": re.compile(r"fermyon:spin/inbound-redis(@.*)?"),
}

#: Handlers of other times, and who makes them.
STRANGERS = (
    (re.compile(r"wasi:http/handler@0\.3|spin:redis/inbound-redis"), "new"),
    (re.compile(r"wasi:http/incoming-handler@0\.2\.0-rc|fermyon:spin/inbound-http"), "old"),
)

RUNS_HERE = "Hosted here: components for WASI 0.2, such as spin-sdk 3, 4 and 5 make them (tested with 5.2)."


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """A component, and what it takes and gives."""

    label: str
    wasm: bytes = field(repr=False)
    imports: tuple[str, ...]  #: names of interfaces and functions, with versions
    exports: tuple[str, ...]
    adapted: bool  #: made of a core module by the adapter

    def handler(self, kind: str) -> str:
        """The export that a trigger of this kind calls (``http`` or ``redis``).

        Raises:
            LoadError: there is none; says which SDK made the guest, and how to go on.
        """
        wanted = HANDLERS[kind]
        found = [name for name in self.exports if wanted.fullmatch(name)]
        if len(found) == 1:
            return found[0]
        raise self._refusal(kind)

    def _refusal(self, kind: str) -> LoadError:
        for pattern, age in STRANGERS:
            name = next((name for name in self.exports if pattern.match(name)), None)
            if name and age == "new":
                return LoadError(
                    f"{self.label} exports {name}: it is a guest for WASI 0.3, as spin-sdk 6 and 7 make them. Its "
                    "functions are asynchronous, and the engine in this host (wasmtime from Python) cannot "
                    "call such functions yet.",
                    hint=f'{RUNS_HERE}\nTo go on: build it with spin-sdk = "5.2" '
                    "(#[http_component] instead of #[http_service]); or run it with Spin itself, version 4 or "
                    "later: wasm-lab spin up --engine spin; or, when it uses no Spin service, with "
                    "`wasmtime serve` 49 or later.",
                )
            if name:
                return LoadError(
                    f"{self.label} exports {name}, which is older than WASI 0.2: spin-sdk 1 or 2 made it.",
                    hint=f"{RUNS_HERE}\nTo go on: build it with a newer SDK, or run it with Spin itself: "
                    "wasm-lab spin up --engine spin.",
                )
        other = next(
            (k for k, p in HANDLERS.items() if any(p.fullmatch(name) for name in self.exports)), None
        )
        gives = ", ".join(self.exports) or "nothing"
        if other:
            return LoadError(
                f"{self.label} answers {other} triggers, and a trigger of kind {kind} names it.",
                hint=f"Write [[trigger.{other}]] for it.",
            )
        if any(name.startswith("wasi:cli/run@") for name in self.exports):
            return LoadError(
                f"{self.label} is a program with a main function, and answers no trigger of kind {kind}.",
                hint='A component for Spin is a library: crate-type = ["cdylib"] and #[http_component].',
            )
        return LoadError(
            f"{self.label} exports {gives}, and a trigger of kind {kind} calls {_spelled(kind)}.",
            hint='Build it with spin-sdk = "5.2" as a library: crate-type = ["cdylib"] and '
            f"#[{kind}_component].",
        )


def _spelled(kind: str) -> str:
    return {"http": "wasi:http/incoming-handler@0.2", "redis": "fermyon:spin/inbound-redis"}[kind]


def componentize(wasm: bytes, label: str = "The guest") -> Guest:
    """Make a component of a core module, or look into one; cached by content.

    Args:
        wasm: a module as spin-sdk makes it for the target wasm32-wasip1, or a component.
        label: names it in messages.

    Raises:
        LoadError: it is neither, or no component can be made of it.

    Example:
        >>> from wasm_lab.build.wasm_tools import assemble
        >>> componentize(assemble("(component)")).exports
        ()
    """
    if not wasm.startswith((CORE_PREAMBLE, COMPONENT_PREAMBLE)):
        raise LoadError(
            f"{label} is no WebAssembly file: it does not begin with \\0asm.",
            hint="Build it again; a file of a few lines may be a pointer of Git LFS.",
        )
    component = adapted(wasm, label)
    key = hashlib.sha256(component + f" {LAYOUT} {tools_version()}".encode()).hexdigest()
    cache = default_cache()
    known = cache.get("interfaces", key)
    if known is None:
        names = _interfaces(component, label)
        cache.put("interfaces", key, json.dumps(names).encode())
    else:
        names = json.loads(known)
    return Guest(
        label=label,
        wasm=component,
        imports=tuple(names["import"]),
        exports=tuple(names["export"]),
        adapted=component is not wasm,
    )


def _interfaces(component: bytes, label: str) -> dict[str, list[str]]:
    try:
        text = wasm_tools(["component", "wit"], component).decode("utf-8", "replace")
    except ToolError as error:
        raise LoadError(f"{label} is damaged: {error}.", hint="Build it again.") from None
    names: dict[str, list[str]] = {"import": [], "export": []}
    world = re.search(r"^world \S+ \{\n(.*?)^\}", text, re.DOTALL | re.MULTILINE)
    for direction, name in re.findall(
        r"^  (import|export) ([^\s;]+?)(?:;|: )", world[1] if world else "", re.MULTILINE
    ):
        names[direction].append(name.replace("%", ""))  # % marks names that are words of WIT
    return names
