"""The contract of a plugin: the interface, its version and its types, compared before anything runs.

A component tells by its own WIT what it exports and imports. The rule for versions is Cargo's: a host
of 1.4 takes plugins made for 1.0 to 1.4, not for 1.5 and not for 2.0; below 1.0 the minor version is
what has to be equal (semver.org, 2.0.0, items 4 and 8).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from wasm_lab.build.wasm_tools import ToolError, wasm_tools
from wasm_lab.components.wit import (
    EnumOf,
    FlagsOf,
    Function,
    Interface,
    ListOf,
    OptionOf,
    Record,
    ResultOf,
    TupleOf,
    Variant,
    read_package,
)
from wasm_lab.errors import PluginError, UsageError
from wasm_lab.scenarios.plugins.samples import wit_folder

if TYPE_CHECKING:
    from pathlib import Path

    from wasm_lab.components.wit import Type, World

#: Interfaces that every plugin may import; what they reach, its capabilities decide.
_WASI = re.compile(r"wasi:(cli|clocks|filesystem|io|random|sockets)/[a-z-]+@0\.2\.\d+")


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A version of an interface.

    Example:
        >>> Version.parse("1.4.0").takes(Version.parse("1.2.7"))
        True
        >>> Version.parse("0.2.0").takes(Version.parse("0.1.0"))
        False
    """

    major: int
    minor: int
    patch: int

    @classmethod
    def parse(cls, text: str) -> Version:
        """A version from ``1.2.3``; what follows a hyphen or plus sign is left out.

        Raises:
            ValueError: it is none.
        """
        found = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)([-+].*)?", text)
        if not found:
            raise ValueError(f"{text!r} is no version")
        return cls(int(found[1]), int(found[2]), int(found[3]))

    def takes(self, other: Version) -> bool:
        """Whether a host of this version can use a plugin of the other one."""
        if self.major != other.major:
            return False
        return self.minor == other.minor if self.major == 0 else other.minor <= self.minor

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


@dataclass(frozen=True)
class Contract:
    """What a host asks of its plugins.

    Args:
        wit: the folder or file of the WIT package.
        world: its world, whose one export is what plugins implement and whose imports they get.
        describe: the function without parameters that a plugin is asked first, when it is loaded.

    Example:
        >>> str(Contract().version)
        '1.0.0'
    """

    wit: Path = field(default_factory=wit_folder)
    world: str = "plugin"
    describe: str = "describe"

    @cached_property
    def _world(self) -> World:
        try:
            package = wasm_tools(["component", "wit", "--wasm", str(self.wit)], b"")
        except ToolError as error:
            raise UsageError(f"The contract {self.wit} cannot be read: {error}") from None
        worlds = {
            name.partition("@")[0].partition("/")[2]: world
            for name, world in read_package(package, self.wit.name).worlds.items()
        }
        world = worlds.get(self.world)
        if world is None:
            raise UsageError(
                f"{self.wit} has no world {self.world}.", hint=f"It has {', '.join(worlds) or 'none'}."
            )
        exports = tuple(world.exports)
        if len(exports) != 1 or not isinstance(world.exports[exports[0]], Interface) or "@" not in exports[0]:
            raise UsageError(
                f"The world {self.world} of {self.wit} exports {', '.join(exports) or 'nothing'}.",
                hint="A contract exports one interface of a package with a version.",
            )
        return world

    @property
    def export(self) -> str:
        """The whole name of the interface, such as ``wasm-lab:plugins/transform@1.0.0``."""
        return next(iter(self._world.exports))

    @property
    def interface(self) -> str:
        """Its name without the version."""
        return self.export.partition("@")[0]

    @property
    def version(self) -> Version:
        return Version.parse(self.export.partition("@")[2])

    def check(self, world: World, name: str) -> str:
        """Compare a plugin's world with the contract; gives the name under which it exports the interface.

        Args:
            world: what the plugin's file says of itself.
            name: what messages call it.

        Raises:
            PluginError: it does not fit; the message says in what, at the level of WIT.
        """
        export = self._own_export(world, name)
        self._check_functions(world.exports[export], export, name)
        ours = {each.partition("@")[0]: each for each in self._world.imports}
        for each in world.imports:
            known = ours.get(each.partition("@")[0])
            if (known and _version(known).takes(_version(each))) or _WASI.fullmatch(each):
                continue
            told = f"this host has it in version {known.partition('@')[2]}" if known else "this host has none"
            raise PluginError(
                f"{name} imports {each}, and {told}.",
                plugin=name,
                hint=f"Plugins may import {', '.join(self._world.imports)} and WASI 0.2 without HTTP.",
            )
        return export

    def _own_export(self, world: World, name: str) -> str:
        versions = [each for each in world.exports if each.partition("@")[0] == self.interface]
        for each in versions:
            if self.version.takes(_version(each)):
                return each
        if versions:
            theirs = versions[0].partition("@")[2] or "no version"
            raise PluginError(
                f"{name} is made for version {theirs} of {self.interface}; this host takes {self._taken()}.",
                plugin=name,
                hint=f"Build it against version {self.version}, or use a host of its version.",
            )
        exports = ", ".join(world.exports) or "nothing"
        raise PluginError(
            f"{name} is no plugin: it does not export {self.interface}, but {exports}.",
            plugin=name,
            hint=f"A plugin implements the world {self.world} of {self.wit.name}.",
        )

    def _taken(self) -> str:
        version = self.version
        if version.major == 0 or version.minor == 0:
            return str(version)
        return f"{version.major}.0.0 to {version}"

    def _check_functions(self, theirs: Interface | Function, export: str, name: str) -> None:
        ours = self._world.exports[self.export]
        assert isinstance(ours, Interface), "checked on reading"
        assert isinstance(theirs, Interface), "a function's name has no package"
        older = _version(export) < self.version
        for symbol, expected in ours.functions.items():
            found = theirs.functions.get(symbol)
            if found is None and older:
                continue
            if found is None:
                raise PluginError(
                    f"{name} exports {export} without {expected.name}, which is in it: {expected}.",
                    plugin=name,
                    hint="Build it again against the WIT of this host.",
                )
            if shape(found) != shape(expected):
                same = str(found) == str(expected)  # then a type of the same name is another one
                raise PluginError(
                    f"{name} exports {export}, and its {expected.name} has other types: expected "
                    f"{shape(expected) if same else expected}, found {shape(found) if same else found}.",
                    plugin=name,
                    hint="Build it again against the WIT of this host.",
                )


def shape(of: Function | Type | None) -> str:
    """A function or type with every named type written out: equal where the types are."""
    match of:
        case None:
            return "_"
        case Function():
            given = ", ".join(f"{name}: {shape(kind)}" for name, kind in of.params)
            return f"{of.symbol}: func({given}) -> {shape(of.result)}"
        case Record():
            return f"record {{{', '.join(f'{name}: {shape(kind)}' for name, kind in of.fields)}}}"
        case Variant():
            return f"variant {{{', '.join(f'{name}({shape(kind)})' for name, kind in of.cases)}}}"
        case EnumOf():
            return f"enum {{{', '.join(of.cases)}}}"
        case FlagsOf():
            return f"flags {{{', '.join(of.flags)}}}"
        case ListOf() | OptionOf():
            return f"{'list' if isinstance(of, ListOf) else 'option'}<{shape(of.item)}>"
        case TupleOf():
            return f"tuple<{', '.join(map(shape, of.items))}>"
        case ResultOf():
            return f"result<{shape(of.ok)}, {shape(of.err)}>"
        case _:
            return str(of)


def _version(interface: str) -> Version:
    try:
        return Version.parse(interface.partition("@")[2])
    except ValueError:
        return Version(-1, 0, 0)  # no host takes it
