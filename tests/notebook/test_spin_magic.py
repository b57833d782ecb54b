"""``%%spin_app`` as a notebook uses it, with real guests in the embedded host."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from IPython.core.interactiveshell import ExecutionResult, InteractiveShell
from IPython.utils.capture import CapturedIO, capture_output

from wasm_lab import errors

CRATES = """---
[dependencies]
anyhow = "1"
futures = "0.3"
serde = { version = "1", features = ["derive"] }
serde_json = "1"
spin-sdk = "5.2"
---
"""

VISITS = f"""%%wasm_rust --name visits
{CRATES}use spin_sdk::http::{{IntoResponse, Request, Response}};
use spin_sdk::http_component;
use spin_sdk::key_value::Store;

#[http_component]
fn handle(request: Request) -> anyhow::Result<impl IntoResponse> {{
    match request.path() {{
        "/panic" => panic!("as asked"),
        "/endless" => loop {{ std::hint::black_box(0); }},
        "/files" => return Ok(Response::new(200, std::fs::read_to_string("/texts/note.txt")?)),
        "/variable" => return Ok(Response::new(200, spin_sdk::variables::get("colour")?)),
        "/body" => return Ok(Response::new(200, request.into_body())),
        _ => {{}}
    }}
    let store = Store::open_default()?;
    let visits: u32 = store.get_json("visits")?.unwrap_or(0) + 1;
    store.set_json("visits", &visits)?;
    println!("visit {{visits}}");
    Ok(Response::new(200, visits.to_string()))
}}
"""

MANIFEST = """spin_manifest_version = 2

[application]
name = "visits"

[[trigger.http]]
route = "/..."
component = "visits"

[component.visits]
source = "visits.wasm"
key_value_stores = ["default"]
"""


@pytest.fixture(scope="module")
def shell() -> Iterator[InteractiveShell]:
    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "wasm_lab")
    yield shell
    from wasm_lab.magics import spin

    spin._apps().close()
    InteractiveShell.clear_instance()


@pytest.fixture
def visits(shell: InteractiveShell) -> None:
    done(shell, VISITS)


def run(shell: InteractiveShell, cell: str) -> tuple[ExecutionResult, CapturedIO]:
    with capture_output() as captured:
        result = shell.run_cell(cell)
    return result, captured


def done(shell: InteractiveShell, cell: str) -> CapturedIO:
    result, captured = run(shell, cell)
    result.raise_error()
    return captured


def app(shell: InteractiveShell, name: str):
    return shell.user_ns[name]


def test_a_manifest_with_mistakes_shows_each_at_its_line_of_the_cell(shell: InteractiveShell) -> None:
    wrong = MANIFEST.replace(
        'key_value_stores = ["default"]', "[component.visits.key_value_stores]\ndefault = 1"
    )
    wrong = wrong.replace('component = "visits"', 'component = "visit"')
    result, captured = run(shell, f"%%spin_app shop\n{wrong}")
    error = result.error_in_exec
    assert isinstance(error, errors.ManifestError)
    assert error.message.startswith("%%spin_app shop: 2 mistakes\n")
    lines = f"%%spin_app shop\n{wrong}".split("\n")
    for problem in error.problems:
        assert f"{problem.line} | {lines[problem.line - 1]}\n" in error.message
    assert [lines[problem.line - 1] for problem in error.problems] == [
        'component = "visit"',
        "[component.visits.key_value_stores]",
    ]
    assert f"\n 9 | {lines[8]}\n   | {' ' * lines[8].index(chr(34))}^\n" in error.message
    assert "Traceback" not in captured.stdout
    assert "shop" not in shell.user_ns


def test_text_that_is_no_toml_is_shown_at_its_line(shell: InteractiveShell) -> None:
    result, _ = run(shell, '%%spin_app shop\nspin_manifest_version = 2\n[application\nname = "x"')
    assert isinstance(result.error_in_exec, errors.ManifestError)
    assert "cell:3:" in result.error_in_exec.message


def test_a_source_that_is_nowhere_is_shown_with_what_there_is(shell: InteractiveShell) -> None:
    wrong = MANIFEST.replace("visits.wasm", "nobody.wasm")
    result, _ = run(shell, f"%%spin_app shop\n{wrong}")
    error = result.error_in_exec
    assert isinstance(error, errors.ManifestError)
    assert "cell:12:10: error: 'nobody.wasm' is neither a cell nor a file" in error.message
    assert "%%wasm_rust --name" in error.hint


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "NAME"),
        ("not-a-name", "no Python name"),
        ("class", "no Python name"),
        ("open", "Python's own"),
        ("shop --variable colour", "NAME=VALUE"),
        ("shop --timeout none", "for ever"),
        ("shop --memory none", "all memory"),
        ("shop --runtime-config-file absent.toml", "absent.toml"),
        ("shop --wrong", "--wrong"),
    ],
)
def test_a_wrong_line_is_explained(shell: InteractiveShell, line: str, message: str) -> None:
    result, captured = run(shell, f"%%spin_app {line}\n{MANIFEST}")
    assert isinstance(result.error_in_exec, errors.UsageError)
    assert message in str(result.error_in_exec)
    assert "Traceback" not in captured.stdout


def test_help_starts_nothing(shell: InteractiveShell) -> None:
    captured = done(shell, f"%%spin_app --help\n{MANIFEST}")
    assert "--serve" in captured.stdout
    assert "shop" not in shell.user_ns


@pytest.mark.slow
def test_a_component_without_a_name_is_told_how_to_be_used(shell: InteractiveShell) -> None:
    captured = done(shell, VISITS.replace(" --name visits", ""))
    assert "--name NAME" in captured.outputs[-1].data["text/plain"]


@pytest.mark.slow
@pytest.mark.usefixtures("visits")
def test_the_application_answers_and_keeps_its_store(shell: InteractiveShell) -> None:
    captured = done(shell, f"%%spin_app shop\n{MANIFEST}")
    table = captured.outputs[-1].data
    assert "key-value stores: default" in table["text/plain"]
    assert "<table>" in table["text/html"]
    shop = app(shell, "shop")
    assert [shop.get("/").text for _ in range(3)] == ["1", "2", "3"]
    assert shop.post("/body", content=b"\x00\xff").content == b"\x00\xff"
    assert shop.log == "visit 1\nvisit 2\nvisit 3\n"
    with pytest.raises(errors.UsageError, match="no address") as caught:
        shop.url  # noqa: B018
    assert "--serve" in caught.value.hint
    assert [(asked.method, asked.path, asked.status) for asked in shop.requests][-1] == ("POST", "/body", 200)
    assert all(asked.duration_ns > 0 for asked in shop.requests)

    done(shell, f"%%spin_app shop\n{MANIFEST}")  # run again: another one, with the same store
    assert not shop.running
    with pytest.raises(errors.UsageError, match="was stopped"):
        shop.get("/")
    assert app(shell, "shop").get("/").text == "4"
    app(shell, "shop").stop()
    app(shell, "shop").stop()


@pytest.mark.slow
@pytest.mark.usefixtures("visits")
def test_a_failing_guest_harms_nobody_and_says_why(
    shell: InteractiveShell, caplog: pytest.LogCaptureFixture
) -> None:
    done(shell, f"%%spin_app shop --timeout 300ms\n{MANIFEST}")
    captured = done(shell, "print(shop.get('/panic').status_code, shop.get('/endless').status_code)")
    assert captured.stdout == "500 500\n"
    assert "as asked" in captured.stderr
    assert "visits: The guest stopped: deadline exceeded" in caplog.text
    assert "as asked" in app(shell, "shop").log
    assert app(shell, "shop").get("/").status_code == 200
    app(shell, "shop").stop()


@pytest.mark.slow
@pytest.mark.usefixtures("visits")
def test_a_wrong_edit_stops_nothing(shell: InteractiveShell) -> None:
    done(shell, f"%%spin_app shop\n{MANIFEST}")
    before = app(shell, "shop")
    result, _ = run(shell, "%%spin_app shop\n" + MANIFEST.replace("route =", "rout ="))
    assert isinstance(result.error_in_exec, errors.ManifestError)
    assert app(shell, "shop") is before
    assert before.get("/").status_code == 200
    before.stop()


@pytest.mark.slow
@pytest.mark.usefixtures("visits")
def test_a_served_application_can_be_asked_by_others(shell: InteractiveShell) -> None:
    done(shell, f"%%spin_app shop --serve --quiet\n{MANIFEST}")
    shop = app(shell, "shop")
    with urllib.request.urlopen(f"{shop.url}/body", data=b"from elsewhere", timeout=60) as answer:
        assert answer.read() == b"from elsewhere"
    assert shop.get("/").text.isdigit()
    url = shop.url
    assert url in repr(shop)
    shop.stop()
    assert "stopped" in repr(shop)
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(url, timeout=60)


@pytest.mark.slow
@pytest.mark.usefixtures("visits")
def test_variables_of_python_and_files_of_the_notebooks_folder(
    shell: InteractiveShell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "note.txt").write_text("beside the notebook")
    monkeypatch.chdir(tmp_path)
    shell.user_ns["wanted"] = "sea green"
    text = MANIFEST.replace("[[trigger", "[variables]\ncolour = { required = true }\n\n[[trigger")
    text += (
        'files = [{ source = "notes", destination = "/texts" }]\nvariables = { colour = "{{ colour }}" }\n'
    )
    result, _ = run(shell, f"%%spin_app shop --quiet\n{text}")
    assert isinstance(result.error_in_exec, errors.UsageError)
    assert "--variable colour=" in str(result.error_in_exec)
    done(shell, f"%%spin_app shop --quiet --variable 'colour={{wanted}}'\n{text}")
    assert app(shell, "shop").get("/variable").text == "sea green"
    assert app(shell, "shop").get("/files").text == "beside the notebook"
    app(shell, "shop").stop()


@pytest.mark.slow
@pytest.mark.usefixtures("visits")
def test_a_source_may_be_a_file_and_an_edited_cell_is_taken_anew(
    shell: InteractiveShell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wasm_lab.session import default_session

    monkeypatch.chdir(tmp_path)
    (tmp_path / "built").mkdir()
    (tmp_path / "built" / "guest.wasm").write_bytes(default_session().guests["visits"].wasm)
    done(shell, "%%spin_app filed --quiet\n" + MANIFEST.replace("visits.wasm", "built/guest.wasm"))
    assert app(shell, "filed").get("/").text == "1"
    done(shell, f"%%spin_app older --quiet\n{MANIFEST}")
    edited = done(shell, VISITS.replace("visits.to_string()", 'format!("visit number {visits}")'))
    footer = edited.outputs[-1].data["text/plain"]
    assert "older still runs the earlier one" in footer
    assert "filed" not in footer
    app(shell, "older").stop()
    done(shell, "%%spin_app filed --quiet\n" + MANIFEST)
    assert app(shell, "filed").get("/").text == "visit number 2"
    app(shell, "filed").stop()


@pytest.mark.slow
@pytest.mark.usefixtures("visits")
def test_a_source_may_be_a_url(shell: InteractiveShell) -> None:
    import hashlib
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer

    from wasm_lab.session import default_session

    wasm = default_session().guests["visits"].wasm

    class Files(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-length", str(len(wasm)))
            self.end_headers()
            self.wfile.write(wasm)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Files) as server:
        threading.Thread(target=server.serve_forever).start()
        url = f"http://127.0.0.1:{server.server_port}/guest.wasm"
        digest = hashlib.sha256(wasm).hexdigest()
        source = f'{{ url = "{url}", digest = "sha256:{digest}" }}'
        done(shell, "%%spin_app fetched --quiet\n" + MANIFEST.replace('"visits.wasm"', source))
        server.shutdown()
    assert app(shell, "fetched").get("/").status_code == 200
    app(shell, "fetched").stop()


@pytest.mark.slow
@pytest.mark.usefixtures("visits")
def test_interrupting_the_cell_stops_the_guest(shell: InteractiveShell) -> None:
    import os
    import signal
    import threading

    done(shell, f"%%spin_app shop --timeout 5m\n{MANIFEST}")
    shop = app(shell, "shop")
    guests = shop._server._app.crew.guests
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    result, _ = run(shell, "shop.get('/endless')")
    assert isinstance(result.error_in_exec, KeyboardInterrupt)
    for _ in range(1000):
        if not guests():
            break
        threading.Event().wait(0.01)
    assert not guests()
    assert shop.get("/").status_code == 200
    shop.stop()


@pytest.mark.slow
@pytest.mark.usefixtures("visits")
def test_running_the_cell_again_ends_what_still_runs(shell: InteractiveShell) -> None:
    import threading

    done(shell, f"%%spin_app shop --timeout 5m\n{MANIFEST}")
    first = app(shell, "shop")
    statuses = []
    asking = threading.Thread(target=lambda: statuses.append(first.get("/endless").status_code))
    asking.start()
    while not first._server._app.crew.guests():
        threading.Event().wait(0.01)
    done(shell, f"%%spin_app shop\n{MANIFEST}")
    asking.join(30)
    assert statuses == [500]
    assert app(shell, "shop").get("/").status_code == 200
    app(shell, "shop").stop()


@pytest.mark.slow
def test_the_end_of_the_kernel_stops_the_application_and_deletes_its_store(tmp_path: Path) -> None:
    import subprocess
    import sys

    code = f"""
import tempfile
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "wasm_lab")
shell.run_cell({VISITS!r}).raise_error()
shell.run_cell({"%%spin_app shop --serve --quiet" + chr(10) + MANIFEST!r}).raise_error()
print("answer", shell.user_ns["shop"].get("/").text)
"""
    ended = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        env={**__import__("os").environ, "TMPDIR": str(tmp_path)},
    )
    assert ended.returncode == 0, ended.stderr
    assert "answer 1" in ended.stdout
    assert "Task was destroyed" not in ended.stderr
    assert "Exception ignored" not in ended.stderr
    assert not list(tmp_path.glob("wasm-lab-spin-*"))


def test_what_a_killed_kernel_left_is_deleted_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os
    import subprocess
    import sys
    import tempfile

    from wasm_lab.scenarios.spin import live

    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    names = {f"{live.PREFIX}{gone.pid}-a": False, f"{live.PREFIX}{os.getpid()}-b": True, "other-1-c": True}
    for name in names:
        (tmp_path / name).mkdir()
    live._delete_abandoned()
    assert {name: (tmp_path / name).exists() for name in names} == names
