"""The capability panel without a browser: forms, runs, refusals, the static form."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import wasm_lab
from wasm_lab import errors
from wasm_lab.artifact import Artifact
from wasm_lab.capabilities import Capabilities, ClockMode, Directory, RandomMode
from wasm_lab.run import HostCall
from wasm_lab.runtimes.fake import FakeRuntime, finished
from wasm_lab.session import Session
from wasm_lab.views import panel_runs, panel_state
from wasm_lab.views.panel import panel
from wasm_lab.views.panel_command import command_line, magic_line
from wasm_lab.views.panel_form import Asked, form_of, read_form, refusals
from wasm_lab.views.panel_state import PanelState, Subject
from wasm_lab.views.panel_static import static_html, static_text

SHOW = """
fn main() {
    println!("{:?} {:?}", std::env::args().skip(1).collect::<Vec<_>>(), std::env::var("MODE").ok());
    println!("{:?}", std::fs::read_to_string("/data/in.txt").map_err(|e| e.kind()));
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    println!("{line:?}");
}
"""

EVERYTHING = Capabilities(
    args=("one", "two words"),
    program="prog",
    env={"MODE": "test"},
    stdin=b"a line\n",
    dirs=(Directory(Path(), "/here"), Directory(Path("/"), "/root", writable=False)),
    clock=ClockMode.FROZEN,
    frozen_ns=5,
    random=RandomMode.SEEDED,
    seed=7,
    memory_bytes=None,
    fuel=10**9,
    deadline_s=2.5,
    output_bytes=1000,
)


@pytest.fixture(scope="module")
def shown() -> Any:
    return wasm_lab.panel(SHOW)


def changed(state: PanelState, **fields: Any) -> dict[str, Any]:
    return state.submit(state.form | fields)


def fake_state(monkeypatch: pytest.MonkeyPatch, runtime: FakeRuntime) -> PanelState:
    from wasm_lab import session

    monkeypatch.setattr(panel_state, "get_runtime", lambda name: runtime)
    monkeypatch.setattr(session, "get_runtime", lambda name: runtime)
    subject = Subject(artifact=Artifact(wasm=b"", label="fake"))
    return PanelState(Session("fake"), subject, Asked(capabilities=Capabilities(), runtime="fake"))


@pytest.mark.parametrize("given", [Capabilities(), EVERYTHING], ids=["defaults", "everything"])
def test_a_form_reads_back_as_what_it_was_made_of(given: Capabilities) -> None:
    asked = Asked(capabilities=given, audit=False)
    assert read_form(form_of(asked)) == (asked, {})


@pytest.mark.parametrize(
    ("fields", "place", "words"),
    [
        ({"memory": "much"}, "memory", "is no size"),
        ({"memory": ""}, "memory", "is no size"),
        ({"output": "3 apples"}, "output", "is no size"),
        ({"deadline": "soon"}, "deadline", "is no duration"),
        ({"deadline": "none"}, "deadline", "needs a deadline"),
        ({"fuel": "0"}, "fuel", "is no number of instructions"),
        ({"fuel": "-3"}, "fuel", "is no number of instructions"),
        ({"args": "'open"}, "args", "No closing quotation"),
        ({"random": "seeded", "seed": "x"}, "seed", "is no randomness"),
        ({"clock": "frozen", "frozen_ns": "noon"}, "frozen_ns", "is no clock"),
        ({"clock": "stopped"}, "clock", "is no clock"),
        ({"dirs": [{"on": True, "host": "/no/such/folder", "guest": "/d"}]}, "dirs.0", "does not exist"),
        ({"dirs": [{"on": True, "host": "", "guest": "/d"}]}, "dirs.0", "No folder is named"),
        ({"env": [{"on": False, "text": ""}, {"on": True, "text": "=x"}]}, "env.1", "names no variable"),
    ],
)
def test_bad_input_is_told_at_its_field(fields: dict[str, Any], place: str, words: str) -> None:
    form = form_of(Asked(capabilities=Capabilities()))
    _, messages = read_form(form | fields)
    assert list(messages) == [place]
    assert words in messages[place]


def test_what_is_switched_off_is_not_read() -> None:
    form = form_of(Asked(capabilities=Capabilities()))
    off = {"dirs": [{"on": False, "host": "/no/such"}], "seed": "x", "frozen_ns": "y", "env": "nonsense"}
    asked, messages = read_form(form | off)
    assert messages == {}
    assert asked.capabilities == Capabilities()


def test_toggling_runs_again_and_keeps_the_run_before(shown: Any, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("contents")
    closed = changed(shown.state, stdin="a line\n")
    assert "None" in closed["current"]["stdout"]
    assert "NotFound" in closed["current"]["stdout"] or "Uncategorized" in closed["current"]["stdout"]
    opened = changed(
        shown.state,
        dirs=[{"on": True, "host": str(tmp_path), "guest": "/data", "write": False}],
        env=[{"on": True, "text": "MODE=test"}],
        args="x 'y z'",
    )
    assert opened["current"]["stdout"] == ('["x", "y z"] Some("test")\nOk("contents")\n"a line\\n"\n')
    assert opened["previous"] == closed["current"]
    assert "Output differs" in opened["summary"]
    assert any(row[0] == "path_open" for row in opened["current"]["audit"])
    again = changed(shown.state)
    assert "Same output" in again["summary"]
    assert again["current"]["number"] == again["previous"]["number"] + 1


def test_bad_input_keeps_the_last_good_run(shown: Any) -> None:
    good = changed(shown.state, memory="512MiB")
    bad = changed(shown.state, memory="much")
    assert bad["errors"]["memory"].startswith("'much' is no size.")
    assert bad["current"] == good["current"]
    assert bad["previous"] == good["previous"]
    assert bad["command"] == good["command"]
    assert bad["problem"]
    assert changed(shown.state, memory="512MiB")["problem"] == ""


def test_a_trap_is_an_outcome(shown: Any) -> None:
    answer = changed(shown.state, fuel="1000")
    assert answer["current"]["ended"] == "all fuel consumed"
    assert not answer["current"]["ok"]
    assert "--fuel" in answer["current"]["why"]
    assert changed(shown.state, fuel="")["current"]["ok"]


def test_what_a_runtime_cannot_enforce_is_refused_at_the_field(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = FakeRuntime(cannot=("fuel", "audit", "dirs"))
    state = fake_state(monkeypatch, runtime)
    answer = changed(state, fuel="5", audit=True)
    assert set(answer["errors"]) == {"fuel", "audit"}
    assert "fake cannot enforce fuel" in answer["errors"]["fuel"]
    assert "Refused" in answer["problem"]
    assert runtime.runs == []
    assert changed(state, fuel="", audit=False)["errors"] == {}
    assert len(runtime.runs) == 1


def test_network_is_refused_with_the_reason(shown: Any) -> None:
    answer = changed(shown.state, hosts="example.com:80")
    assert "wasmtime cannot enforce hosts" in answer["errors"]["hosts"]
    assert changed(shown.state, hosts="")["errors"] == {}


def test_only_the_field_that_asks_is_refused() -> None:
    runtime = FakeRuntime(cannot=("clock", "seed"))
    asked = Asked(capabilities=Capabilities(clock=ClockMode.REFUSED), audit=True)
    assert list(refusals(runtime, asked)) == ["clock"]


def test_an_unknown_runtime_is_told_at_the_selector(shown: Any) -> None:
    answer = changed(shown.state, runtime="nosuch")
    assert "No runtime is named 'nosuch'" in answer["errors"]["runtime"]
    assert changed(shown.state, runtime="wasmtime")["errors"] == {}


def test_a_runtime_that_is_missing_is_listed_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = FakeRuntime()
    runtime.missing = lambda: "fake is not installed: pip install fake"  # type: ignore[method-assign,attr-defined]
    state = fake_state(monkeypatch, runtime)
    assert all(each["missing"] for each in state.description()["runtimes"])
    answer = changed(state)
    assert "pip install fake" in answer["errors"]["runtime"]
    assert runtime.runs == []


def test_long_output_and_long_audits_are_cut_for_the_browser() -> None:
    call = HostCall(name="fd_write", arguments={"fd": 1}, result="success", allowed=True)
    run = finished(stdout=b"x" * 100_000, audit=(call,) * 500)
    record = panel_runs.record(panel_runs._outcome(run, Asked(capabilities=Capabilities())), 1)
    assert len(record["stdout"]) == panel_runs.SHOWN_BYTES
    assert record["more"] == 100_000 - panel_runs.SHOWN_BYTES
    assert record["audit"] == [["fd_write ×500", "1", "success", "", "0 ns"]]
    assert record["calls"] == 500


def test_rich_content_is_shown_as_text() -> None:
    data = b"a\nEVCXR_BEGIN_CONTENT text/html\n<b>x</b>\nEVCXR_END_CONTENT\n"
    assert panel_runs.as_text(data) == ("a\n<text/html, 8 bytes>\n", 0)
    assert wasm_lab.panel("6 * 7").state.latest()["current"]["stdout"] == "42\n"


def parsed(line: str) -> tuple[Capabilities, dict[str, Any]]:
    """What ``wasm-lab run`` makes of a command line."""
    from wasm_lab.cli.execute import DEFAULTS
    from wasm_lab.cli.run import run
    from wasm_lab.options import capabilities_from

    words = shlex.split(line)
    assert words[:2] == ["wasm-lab", "run"]
    with run.make_context("run", words[2:]) as context:
        options = dict(context.params)
    base = replace(DEFAULTS, stdin=b"", inherit_output=False)
    return capabilities_from(options, tuple(options["args"]), base), options


def test_the_command_line_asks_for_the_same(tmp_path: Path) -> None:
    file = tmp_path / "with space.wasm"
    file.write_bytes(b"")
    artifact = wasm_lab.compile(SHOW)
    for given in (Capabilities(), EVERYTHING):
        line = command_line(artifact, str(file), Asked(capabilities=given))
        if given.stdin:
            before, _, line = line.partition(" | ")
            assert shlex.split(before) == ["printf", "%s", "a line\n"]
        understood, options = parsed(line.removesuffix(" < /dev/null"))
        assert replace(understood, stdin=given.stdin) == given
        assert options["audit"]
        assert options["file"] == file


def test_the_magic_line_asks_for_the_same() -> None:
    from wasm_lab.magics.cells import cell_command, granted
    from wasm_lab.magics.line import parse_line

    artifact = wasm_lab.compile(SHOW)
    for given in (Capabilities(), EVERYTHING):
        line = magic_line(artifact, "", Asked(capabilities=given))
        name, _, rest = line.partition(" ")
        assert name == "%%wasm_rust"
        options = parse_line(cell_command(), rest)
        assert options is not None
        assert granted(options) == given
        assert options["audit"]


def test_a_library_is_called() -> None:
    shown = panel(
        'pub fn add(a: u32, b: u32) -> u32 { println!("adding"); a.checked_add(b).expect("too large") }'
    )
    first = shown.state.latest()
    assert shown.state.subject.functions == ("add(a: u32, b: u32)",)
    assert "call_args" in first["errors"]
    answer = changed(shown.state, call_args="2, 3")
    assert answer["current"]["value"] == "5"
    assert answer["current"]["stdout"] == "adding\n"
    assert "--invoke add" in answer["command"]
    trapped = changed(shown.state, call_args="4294967295, 1")
    assert trapped["current"]["ended"] == "panic"
    assert "too large" in trapped["current"]["why"]
    for bad, words in (
        ("1", "missing"),
        ("2, -1", "b"),
        ("1, 2 3", "cannot be read"),
        ("x", "cannot be read"),
    ):
        wrong = changed(shown.state, call_args=bad)
        assert words in wrong["errors"]["call_args"], bad
        assert wrong["current"] == trapped["current"]


def test_what_a_panel_can_be_made_of(tmp_path: Path) -> None:
    rust = tmp_path / "hello.rs"
    rust.write_text('fn main() { println!("from a file"); }')
    assert panel(rust).current.stdout == b"from a file\n"  # type: ignore[union-attr]
    assert panel(str(rust)).current.stdout == b"from a file\n"  # type: ignore[union-attr]
    wasm = tmp_path / "hello.wasm"
    wasm.write_bytes(wasm_lab.compile(rust.read_text()).wasm)
    shown = panel(wasm)
    assert shown.current.stdout == b"from a file\n"  # type: ignore[union-attr]
    assert str(wasm) in shown.state.command
    session = Session()
    from wasm_lab.cells import parse_cell

    session.define(session.compile(parse_cell("pub fn one() -> u8 { 1 }", name="unit")))
    assert panel("unit", session=session).current.value == "1"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("x", "error", "words"),
    [
        ("nosuchcell", errors.UsageError, "No cell is named nosuchcell"),
        ("nosuch.wasm", errors.WasmLabError, "nosuch.wasm"),
        ("nosuch.rs", errors.UsageError, "cannot be read"),
        (Path("notes.txt"), errors.UsageError, "is no file that runs here"),
        ("fn helper() {}", errors.UsageError, "neither fn main nor a public function"),
        ("fn main() { 1 + }", errors.CompileError, "expected"),
    ],
)
def test_what_no_panel_can_be_made_of_is_refused(x: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        panel(x, session=Session())


def test_the_static_form_shows_capabilities_and_escapes_the_guest() -> None:
    shown = panel('fn main() { println!("<script>alert(1)</script>"); }', Capabilities(env={"A": "<b>"}))
    page = static_html(shown.state)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "A=&lt;b&gt;" in page
    assert "fd_write" in page
    text = static_text(shown.state)
    assert "files           closed" in text
    assert "wasm-lab run --env 'A=<b>'" in text
    bundle = shown._repr_mimebundle_()
    assert set(bundle) == {"text/html", "text/plain"}, "nobody watches a test"


def test_the_saved_state_of_a_widget_is_small(shown: Any) -> None:
    state = shown.widget.get_state()
    own = {name: value for name, value in state.items() if name not in ("_esm", "_css")}
    assert len(repr(own)) < 2000
    assert len(repr(state)) < 40_000


@pytest.mark.slow
def test_under_papermill_it_runs_once_and_leaves_a_table(tmp_path: Path) -> None:
    import nbformat
    import papermill
    from nbconvert import HTMLExporter
    from nbformat.v4 import new_code_cell, new_notebook

    cell = '%%wasm_rust --panel --env MODE=test\nfn main() { println!("mode {}", std::env::var("MODE").unwrap()); }'
    notebook = new_notebook(cells=[new_code_cell("%load_ext wasm_lab"), new_code_cell(cell)])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    given, done = tmp_path / "given.ipynb", tmp_path / "done.ipynb"
    nbformat.write(notebook, given)
    papermill.execute_notebook(given, done, progress_bar=False)
    result = nbformat.read(done, as_version=4)
    [output] = [each for each in result.cells[-1].outputs if each.output_type == "display_data"]
    assert set(output.data) == {"text/html", "text/plain"}
    assert "mode test" in output.data["text/plain"]
    assert "Run 1:" in output.data["text/plain"]
    assert "widgets" not in result.metadata, "no state of a widget is saved"
    assert done.stat().st_size < 40_000
    page, _ = HTMLExporter().from_notebook_node(result)
    assert "What it may touch and use" in page
    assert "mode test" in page


@pytest.mark.parametrize("flag", ["test", "no_run"])
def test_a_panel_goes_with_no_option_that_runs_nothing(flag: str) -> None:
    from wasm_lab.cells import parse_cell
    from wasm_lab.views.panel_cell import show_panel

    options = {"test": False, "no_run": False, "runtime": None, flag: True}
    with pytest.raises(errors.UsageError, match="--panel runs the program"):
        show_panel(None, Session(), parse_cell("fn main() {}"), Capabilities(), options)  # type: ignore[arg-type]
