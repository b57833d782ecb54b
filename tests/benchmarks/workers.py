"""A worker from its cell to its first answer, beside bare workerd with the same text."""

from __future__ import annotations

import itertools
import socket
import subprocess
import time
from pathlib import Path

from tests.benchmarks.pairs import Pair, in_turn

from wasm_lab.build import build
from wasm_lab.cells import parse_cell
from wasm_lab.scenarios.edge import LiveWorkers, Worker
from wasm_lab.scenarios.edge.worker import files_of
from wasm_lab.toolchains.workerd import ensure_workerd

TURNS = 21

RUST = "pub fn double(n: u32) -> u32 { 2 * n }"
TEXT = """import { double } from "numbers";
export default { fetch() { return new Response(String(double(21)) + " run %d"); } };"""


def warm_worker(folder: Path, divisor: int) -> Pair:
    """An edited cell run again, until `get` has its answer, against the start of workerd alone."""
    program = str(ensure_workerd(print).program)
    artifacts = {"numbers": build(parse_cell(RUST, name="numbers"))}
    runs = itertools.count()
    workers = LiveWorkers()

    def ours() -> None:
        text = TEXT % next(runs)  # every turn is an edit
        live = workers.start(Worker.of("bench", text, artifacts=artifacts))
        assert live.get("/").text.startswith("42 run")

    def bare() -> None:
        for name, data in files_of(Worker.of("bench", TEXT % next(runs), artifacts=artifacts)).items():
            (folder / name).write_bytes(data)
        port = _port()
        command = [program, "serve", str(folder / "config.capnp"), f"--socket-addr=http=127.0.0.1:{port}"]
        (folder / "own.sock").unlink(missing_ok=True)
        (folder / "disk").mkdir(exist_ok=True)
        command += [f"--socket-addr=own=unix:{folder}/own.sock", f"--directory-path=disk={folder}/disk"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            assert b"42 run" in _asked(port)
        finally:
            process.kill()
            process.wait()

    try:
        return in_turn(
            "worker: cell to first answer, against bare workerd",
            ours,
            bare,
            turns=max(3, TURNS // divisor),
            asked="≤ 300 ms",
        )
    finally:
        workers.close()


def _port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def _asked(port: int) -> bytes:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), 5) as client:
                client.sendall(b"GET / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
                said = b""
                while more := client.recv(4096):
                    said += more
                if said:
                    return said
        except OSError:
            pass
        time.sleep(0.0005)
    raise TimeoutError("workerd did not answer")
