"""Guest and host: what links, what does not, and how a mismatch is explained."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest
from tests.components.guests import MEMORY, component_of, passing_on

from wasm_lab.build.wasm_tools import assemble
from wasm_lab.components import Component, Err, current
from wasm_lab.components.matching import find_key
from wasm_lab.errors import InterfaceError, LoadError, UnsupportedError, UsageError

CALC = """
record point { x: s32, y: s32 }
variant problem { overflow, other(string) }
"""
FUNCTIONS = """
add: func(a: s32, b: s32) -> s32;
half: func(p: point) -> result<point, problem>;
"""


def calculator(version: str = "1.2.0") -> Component:
    return Component.load(passing_on(CALC, FUNCTIONS, f"t:calc@{version}"), label="calc.wasm")


class Host:
    def add(self, a: int, b: int) -> int:
        return a + b

    def half(self, p: Any) -> Any:
        return {"x": p.x // 2, "y": p.y // 2}


# What implements an import ---------------------------------------------------------------


@pytest.mark.parametrize(
    "key", ["t:calc/host", "t:calc/host@1.2.0", "t:calc/host@1.2.9", "t:calc/host@1.0.0"]
)
def test_versions_that_link(key: str) -> None:
    with calculator().instantiate({key: Host()}) as instance:
        assert instance.guest.add(1, 2) == 3
        assert instance["t:calc/guest"].add(1, 2) == 3
        assert instance["t:calc/guest@1.2.0"].add(1, 2) == 3


@pytest.mark.parametrize("key", ["t:calc/host@2.0.0", "t:calc/host@0.2.0", "t:calc/host@1.2.0-rc.1"])
def test_versions_that_do_not_link(key: str) -> None:
    with pytest.raises(InterfaceError) as caught:
        calculator().link({key: Host()})
    assert "calc.wasm and its host do not fit" in str(caught.value)
    assert (
        f"imports t:calc/host@1.2.0, and the host has {key}, which is not compatible with version 1.2.0"
        in str(caught.value)
    )


@pytest.mark.parametrize(
    ("wanted", "offered", "links"),
    [
        ("1.2.0", "1.9.9", True),
        ("1.2.0", "2.0.0", False),
        ("0.2.0", "0.2.8", True),
        ("0.2.8", "0.2.0", True),
        ("0.2.0", "0.3.0", False),
        ("0.0.1", "0.0.2", False),
        ("0.0.1", "0.0.1", True),
        ("1.0.0-rc.1", "1.0.0-rc.1", True),
        ("1.0.0-rc.1", "1.0.0", False),
    ],
)
def test_what_is_compatible(wanted: str, offered: str, links: bool) -> None:
    found = find_key(f"a:b/c@{wanted}", {f"a:b/c@{offered}": None})
    assert (found is not None) == links


def test_the_closest_name_wins() -> None:
    names: dict[str, Any] = dict.fromkeys(["a:b/c@1.1.0", "a:b/c@1.10.0", "a:b/c@1.9.0", "a:b/d"])
    assert find_key("a:b/c@1.0.0", names) == "a:b/c@1.10.0"
    assert find_key("a:b/c@1.1.0", names) == "a:b/c@1.1.0"
    assert find_key("a:b/c@1.1.0", {**names, "a:b/c": None}) == "a:b/c@1.1.0"
    assert find_key("a:b/c@1.0.0", {**names, "a:b/c": None}) == "a:b/c"


def test_a_newer_guest_says_which_function_an_older_host_lacks() -> None:
    """Compatible by version, but the host does not have what was added since."""
    with pytest.raises(InterfaceError) as caught:
        calculator("1.3.0").link({"t:calc/host@1.0.0": SimpleNamespace(add=Host().add)})
    assert (
        "t:calc/host@1.3.0: expected a function half for half: func(p: point) -> result<point, problem>"
        in str(caught.value)
    )


def test_everything_that_is_missing_is_listed() -> None:
    with pytest.raises(InterfaceError) as caught:
        calculator().link({"t:calc/host": object()})
    lines = [line for line in str(caught.value).splitlines() if line.startswith("- ")]
    assert lines == [
        "- t:calc/host@1.2.0: expected a function add for add: func(a: s32, b: s32) -> s32, "
        "found nothing of that name",
        "- t:calc/host@1.2.0: expected a function half for half: func(p: point) -> result<point, problem>, "
        "found nothing of that name",
    ]
    with pytest.raises(
        InterfaceError, match=r"imports t:calc/host@1\.2\.0 \(add, half\), and the host has nothing"
    ):
        calculator().link()


def test_the_number_of_parameters_is_compared() -> None:
    class Wrong(Host):
        def add(self, a: int) -> int:  # type: ignore[override]
            return a

    with pytest.raises(
        InterfaceError, match=r"host\.add: expected 2 parameters \(add: .*\), found a function of 1"
    ):
        calculator().link({"t:calc/host": Wrong()})
    assert calculator().link({"t:calc/host": {"add": lambda *all: 0, "half": lambda p, extra=1: p}})


@pytest.mark.parametrize("provider", [Host(), {"add": Host().add, "half": Host().half}])
def test_what_may_provide_an_interface(provider: Any) -> None:
    with calculator().instantiate({"t:calc/host": provider}) as instance:
        assert instance.guest.half({"x": 4, "y": 6}) == instance.guest.Point(2, 3)


# Values of the host ----------------------------------------------------------------------


def test_what_the_host_returns_is_checked() -> None:
    host = Host()
    host.half = lambda p: {"x": 1, "y": "one"}  # type: ignore[method-assign]
    with (
        calculator().instantiate({"t:calc/host": host}) as instance,
        pytest.raises(TypeError, match="host.half of the host, the result.ok.y: expected s32, found 'one'"),
    ):
        instance.guest.half((instance.guest.Point)(1, 2))


def test_an_error_of_the_host_reaches_the_caller() -> None:
    class Failing(Host):
        def half(self, p: Any) -> Any:
            raise Err(("other", "odd") if p.x else "overflow")

    with calculator().instantiate({"t:calc/host": Failing()}) as instance:
        with pytest.raises(Err) as caught:
            instance.guest.half({"x": 1, "y": 1})
        assert caught.value.value == instance.guest.Problem.Other("odd")
        with pytest.raises(Err) as caught:
            instance.guest.half({"x": 0, "y": 1})
        assert caught.value.value == instance.guest.Problem.Overflow()


def test_an_exception_of_the_host_comes_out_unchanged() -> None:
    class Broken(Host):
        def add(self, a: int, b: int) -> int:
            return a // b

    with calculator().instantiate({"t:calc/host": Broken()}) as instance:
        with pytest.raises(ZeroDivisionError) as caught:
            instance.guest.add(1, 0)
        assert any(frame.name == "add" for frame in caught.traceback), "with the place where it was raised"
        assert instance.poisoned
    raised = Err("not a result")

    class NoResult(Host):
        def add(self, a: int, b: int) -> int:
            raise raised

    with calculator().instantiate({"t:calc/host": NoResult()}) as instance, pytest.raises(Err) as error:
        instance.guest.add(1, 2)
    assert error.value is raised


def test_current_is_the_calling_instance() -> None:
    class Asking(Host):
        def add(self, a: int, b: int) -> int:
            assert current.instance.data is current.data
            assert current.remaining_s is not None
            assert 0 < current.remaining_s <= 10
            return a + b + int(current.data)

    prepared = calculator().link({"t:calc/host": Asking()})
    with prepared.instantiate(data=10) as one, prepared.instantiate(data=20) as two:
        assert (one.guest.add(1, 1), two.guest.add(1, 1)) == (12, 22)
    with pytest.raises(UsageError, match="No component is calling"):
        current.data  # noqa: B018


def test_one_guest_may_call_another() -> None:
    prepared = calculator().link({"t:calc/host": Host()})

    class Asking(Host):
        def add(self, a: int, b: int) -> int:
            with prepared.instantiate(data="inner") as inner:
                result: int = inner.guest.add(a, b)
            assert current.data == "outer"
            return result

    with calculator().instantiate({"t:calc/host": Asking()}, data="outer") as instance:
        assert instance.guest.add(1, 2) == 3


def test_an_instance_cannot_be_entered_twice() -> None:
    class Asking(Host):
        def add(self, a: int, b: int) -> int:
            result: int = current.instance.guest.add(a, b)
            return result

    with (
        calculator().instantiate({"t:calc/host": Asking()}) as instance,
        pytest.raises(UsageError, match="already running: a guest cannot be entered twice"),
    ):
        instance.guest.add(1, 2)


def test_a_running_instance_cannot_be_closed() -> None:
    class Closing(Host):
        def add(self, a: int, b: int) -> int:
            current.instance.close()
            return 0

    with (
        calculator().instantiate({"t:calc/host": Closing()}) as instance,
        pytest.raises(UsageError, match="already running"),
    ):
        instance.guest.add(1, 2)


def test_many_threads_instantiate() -> None:
    class Summing(Host):
        def add(self, a: int, b: int) -> int:
            current.data.append(a + b)
            return a + b

    prepared = calculator().link({"t:calc/host": Summing()})
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(100):
                seen: list[int] = []
                with prepared.instantiate(data=seen) as instance:
                    assert instance.guest.add(number, turn) == number + turn
                    assert seen == [number + turn]
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


# WASI ------------------------------------------------------------------------------------

IO = """
(component
  (import "wasi:io/streams@0.2.0" (instance $streams
    (export "output-stream" (type $stream (sub resource)))
    (export "[method]output-stream.splash" (func (param "self" (borrow $stream)) (result u32)))))
  (alias export $streams "output-stream" (type $output))
  (import "wasi:cli/stdout@0.2.0" (instance $stdout
    (alias outer 1 $output (type $outer))
    (export "output-stream" (type $own (eq $outer)))
    (export "get-stdout" (func (result (own $own))))))
  (core func $get (canon lower (func $stdout "get-stdout")))
  (core func $splash (canon lower (func $streams "[method]output-stream.splash")))
  (core func $drop (canon resource.drop $output))
  (core module $m
    (import "" "get" (func $get (result i32)))
    (import "" "splash" (func $splash (param i32) (result i32)))
    (import "" "drop" (func $drop (param i32)))
    (func (export "run") (result i32) (local $s i32)
      (local.set $s (call $get))
      (call $splash (local.get $s))
      (call $drop (local.get $s))))
  (core instance $i (instantiate $m (with "" (instance
    (export "get" (func $get)) (export "splash" (func $splash)) (export "drop" (func $drop))))))
  (func (export "run") (result u32) (canon lift (core func $i "run"))))
"""


class Streams:
    class OutputStream:
        def splash(self) -> int:
            return 42


class Stdout:
    @staticmethod
    def get_stdout() -> Streams.OutputStream:
        return Streams.OutputStream()


def test_the_hosts_own_wasi_wins() -> None:
    component = Component.load(assemble(IO), label="io.wasm")
    with component.instantiate({"wasi:io/streams": Streams, "wasi:cli/stdout": Stdout}) as instance:
        assert instance.run() == 42


def test_resources_of_the_host_and_of_the_engine_do_not_mix() -> None:
    component = Component.load(assemble(IO), label="io.wasm")
    with pytest.raises(InterfaceError) as caught:
        component.link({"wasi:io/streams": Streams})
    assert (
        "wasi:cli/stdout@0.2.0 uses output-stream of wasi:io/streams@0.2.0, which the host defines itself: "
        "expected the host's own wasi:cli/stdout too, found none" in str(caught.value)
    )


# What is no component for this place -----------------------------------------------------


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (b"", "no WebAssembly"),
        (b"\0asm\1\0\0\0", "a core module"),
        (b"(component)", "no WebAssembly"),
        (b"\0asm\x0d\0\1\0\xff\xff", "cannot be read"),
    ],
)
def test_what_is_no_component(source: bytes, message: str) -> None:
    with pytest.raises(LoadError, match=message):
        Component.load(source)


def test_a_file_that_is_not_there(tmp_path: Any) -> None:
    with pytest.raises(LoadError, match=r"absent\.wasm cannot be read: No such file"):
        Component.load(tmp_path / "absent.wasm")


@pytest.mark.parametrize(
    "text",
    [
        '(component (import "wasi:http/types@0.3.0" (instance (export "f" (func)))))',
        '(component (import "f" (func async)))',
        '(component (import "wasi:cli/run@0.3.0-rc-2026-03-15" (instance (export "f" (func)))))',
    ],
)
def test_wasi_of_the_next_version_is_refused(text: str) -> None:
    component = Component.load(assemble(text), label="next.wasm")
    with pytest.raises(
        UnsupportedError, match=r"next\.wasm is made for WASI 0\.3.*up to WASI 0\.2"
    ) as caught:
        component.link({"f": lambda: None})
    assert "spin-sdk 5" in caught.value.hint


def test_a_stream_cannot_cross() -> None:
    component = Component.load(assemble('(component (import "f" (func (param "a" (stream u8)))))'))
    with pytest.raises((UnsupportedError, LoadError)):
        component.link({"f": lambda a: None})


def test_names_in_common() -> None:
    """Two interfaces of one short name have only their full names."""
    text = "package t:n; interface a {{ f: func() -> u8; }} world w {{ export {name}: interface {{ f: func() -> u8; }} }}"
    wat = f'(module {MEMORY} (func (export "{{name}}#f") (result i32) (i32.const 3)))'
    component = Component.load(component_of(text.format(name="class"), wat.format(name="class")))
    with component.instantiate() as instance:
        assert instance.class_.f() == 3
        assert "class_" in dir(instance)
        with pytest.raises(UsageError, match="exports no t:n/b"):
            instance["t:n/b"]


def test_exports_named_as_what_an_instance_has() -> None:
    text = "package t:n; world w { export close: func() -> u8; export data: interface { f: func() -> u8; } }"
    wat = f"""(module {MEMORY} (func (export "close") (result i32) (i32.const 3))
      (func (export "data#f") (result i32) (i32.const 4)))"""
    instance = Component.load(component_of(text, wat)).instantiate(data="mine")
    assert instance.close_() == 3
    assert instance.data_.f() == 4
    assert instance.data == "mine"
    instance.close()
