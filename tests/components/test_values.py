"""Every kind of value, from Python through a guest to Python and back."""

from __future__ import annotations

import dataclasses
import enum
import math
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.components.guests import passing_on

from wasm_lab.components import Component, ComponentInstance, Err, Ok, Some, wit

if TYPE_CHECKING:
    from collections.abc import Iterator

TYPES = """
record point { x: s32, y: s32 }
record person { name: string, tags: list<string>, at: option<point> }
record one-word { %from: u8 }
variant shape { circle(f64), square(point), %none }
enum color { red, dark-blue }
flags perms { read, write-all }
flags many { f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17 }
type alias = option<u8>;
"""

KINDS = {
    "bool": "bool",
    "s8": "s8",
    "u8": "u8",
    "s16": "s16",
    "u16": "u16",
    "s32": "s32",
    "u32": "u32",
    "s64": "s64",
    "u64": "u64",
    "f32": "f32",
    "f64": "f64",
    "char": "char",
    "string": "string",
    "bytes": "list<u8>",
    "bools": "list<bool>",
    "s8s": "list<s8>",
    "u16s": "list<u16>",
    "s64s": "list<s64>",
    "f32s": "list<f32>",
    "f64s": "list<f64>",
    "strings": "list<string>",
    "points": "list<point>",
    "point": "point",
    "person": "person",
    "one": "one-word",
    "shape": "shape",
    "color": "color",
    "perms": "perms",
    "many": "many",
    "pair": "tuple<u8, string>",
    "maybe": "option<u32>",
    "maybes": "option<option<u32>>",
    "deep": "option<option<option<string>>>",
    "aliased": "option<alias>",
    "outcome": "list<result<u32, string>>",
    "blank": "list<result>",
    "half": "list<result<_, color>>",
}

ECHOES = "\n".join(f"e-{name}: func(a: {kind}) -> {kind};" for name, kind in KINDS.items())
OTHERS = """
fallible: func(a: result<u32, color>) -> result<u32, color>;
nothing: func();
seventeen: func(a: u8, b: u16, c: u32, d: u64, e: s8, f: s16, g: s32, h: s64, i: f32, j: f64, k: char,
  l: bool, m: string, n: list<u8>, o: point) -> u64;
"""


class Host:
    """Gives back what it gets."""

    def __init__(self) -> None:
        self.seen: tuple[Any, ...] = ()
        for name in KINDS:
            setattr(self, f"e_{name}", self._echo)

    def _echo(self, value: Any) -> Any:
        self.seen = (value,)
        return value

    def fallible(self, value: Ok | Err) -> Any:
        if isinstance(value, Err):
            raise value
        return value.value

    def nothing(self) -> None:
        self.seen = ()

    def seventeen(self, *values: Any) -> int:
        self.seen = values
        return 2**64 - 1


@pytest.fixture(scope="module")
def host() -> Host:
    return Host()


@pytest.fixture(scope="module")
def instance(host: Host) -> Iterator[ComponentInstance]:
    component = Component.load(passing_on(TYPES, ECHOES + OTHERS))
    with component.instantiate({"t:t/host": host}) as made:
        yield made


def echo(instance: ComponentInstance, name: str, value: Any) -> Any:
    return getattr(instance.guest, f"e_{name}")(value)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("bool", [True, False]),
        ("s8", [-128, 127]),
        ("u8", [0, 255]),
        ("s16", [-(2**15), 2**15 - 1]),
        ("u16", [0, 2**16 - 1]),
        ("s32", [-(2**31), 2**31 - 1]),
        ("u32", [0, 2**32 - 1]),
        ("s64", [-(2**63), 2**63 - 1]),
        ("u64", [0, 2**64 - 1]),
        ("f32", [0.5, -math.inf]),
        ("f64", [0.1, math.inf, -0.0]),
        ("char", ["a", "\0", "\U0010ffff", "é"]),
        ("string", ["", "a", "zwölf 🦀", "a\0b", "x" * 100_000]),
        ("bytes", [b"", b"\0\xff", bytes(range(256)) * 40]),
        ("bools", [[], [True, False]]),
        ("s8s", [[], [-1, 1]]),
        ("u16s", [[1, 65535]]),
        ("s64s", [[-(2**63)]]),
        ("f32s", [[0.5, math.inf]]),
        ("f64s", [[0.1, 2.0]]),
        ("strings", [[], ["", "b"]]),
        ("pair", [(1, "a")]),
        ("maybe", [None, 0, 7]),
        ("maybes", [None, Some(None), Some(3)]),
        ("deep", [None, Some(None), Some(Some(None)), Some(Some("x"))]),
        ("aliased", [None, Some(None), Some(5)]),
        ("outcome", [[Ok(1), Err("bad")]]),
        ("blank", [[Ok(), Err()]]),
    ],
)
def test_plain_values(instance: ComponentInstance, host: Host, name: str, values: list[Any]) -> None:
    for value in values:
        back = echo(instance, name, value)
        assert back == value
        assert type(back) is type(value)
        assert host.seen == (value,)


def test_the_sign_of_zero_and_nan(instance: ComponentInstance) -> None:
    assert math.copysign(1, echo(instance, "f64", -0.0)) == -1
    assert math.isnan(echo(instance, "f64", math.nan))
    assert math.isnan(echo(instance, "f32", math.nan))


def test_records_are_frozen_dataclasses(instance: ComponentInstance) -> None:
    guest = instance.guest
    point = guest.Point(x=1, y=-2)
    assert dataclasses.is_dataclass(point)
    assert echo(instance, "point", point) == point
    assert echo(instance, "point", {"x": 1, "y": -2}) == point
    person = guest.Person("Ada", ["a", "b"], point)
    assert echo(instance, "person", person) == person
    assert echo(instance, "person", {"name": "Ada", "tags": ("a", "b"), "at": {"x": 1, "y": -2}}) == person
    assert echo(instance, "points", [point, point]) == [point, point]
    assert echo(instance, "one", guest.OneWord(from_=3)).from_ == 3
    with pytest.raises(dataclasses.FrozenInstanceError):
        point.x = 2


def test_any_object_with_the_fields_is_a_record(instance: ComponentInstance) -> None:
    @dataclasses.dataclass
    class Mine:
        x: int
        y: int

    assert echo(instance, "point", Mine(3, 4)) == instance.guest.Point(3, 4)


def test_variants_match(instance: ComponentInstance) -> None:
    shape = instance.guest.Shape
    point = instance.guest.Point(1, 2)
    for value in (shape.Circle(1.5), shape.Square(point), shape.None_()):
        back = echo(instance, "shape", value)
        assert back == value
        assert type(back) is type(value)
        assert isinstance(back, shape)
    match echo(instance, "shape", shape.Circle(2.0)):
        case shape.Circle(radius):
            assert radius == 2.0
        case _:
            pytest.fail("no circle")
    assert shape.Circle.case == "circle"
    assert shape.Circle(1.0) != shape.Circle(2.0)
    assert repr(shape.Circle(1.0)) == "Shape.Circle(value=1.0)"
    with pytest.raises(AttributeError, match="its cases are Circle, Square, None_"):
        shape.Triangle  # noqa: B018


def test_other_forms_of_a_variant(instance: ComponentInstance) -> None:
    class Circle:
        def __init__(self, value: float) -> None:
            self.value = value

    shape = instance.guest.Shape
    assert echo(instance, "shape", ("circle", 1.0)) == shape.Circle(1.0)
    assert echo(instance, "shape", "none") == shape.None_()
    assert echo(instance, "shape", Circle(2.0)) == shape.Circle(2.0)


def test_enums_and_flags(instance: ComponentInstance) -> None:
    guest = instance.guest
    assert issubclass(guest.Color, enum.Enum)
    for value in (guest.Color.DARK_BLUE, "dark-blue", "dark_blue", "DARK_BLUE"):
        assert echo(instance, "color", value) is guest.Color.DARK_BLUE
    assert issubclass(guest.Perms, enum.Flag)
    both = guest.Perms.READ | guest.Perms.WRITE_ALL
    for value in (both, ["read", "write-all"], {"READ", "write_all"}):
        assert echo(instance, "perms", value) == both
    assert echo(instance, "perms", guest.Perms(0)) == guest.Perms(0)
    every = guest.Many((1 << 18) - 1)
    assert echo(instance, "many", every) == every
    assert echo(instance, "half", [Ok(), Err("red")]) == [Ok(), Err(guest.Color.RED)]


def test_a_result_of_a_function_is_returned_or_raised(instance: ComponentInstance) -> None:
    assert instance.guest.fallible(Ok(5)) == 5
    with pytest.raises(Err) as caught:
        instance.guest.fallible(Err("red"))
    assert caught.value.value is instance.guest.Color.RED
    assert instance.guest.fallible(Ok(6)) == 6  # an error is no trap


def test_more_parameters_than_are_passed_flat(instance: ComponentInstance, host: Host) -> None:
    values = (1, 2, 3, 4, -1, -2, -3, -4, 0.5, 0.25, "c", True, "s", b"n", {"x": 1, "y": 2})
    assert instance.guest.seventeen(*values) == 2**64 - 1
    assert host.seen == (*values[:-1], instance.guest.Point(1, 2))


def test_bytes_of_all_sorts(instance: ComponentInstance) -> None:
    for value in (b"ab", bytearray(b"ab"), memoryview(b"ab"), [97, 98], (97, 98)):
        assert echo(instance, "bytes", value) == b"ab"


def test_names_and_documentation(instance: ComponentInstance) -> None:
    assert "seventeen" in dir(instance.guest)
    assert instance.guest.nothing.__doc__ == "nothing: func()"
    assert instance["t:t/guest"].nothing() is None
    assert instance.guest.e_pair(a=(1, "x")) == (1, "x")
    with pytest.raises(AttributeError, match="exports no 'nothin'"):
        instance.guest.nothin  # noqa: B018


# Random types ----------------------------------------------------------------------------


@st.composite
def type_texts(draw: st.DrawFn, declared: list[str], depth: int = 3) -> str:
    """A type in WIT; named types are added to ``declared``."""
    if depth == 0 or draw(st.integers(0, 2)) == 0:
        return draw(st.sampled_from([*wit._PRIMITIVES, "list<u8>"]))
    inner = type_texts(declared, depth - 1)
    kind = draw(
        st.sampled_from(["list", "tuple", "option", "result", "record", "variant", "enum", "flags", "option"])
    )
    if kind in {"list", "option"}:
        return f"{kind}<{draw(inner)}>"
    if kind == "tuple":
        return f"tuple<{', '.join(draw(st.lists(inner, min_size=1, max_size=4)))}>"
    if kind == "result":
        ok, err = draw(inner), draw(inner)
        return draw(st.sampled_from([f"result<{ok}, {err}>", f"result<_, {err}>", f"result<{ok}>", "result"]))
    count = draw(st.integers(1, 5))
    if kind == "record":
        body = ", ".join(f"f{number}: {draw(inner)}" for number in range(count))
    elif kind == "variant":
        body = ", ".join(
            f"c{number}({draw(inner)})" if draw(st.booleans()) else f"c{number}" for number in range(count)
        )
    else:
        body = ", ".join(f"n{number}" for number in range(count))
    name = f"t{len(declared)}"
    declared.append(f"{kind} {name} {{ {body} }}")
    return name


@st.composite
def worlds(draw: st.DrawFn) -> tuple[str, list[str]]:
    declared: list[str] = []
    kinds = [draw(type_texts(declared)) for _ in range(8)]
    return "\n".join(declared), kinds


_INTEGERS = {
    f"{sign}{bits}": (0, 2**bits - 1) if sign == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    for sign in "su"
    for bits in (8, 16, 32, 64)
}


def values(kind: wit.Type, component: Component) -> st.SearchStrategy[Any]:
    """Values of a type in the form that lifting gives."""
    text = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
    match kind:
        case wit.Primitive("bool"):
            return st.booleans()
        case wit.Primitive("f32" | "f64"):
            return st.floats(width=int(kind.name[1:]), allow_nan=False)
        case wit.Primitive("char"):
            return st.characters(exclude_categories=["Cs"])
        case wit.Primitive("string"):
            return text
        case wit.Primitive():
            return st.integers(*_INTEGERS[kind.name])
        case wit.ListOf(wit.Primitive("u8")):
            return st.binary(max_size=6)
        case wit.ListOf():
            return st.lists(values(kind.item, component), max_size=4)
        case wit.TupleOf():
            return st.tuples(*(values(item, component) for item in kind.items))
        case wit.OptionOf():
            inner = values(kind.item, component)
            return st.none() | (inner.map(Some) if isinstance(kind.item, wit.OptionOf) else inner)
        case wit.ResultOf():
            ok = st.none() if kind.ok is None else values(kind.ok, component)
            err = st.none() if kind.err is None else values(kind.err, component)
            return ok.map(Ok) | err.map(Err)
        case wit.Record():
            made = component.types.of(kind)
            return st.builds(made, *(values(part, component) for _, part in kind.fields))
        case wit.Variant():
            made = component.types.of(kind)
            return st.one_of(
                *(
                    st.builds(
                        getattr(made, name.upper()), *([] if part is None else [values(part, component)])
                    )
                    for name, part in kind.cases
                )
            )
        case wit.EnumOf():
            return st.sampled_from(component.types.of(kind))
        case wit.FlagsOf():
            return st.integers(0, 2 ** len(kind.flags) - 1).map(component.types.of(kind))
    raise AssertionError(kind)


def check_world(world: tuple[str, list[str]], data: st.DataObject) -> None:
    declared, kinds = world
    functions = "\n".join(
        f"g{number}: func(a: {kind}) -> tuple<{kind}>;" for number, kind in enumerate(kinds)
    )
    component = Component.load(passing_on(declared, functions))

    class Wrapping:
        def __getattr__(self, name: str) -> Any:
            if not name.startswith("g"):
                raise AttributeError(name)
            return lambda value: (value,)

    with component.instantiate({"t:t/host": Wrapping()}) as instance:
        interface = component.world.exports["t:t/guest"]
        assert isinstance(interface, wit.Interface)
        for name, function in interface.functions.items():
            value = data.draw(values(function.params[0][1], component))
            assert getattr(instance.guest, name)(value) == (value,)


_UNHURRIED = settings(deadline=None, suppress_health_check=list(HealthCheck))


@given(worlds(), st.data())
@settings(_UNHURRIED, max_examples=4)
def test_random_types_come_back_as_they_were(world: tuple[str, list[str]], data: st.DataObject) -> None:
    check_world(world, data)


@pytest.mark.slow
@given(worlds(), st.data())
@settings(_UNHURRIED, max_examples=60)
def test_many_random_types_come_back_as_they_were(world: tuple[str, list[str]], data: st.DataObject) -> None:
    check_world(world, data)
