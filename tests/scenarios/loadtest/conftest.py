"""Stacks that need nothing but Python, for tests of the run itself."""

from __future__ import annotations

import sys
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from wasm_lab.scenarios.loadtest.stacks import Prepared, Stack

SERVER = """
import http.server, json, os, subprocess, sys, threading
sys.path.insert(0, sys.argv[2])
MOOD = sys.argv[3]
if MOOD == "ends":
    sys.exit("no port for me")
with open("starts", "a") as file:
    file.write("x")
STARTS = os.path.getsize("starts")
if MOOD == "tires" and STARTS > 3:
    sys.exit("so tired")
if MOOD == "child":
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
from wasm_lab.scenarios.loadtest.api import CASES

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        case = next(c for c in CASES if (c.method, c.path, c.body) == (self.command, self.path, body))
        answer = case.answer
        if MOOD == "wrong" or (MOOD == "sours" and STARTS > 3 and self.command == "POST"):
            answer = {"wrong": True}
        data = json.dumps(answer).encode()
        self.send_response(case.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = any

    def log_message(self, *_):
        pass

http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


@dataclass(frozen=True, kw_only=True)
class PythonStack(Stack):
    """A server in Python, in one of several moods."""

    folder: Path
    mood: str = "good"
    why: str = ""
    language: str = "python"
    runtime: str = "cpython"
    handled: str = "one process for all requests"
    where: str = ""
    environment: dict[str, str] = field(default_factory=dict, compare=False)

    def missing(self) -> str:
        return self.why

    def prepare(self, _workshop: Any) -> Prepared:
        lab = Path(__file__).parents[3] / "lab"
        program = self.folder / "server.py"
        program.write_text(textwrap.dedent(SERVER))
        return Prepared(
            command=(sys.executable, str(program), "{port}", str(lab), self.mood),
            version="3",
            deployed=(program,),
            folder=self.folder,
        )


@pytest.fixture
def python_stack(tmp_path: Path) -> Any:
    """``python_stack(name, mood="good", why="")``: a stack; one with a ``why`` is missing."""

    def make(name: str, mood: str = "good", why: str = "") -> PythonStack:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        return PythonStack(name=name, title=name.title(), folder=folder, mood=mood, why=why)

    return make
