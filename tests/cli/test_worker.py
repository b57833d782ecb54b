"""``wasm-lab worker`` as a process: running, asking, exporting, and what is said when it cannot."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

RUST = "pub fn upper(s: &str) -> String { s.to_uppercase() }\n"
WORKER = """import { upper } from "tools";
export default {
  async fetch(request, env) {
    console.log("asked");
    const { pathname } = new URL(request.url);
    if (pathname === "/throws") throw new Error("as asked");
    return new Response(upper(`${env.GREETING} ${pathname}\\n`));
  },
};
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "tools.rs").write_text(RUST)
    (tmp_path / "hello.js").write_text(WORKER)
    return tmp_path


def words(project: Path) -> list[str]:
    return [str(project / "hello.js"), "--wasm", f"tools={project / 'tools.rs'}", "--var", "GREETING=hello"]


@pytest.mark.slow
def test_one_question(wasm_lab, project):
    done = wasm_lab("worker", "run", *words(project), "--get", "/a", "--get", "/b")
    assert (done.returncode, done.stdout) == (0, "HELLO /A\nHELLO /B\n"), done.stderr
    assert "asked" in done.stderr


@pytest.mark.slow
def test_answers_as_records_and_a_failure_as_a_status(wasm_lab, project):
    done = wasm_lab("worker", "run", *words(project), "--get", "/a", "--get", "/throws", "--json")
    assert done.returncode == 1
    first, second = json.loads(done.stdout)
    assert (first["status"], first["body"]) == (200, "HELLO /A\n")
    assert second["status"] == 500
    assert "hello.js:6" in done.stderr
    assert "as asked" in done.stderr


@pytest.mark.slow
def test_it_answers_until_ctrl_c(project):
    program = Path(sys.executable).with_name("wasm-lab")
    lab = subprocess.Popen(
        [program, "worker", "run", *words(project)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert lab.stderr is not None
    url = ""
    for line in lab.stderr:
        if " answers at " in line:
            url = line.split(" answers at ")[1].split()[0]
            break
    with urllib.request.urlopen(f"{url}/x", timeout=60) as answer:
        assert answer.read() == b"HELLO /X\n"
    assert lab.stdout is not None
    assert "asked" in lab.stdout.readline()  # it comes from another process, some time after the answer
    lab.send_signal(signal.SIGINT)
    _, error = lab.communicate(timeout=60)
    assert lab.returncode == 130
    assert "Interrupted." in error
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"{url}/x", timeout=2)


@pytest.mark.slow
def test_wrong_javascript_has_its_line(wasm_lab, project):
    (project / "hello.js").write_text("export default {\n  fetch( {\n};")
    done = wasm_lab("worker", "run", project / "hello.js", "--get", "/")
    assert done.returncode == 1
    assert "hello.js:2:" in done.stderr or "hello.js:3:" in done.stderr
    assert "SyntaxError" in done.stderr


def test_an_export_needs_no_workerd(wasm_lab, project):
    out = project / "out"
    done = wasm_lab("worker", "export", *words(project), "--kv", "K", "--secret", "S=hush", "--out", out)
    assert done.returncode == 0, done.stderr
    names = {path.name for path in out.iterdir()}
    assert {"wrangler.jsonc", "hello.js", "tools.js", "tools.wasm", ".dev.vars.example"} <= names
    assert "npx wrangler deploy" in done.stderr
    assert not any(b"hush" in path.read_bytes() for path in out.iterdir())
    assert (out / "hello.js").read_text() == WORKER


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (["--wasm", "tools"], "--wasm takes NAME=FILE"),
        (["--var", "GREETING"], "--var takes NAME="),
        (["--json-var", "J={"], "no JSON"),
        (["--text", "T=gone.txt"], "cannot be read"),
        (["--allow-host", "https://a"], "no host to allow"),
        (["--compatibility-date", "today"], "no compatibility date"),
        (["--json"], "--json goes with --get"),
        ([], "no --wasm gives it"),
    ],
)
def test_wrong_usage_is_a_two(wasm_lab, project, wrong, told):
    done = wasm_lab("worker", "run", project / "hello.js", *wrong)
    assert done.returncode == 2
    assert told in done.stderr
