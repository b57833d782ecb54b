"""Which of the host's objects implements which import, and whether it fits."""

from __future__ import annotations

import re
from collections.abc import Mapping as MappingType
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from wasm_lab.components.names import pascal, snake, version_of
from wasm_lab.components.nouns import Function, Interface, Resource, parts_of
from wasm_lab.errors import InterfaceError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from wasm_lab.components.component import Component
    from wasm_lab.components.nouns import Type, World

#: Packages of WASI 0.2 that the engine provides itself (wasmtime ``add_wasip2``).
NATIVE = tuple(f"wasi:{package}/" for package in ("cli", "clocks", "filesystem", "io", "random", "sockets"))


@dataclass(frozen=True, slots=True)
class Match:
    """One import, and what implements it."""

    item: Interface | Function
    provider: Any
    native: bool  #: the engine's own WASI

    @property
    def resources(self) -> tuple[Resource, ...]:
        return self.item.resources if isinstance(self.item, Interface) else ()


def match_imports(component: Component, imports: Mapping[str, Any]) -> list[Match]:
    """What implements each import.

    Raises:
        InterfaceError: something is missing or does not fit; all of it is listed.
        UnsupportedError: the component needs WASI 0.3.
    """
    world = component.world
    _refuse_newer(component)
    matches, problems = [], []
    of_world = _of_world(world)
    if of_world is not None:
        provider = SimpleNamespace(
            **{pascal(one.name): imports[one.name] for one in of_world.resources if one.name in imports}
        )
        problems += list(_misfits(of_world, provider, "the world"))
        matches.append(Match(of_world, provider, native=False))
    for name, item in world.imports.items():
        if isinstance(item, Function) and item.resource is not None and not item.resource.owner:
            continue
        if isinstance(item, Interface) and not item.functions and not item.resources:
            continue  # types only: nothing to call
        key = find_key(name, imports)
        if key is not None:
            provider = imports[key]
            if isinstance(provider, MappingType):
                provider = SimpleNamespace(**{snake(str(one)): value for one, value in provider.items()})
            problems += list(_misfits(item, provider, key))
            matches.append(Match(item, provider, native=False))
        elif name.startswith(NATIVE) and version_of(name)[1].startswith("0.2."):
            matches.append(Match(item, None, native=True))
        else:
            problems.append(_missing(name, item, imports))
    problems += list(_torn(matches))
    if problems:
        listed = "\n".join(f"- {problem}" for problem in problems)
        raise InterfaceError(
            f"{component.label} and its host do not fit:\n{listed}",
            hint="Each line names the interface, what the component expects, and what the host has.",
        )
    return matches


def _of_world(world: World) -> Interface | None:
    """The resources that the world itself imports, as an interface without a name."""
    types: dict[str, Type] = {
        name: kind for name, kind in world.types.items() if isinstance(kind, Resource) and not kind.owner
    }
    functions = {
        name: item
        for name, item in world.imports.items()
        if isinstance(item, Function) and item.resource is not None and not item.resource.owner
    }
    return Interface("", types, functions) if types else None


def find_key(name: str, imports: Mapping[str, Any]) -> str | None:
    """The key of the host's mapping that stands for an import.

    The same name comes first, then the name without a version, then the newest version that
    is compatible: with the same major version, or with the same minor version while major is 0
    (semantic versioning 2.0.0, and ``wasmtime`` links the same way).

    Example:
        >>> find_key("a:b/c@1.2.0", {"a:b/c@1.3.0": 1, "a:b/c@2.0.0": 2})
        'a:b/c@1.3.0'
        >>> find_key("a:b/c@0.2.0", {"a:b/c@0.3.0": 1}) is None
        True
    """
    base, version = version_of(name)
    for key in (name, base):
        if key in imports:
            return key
    track = compatible_track(version)
    if not track:
        return None
    found = [
        key for key in imports if version_of(key)[0] == base and compatible_track(version_of(key)[1]) == track
    ]
    return max(found, key=lambda key: _numbers(version_of(key)[1]), default=None)


def compatible_track(version: str) -> str:
    """Versions of one track replace each other; empty for one that only itself replaces.

    Example:
        >>> compatible_track("1.4.2"), compatible_track("0.2.6"), compatible_track("0.0.3")
        ('1', '0.2', '')
    """
    found = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)(\+.*)?", version)
    if not found:
        return ""
    if found[1] != "0":
        return found[1]
    return f"0.{found[2]}" if found[2] != "0" else ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])


def _refuse_newer(component: Component) -> None:
    world = component.world
    newer = [name for name in (*world.imports, *world.exports) if re.match(r"wasi:.*@0\.3\.", name)]
    waiting = [function for function in world.functions if function.is_async]
    if not newer and not waiting:
        return
    what = newer[0] if newer else f"the async function {waiting[0].label}"
    raise UnsupportedError(
        f"{component.label} is made for WASI 0.3: it has {what}. Components run here up to WASI 0.2.",
        hint="Build it for WASI 0.2. With Rust and Spin that is spin-sdk 5, #[http_component].",
    )


def _missing(name: str, item: Interface | Function, imports: Mapping[str, Any]) -> str:
    if isinstance(item, Function):
        return f"the component imports the function {item}, and the host has no {name!r}"
    base, version = version_of(name)
    others = [key for key in imports if version_of(key)[0] == base]
    if others:
        return (
            f"the component imports {name}, and the host has {', '.join(others)}, which is not compatible "
            f"with version {version}"
        )
    functions = ", ".join(function.name for function in item.functions.values())
    return (
        f"the component imports {name} ({functions or 'types only'}), and the host has nothing of that name"
    )


def _misfits(item: Interface | Function, provider: Any, key: str) -> Iterator[str]:
    """What of an interface the host's object lacks."""
    if isinstance(item, Function):
        if not callable(provider):
            yield f"{key}: expected a function for {item}, found {provider!r:.60}"
        else:
            yield from _wrong_count(item, provider, key)
        return
    for resource in item.resources:
        name = pascal(resource.name)
        found = getattr(provider, name, None)
        if not isinstance(found, type):
            shown = "nothing of that name" if found is None else f"{found!r:.60}"
            yield f"{item.name or 'the world'}: expected a class {name} for the resource {resource.name}, found {shown}"
    for function in item.functions.values():
        yield from _misfit(item, function, provider)


def _misfit(item: Interface, function: Function, provider: Any) -> Iterator[str]:
    where, name = provider, snake(function.name)
    if function.resource is not None:
        where = getattr(provider, pascal(function.resource.name), None)
        if not isinstance(where, type) or function.kind == "constructor":
            return
    found = getattr(where, name, None)
    if not callable(found):
        shown = "nothing of that name" if found is None else f"{found!r:.60}"
        owner = f"{where.__name__}." if isinstance(where, type) and function.resource else ""
        yield f"{item.name or 'the world'}: expected a function {owner}{name} for {function}, found {shown}"
        return
    yield from _wrong_count(function, found, f"{item.name}, {function.label}")


def _wrong_count(function: Function, found: Any, where: str) -> Iterator[str]:
    """A plain Python function tells how many parameters it has; other callables are believed."""
    plain = getattr(found, "__func__", found)
    code = getattr(plain, "__code__", None)
    if code is None or code.co_flags & 0x04 or hasattr(plain, "__wrapped__"):  # takes *args
        return
    bound = 1 if plain is not found else 0  # the object, or the class, is not passed by the guest
    expected = len(function.params)
    most = code.co_argcount - bound
    least = most - len(plain.__defaults__ or ())
    if not least <= expected <= most:
        given = f"{most}" if least == most else f"{least} to {most}"
        yield f"{where}: expected {expected} parameters ({function}), found a function of {given}"


def _torn(matches: list[Match]) -> Iterator[str]:
    """Native interfaces that use a resource which the host defines: the two would be different types."""
    owned = {resource: match.item for match in matches if not match.native for resource in match.resources}
    for match in matches:
        if not match.native:
            continue
        assert isinstance(match.item, Interface)
        for resource in sorted(_used(match.item) & owned.keys(), key=lambda one: one.name):
            yield (
                f"{match.item.name} uses {resource.name} of {resource.owner}, which the host defines itself: "
                f"expected the host's own {version_of(match.item.name)[0]} too, found none"
            )


def _used(item: Interface) -> set[Resource]:
    found: set[Resource] = set()
    pending: list[Type] = [kind for function in item.functions.values() for kind in function.types]
    while pending:
        kind = pending.pop()
        if isinstance(kind, Resource):
            found.add(kind)
        pending += parts_of(kind)
    return found
