"""The model of WIT: names, types, functions; other people's packages; what is kept in the cache."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.components.guests import passing_on

import wasm_lab
from wasm_lab.build.cache import Cache
from wasm_lab.components import Component, wit
from wasm_lab.components.codecs import Codecs
from wasm_lab.components.pytypes import PythonTypes
from wasm_lab.components.resources import HandleCodecs
from wasm_lab.errors import LoadError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

TEXT = """
package ex:shop@1.2.3;

interface types {
  record item { name: string, price: option<f64> }
  variant state { new, sold(item) }
  enum size { small, large }
  flags rights { read, write }
  type items = list<item>;
  resource basket {
    constructor(limit: u32);
    add: func(one: item) -> result<u32, state>;
    empty: static func() -> basket;
  }
  all: func() -> items;
  outcome: func(a: result, b: result<u8>, c: result<_, u8>, d: tuple<u8, char>);
}
interface other { use types.{basket, item as thing}; take: func(b: basket, c: borrow<basket>, d: thing); }
world shop { import types; export other; import log: func(line: string); export run: async func(); }
"""


@pytest.fixture(scope="module")
def package() -> wit.Package:
    return wit.read_package(TEXT.encode(), "shop.wit")


def test_interfaces_and_worlds_have_full_names(package: wit.Package) -> None:
    assert list(package.interfaces) == ["ex:shop/types@1.2.3", "ex:shop/other@1.2.3"]
    world = package.worlds["ex:shop/shop@1.2.3"]
    assert list(world.imports) == ["ex:shop/types@1.2.3", "log"]
    assert list(world.exports) == ["run", "ex:shop/other@1.2.3"]
    assert "interface types" in str(world)


def test_functions_print_as_wit(package: wit.Package) -> None:
    types = package.interfaces["ex:shop/types@1.2.3"]
    assert [str(one) for one in types.functions.values()] == [
        "constructor(limit: u32)",
        "add: func(one: item) -> result<u32, state>",
        "empty: static func() -> basket",
        "all: func() -> list<item>",
        "outcome: func(a: result, b: result<u8>, c: result<_, u8>, d: tuple<u8, char>)",
    ]
    labels = [one.label for one in types.functions.values()]
    assert labels == ["basket.constructor", "basket.add", "basket.empty", "types.all", "types.outcome"]
    other = package.interfaces["ex:shop/other@1.2.3"].functions["take"]
    assert str(other) == "take: func(b: basket, c: borrow<basket>, d: item)"
    run = package.worlds["ex:shop/shop@1.2.3"].exports["run"]
    assert isinstance(run, wit.Function)
    assert run.is_async


def test_a_type_is_one_object_wherever_it_is_used(package: wit.Package) -> None:
    types, other = package.interfaces["ex:shop/types@1.2.3"], package.interfaces["ex:shop/other@1.2.3"]
    assert other.types["thing"] is types.types["item"]
    assert other.types["basket"] is types.types["basket"]
    assert types.resources == (types.types["basket"],)
    assert other.resources == ()


def test_what_is_wrong_is_told_as_the_parser_tells_it() -> None:
    with pytest.raises(LoadError, match=r"The WIT of shop\.wit cannot be read: .*nothing"):
        wit.read_package(b"package a:b; interface c { f: func() -> nothing; }", "shop.wit")


def test_nothing_is_parsed_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the cache, no other program runs: that is most of a cold start."""
    monkeypatch.setattr(wit, "default_cache", lambda: Cache(tmp_path))
    wasm = passing_on("", "f: func() -> u8;")
    first = Component.load(wasm)

    def refuse(*_arguments: object) -> bytes:
        raise AssertionError("wasm-tools was called")

    monkeypatch.setattr(wit, "wasm_tools", refuse)
    second = Component.load(wasm)
    assert str(second.world) == str(first.world)
    assert list(second.world.exports) == list(first.world.exports)
    with pytest.raises(AssertionError):
        wit.read_package(b"package a:b;", "another")


def test_importing_the_room_brings_no_engine() -> None:
    import subprocess

    code = "import wasm_lab.components, sys; assert 'wasmtime' not in sys.modules; from wasm_lab.components import Component, Err, Ok, Some; assert 'wasmtime' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


# Other people's packages -----------------------------------------------------------------


def every_type(interfaces: Iterable[wit.Interface]) -> Iterator[wit.Type]:
    for interface in interfaces:
        yield from interface.types.values()
        for function in interface.functions.values():
            yield from function.types


def check_every_type(interfaces: Iterable[wit.Interface]) -> int:
    """Every type has a codec and a class; how many there are."""
    types, found = PythonTypes(), 0
    codecs = Codecs(types, HandleCodecs((), ()))
    for kind in every_type(interfaces):
        if isinstance(kind, wit.Resource):
            continue
        codecs.of(kind)
        found += 1
        if isinstance(kind, (wit.Record, wit.Variant, wit.EnumOf, wit.FlagsOf)):
            assert types.of(kind) is types.of(kind)
        if isinstance(kind, wit.Variant):
            cases = [getattr(types.of(kind), name) for name in dir(types.of(kind)) if name[0].isupper()]
            assert {case.case for case in cases} == {name for name, _ in kind.cases}
    return found


def test_the_plugins_package_maps() -> None:
    for path in sorted(Path(__file__).parents[2].glob("wasm_samples/**/*.wit")):
        package = wit.read_package(path.read_bytes(), path.name)
        assert check_every_type(package.interfaces.values()) or package.worlds


@pytest.mark.slow
def test_what_rust_imports_of_wasi_maps() -> None:
    """cli, clocks, filesystem, io and random of WASI 0.2, as Rust's standard library imports them."""
    code = """
        fn main() {
            let map = std::collections::HashMap::from([(1, std::time::Instant::now())]);
            println!("{:?} {:?} {:?}", map, std::time::SystemTime::now(), std::fs::read_dir("."));
        }
    """
    component = Component.load(wasm_lab.compile(code, target="wasm32-wasip2"))
    interfaces = [item for item in component.world.imports.values() if isinstance(item, wit.Interface)]
    packages = {item.name.partition("/")[0] for item in interfaces}
    assert packages >= {"wasi:cli", "wasi:clocks", "wasi:filesystem", "wasi:io", "wasi:random"}
    assert check_every_type(interfaces) > 40


@pytest.mark.parametrize("kind", ["stream<u8>", "future<u8>", "error-context"])
def test_types_of_the_next_wasi_are_refused(kind: str) -> None:
    package = wit.read_package(f"package a:b; interface c {{ f: func(a: {kind}); }}".encode(), "next")
    (param,) = package.interfaces["a:b/c"].functions["f"].params
    with pytest.raises(UnsupportedError, match=r"belongs to WASI 0\.3"):
        Codecs(PythonTypes(), HandleCodecs((), ())).of(param[1])
