"""``%%worker`` as a notebook uses it, in the real engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from IPython.core.interactiveshell import ExecutionResult, InteractiveShell
from IPython.utils.capture import CapturedIO, capture_output

from wasm_lab import errors
from wasm_lab.magics import worker as worker_magic

RUST = "%%wasm_rust --name tools\npub fn upper(s: &str) -> String { s.to_uppercase() }\n"
WORKER = """%%worker {line}
import {{ upper }} from "tools";
export default {{
  async fetch(request, env) {{
    console.log("asked");
    await env.K?.put("last", request.url);
    return new Response(upper("{word}"));
  }},
}};
"""


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    monkeypatch.chdir(tmp_path)
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "wasm_lab")
    yield shell
    if worker_magic._workers.cache_info().currsize:
        worker_magic._workers().close()
        worker_magic._workers.cache_clear()
    InteractiveShell.clear_instance()


def run(shell: InteractiveShell, cell: str) -> tuple[ExecutionResult, CapturedIO]:
    with capture_output() as captured:
        result = shell.run_cell(cell)
    return result, captured


def text_of(captured: CapturedIO) -> str:
    return captured.stdout + "".join(str(output.data.get("text/plain")) for output in captured.outputs)


@pytest.mark.slow
def test_a_worker_is_bound_and_replaced(shell):
    assert run(shell, RUST)[0].success
    result, shown = run(shell, WORKER.format(line="shop --kv K --secret S=hush", word="hello"))
    assert result.success
    assert "KV namespaces" in text_of(shown)
    assert "hush" not in text_of(shown)
    shop = shell.user_ns["shop"]
    assert shop.get("/a").text == "HELLO"
    address = shop.url
    assert run(shell, WORKER.format(line="shop --kv K", word="again"))[0].success
    shop = shell.user_ns["shop"]
    assert shop.get("/b").text == "AGAIN"
    assert shop.url == address
    assert shop.kv("K").get("last").endswith(b"/b")
    told = text_of(run(shell, "shop")[1])
    assert "GET /b" in told
    assert "asked" in told
    told = text_of(run(shell, RUST.replace("upper", "lower", 1).replace("lower(", "upper("))[1])
    assert "shop still runs the earlier one" in told


@pytest.mark.slow
def test_a_wrong_text_raises_at_the_cell_s_line(shell):
    result, _ = run(shell, '%%worker wrong\nexport default {\n  fetch() { return new Response("hi" }\n};')
    assert isinstance(result.error_in_exec, errors.CompileError)
    assert result.error_in_exec.diagnostics[0].spans[0].line == 3
    assert "wrong" not in shell.user_ns


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("%%worker list\nexport default {};", "Python's own"),
        ("%%worker a-b\nexport default {};", "no Python name"),
        ('%%worker w\n\nimport { x } from "gone";\nexport default {};', 'Line 3 of w.js imports "gone"'),
        ("%%worker w --wasm gone\nexport default {};", "No cell is named gone"),
        ("%%worker w --kv\nexport default {};", "--kv"),
    ],
)
def test_wrong_use_is_told(shell, cell, told):
    result, _ = run(shell, cell)
    assert isinstance(result.error_in_exec, errors.UsageError)
    assert told in str(result.error_in_exec)


def test_without_workerd_it_says_how_to_get_it(shell, monkeypatch):
    monkeypatch.setattr(
        "wasm_lab.services.workerd.workerd_missing", lambda: "No workerd is installed. To get it: x."
    )
    result, _ = run(shell, "%%worker w\nexport default { fetch() { return new Response(''); } };")
    assert isinstance(result.error_in_exec, errors.ServiceError)
    assert "To get it" in str(result.error_in_exec)


def test_help_starts_nothing(shell):
    result, shown = run(shell, "%%worker --help\n")
    assert result.success
    assert "--allow-host" in shown.stdout
