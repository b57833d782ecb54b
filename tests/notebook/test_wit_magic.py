"""``%%wit`` and ``%%wasm_rust --world`` as a notebook uses them, with real Rust."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from IPython.core.interactiveshell import ExecutionResult, InteractiveShell
from IPython.utils.capture import capture_output

from wasm_lab import errors

pytestmark = pytest.mark.slow

WIT = """%%wit calc
package demo:calc@1.0.0;
interface log { write: func(line: string); }
interface math {
  record point { x: s32, y: s32 }
  variant shape { circle(f64), nothing }
  add: func(a: point, b: point) -> point;
  area: func(s: shape) -> result<f64, string>;
  resource counter { constructor(start: u32); inc: func() -> u32; }
}
world calc { import log; export math; export twice: func(x: u32) -> u32; }
"""
RUST = """%%wasm_rust --world calc --imports host
use std::cell::Cell;
struct Component;
impl math::Guest for Component {
    type Counter = MyCounter;
    fn add(a: math::Point, b: math::Point) -> math::Point {
        log::write("adding");
        math::Point { x: a.x + b.x, y: a.y + b.y }
    }
    fn area(s: math::Shape) -> Result<f64, String> {
        match s {
            math::Shape::Circle(r) => Ok(3.0 * r * r),
            math::Shape::Nothing => Err("nothing has no area".into()),
        }
    }
}
struct MyCounter(Cell<u32>);
impl math::GuestCounter for MyCounter {
    fn new(start: u32) -> Self { MyCounter(Cell::new(start)) }
    fn inc(&self) -> u32 { self.0.set(self.0.get() + 1); self.0.get() }
}
impl Guest for Component { fn twice(x: u32) -> u32 { assert!(x < 100, "too big"); x * 2 } }
"""
HOST = """
lines = []
class Log:
    @staticmethod
    def write(line):
        lines.append(line)
host = {"demo:calc/log": Log}
"""


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    from IPython.testing.globalipapp import get_ipython, start_ipython

    shell: InteractiveShell = start_ipython() or get_ipython()
    shell.run_line_magic("reload_ext", "wasm_lab")
    yield shell
    shell.reset(new_session=False)


def run(shell: InteractiveShell, text: str) -> ExecutionResult:
    with capture_output():
        return shell.run_cell(text)


def value(shell: InteractiveShell, expression: str) -> object:
    done = run(shell, expression)
    done.raise_error()
    return done.result


def failure(shell: InteractiveShell, text: str) -> errors.WasmLabError:
    error = run(shell, text).error_in_exec
    assert isinstance(error, errors.WasmLabError), error
    return error


def test_a_world_is_written_implemented_and_called(shell: InteractiveShell) -> None:
    run(shell, WIT).raise_error()
    missing = failure(shell, RUST.replace(" --imports host", ""))
    assert "demo:calc/log" in missing.message
    assert "def write(line: str) -> None" in missing.hint
    run(shell, HOST).raise_error()
    run(shell, RUST).raise_error()
    assert value(shell, "calc.twice(21)") == 42
    assert (
        value(shell, "calc.math.add(calc.math.Point(1, 2), {'x': 3, 'y': 4}) == calc.math.Point(4, 6)")
        is True
    )
    assert value(shell, "lines") == ["adding"]
    assert value(shell, "calc.math.area(calc.math.Shape.Circle(2.0))") == 12.0
    done = run(shell, "calc.math.area(calc.math.Shape.Nothing())")
    assert type(done.error_in_exec).__name__ == "Err"
    run(
        shell, "with calc.math.Counter(5) as counter:\n    found = [counter.inc(), counter.inc()]"
    ).raise_error()
    assert value(shell, "found") == [6, 7]
    trap = failure(shell, "calc.twice(100)")
    assert isinstance(trap, errors.GuestTrap)
    assert "too big" in str(trap)
    assert [frame.file for frame in trap.trap.frames] == [
        "cell"
    ]  # the cell's own, none of what was generated
    assert trap.trap.frames[0].line == RUST[: RUST.index("too big")].count("\n") + 1
    assert isinstance(failure(shell, "calc.twice(1)"), errors.PoisonedError)
    run(shell, RUST.replace("x * 2", "x * 3")).raise_error()  # a new instance, from the edited cell
    assert value(shell, "calc.twice(5)") == 15


def test_what_is_wrong_is_told_in_terms_of_the_contract(shell: InteractiveShell) -> None:
    run(shell, WIT).raise_error()
    run(shell, HOST).raise_error()
    wrong = failure(shell, WIT.replace("line: string", "line: strng"))
    assert isinstance(wrong, errors.WitError)
    assert wrong.diagnostics[0].spans[0].line == 3
    assert "There is no world shop" in failure(shell, RUST.replace("--world calc", "--world shop")).message
    empty = failure(shell, "%%wasm_rust --world calc\nfn helper() {}")
    assert "implements nothing" in empty.message
    assert "impl math::Guest for Component" in empty.hint
    half = failure(shell, RUST.replace("impl Guest for Component", "impl Component"))
    assert "twice of the world itself" in half.message
    types = failure(shell, RUST.replace("fn inc(&self)", "fn inc(&mut self)"))
    assert isinstance(types, errors.CompileError)
    (span,) = types.diagnostics[0].spans
    assert span.line == 1 + RUST.split("fn inc", maxsplit=1)[0].count("\n")
    assert "--panel do not go together" in failure(shell, RUST.replace("--world", "--panel --world")).message
    assert "there is no nobody here" in failure(shell, RUST.replace("imports host", "imports nobody")).message


def test_an_export_of_ones_own_is_as_good(shell: InteractiveShell) -> None:
    run(shell, WIT).raise_error()
    run(shell, HOST).raise_error()
    run(shell, RUST.replace("struct Component;", "export!(Component);\nstruct Component;")).raise_error()
    assert value(shell, "calc.twice(2)") == 4
    late = failure(shell, RUST.replace("x * 2", "x * y").replace("struct C", "export!(Component);\nstruct C"))
    assert isinstance(late, errors.CompileError)
    assert late.diagnostics[0].spans[0].line == 2 + RUST.count("\n") - 1


def test_texts_use_each_other_and_the_earlier_stays_when_one_is_wrong(shell: InteractiveShell) -> None:
    run(
        shell, "%%wit shapes\npackage demo:shapes;\ninterface types { record side { cm: f64 } }"
    ).raise_error()
    run(
        shell,
        "%%wit box\npackage demo:boxes;\nworld box {\n  use demo:shapes/types.{side};\n"
        "  export volume: func(sides: tuple<side, side, side>) -> f64;\n"
        "  export counts: interface { of: func(n: u32) -> u32; }\n}",
    ).raise_error()
    failure(shell, "%%wit shapes\npackage demo:shapes;\ninterface types { oops }")
    run(
        shell,
        "%%wasm_rust --world box\nstruct Component;\nimpl Guest for Component {\n"
        "    fn volume(s: (Side, Side, Side)) -> f64 { s.0.cm * s.1.cm * s.2.cm }\n}\n"
        "impl counts::Guest for Component { fn of(n: u32) -> u32 { n + 1 } }",
    ).raise_error()
    assert value(shell, "box.volume(({'cm': 2.0}, {'cm': 3.0}, {'cm': 4.0})), box.counts.of(1)") == (24.0, 2)
