"""The embedded Spin host beside ``wasmtime serve``: the same component, in turn, on the same cores."""

from __future__ import annotations

import functools
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
from tests.benchmarks.pairs import Pair, in_turn

from wasm_lab.build.cache import default_cache
from wasm_lab.scenarios.spin.componentize import componentize
from wasm_lab.scenarios.spin.samples import build_sample
from wasm_lab.toolchains.wasmtime_cli import ensure_wasmtime_cli
from wasm_lab.toolchains.wrk import find_wrk, wrk_missing

CONNECTIONS, SECONDS, TURNS = 16, 4, 9
SOAK_REQUESTS, SOAK_CONNECTIONS, ONE_TRAP_IN = 10_000, 64, 100

WASM_LAB = Path(sys.executable).with_name("wasm-lab")


def _built(folder: Path) -> tuple[Path, Path]:
    """The sample's manifest and its component, made one from a core module before: the same for both."""
    manifest = build_sample("moody", folder)
    component = manifest.parent / "moody.wasm"
    component.write_bytes(componentize(component.read_bytes()).wasm)
    return manifest, component


def _port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def _ours(manifest: Path, port: int) -> list[str]:
    return [str(WASM_LAB), "spin", "up", "--from", str(manifest), "--listen", f"127.0.0.1:{port}", "--quiet"]


@functools.cache
def _precompiled(component: Path) -> Path:
    program = ensure_wasmtime_cli(print).program
    made = component.with_suffix(".cwasm")
    subprocess.run([program, "compile", component, "-o", made], check=True)
    return made


def _reference(component: Path, port: int) -> list[str]:
    program = str(ensure_wasmtime_cli(print).program)
    address = ["--addr", f"127.0.0.1:{port}"]
    return [program, "serve", "-Scli", "--allow-precompiled", *address, str(_precompiled(component))]


@functools.cache
def _environment() -> dict[str, str]:
    """With compiled Python, as an installed package has it; not beside the sources, which are not ours."""
    names = ("PYTHONDONTWRITEBYTECODE",)
    folder = str(default_cache().folder("bytecode", "benchmarks"))
    return {key: value for key, value in os.environ.items() if key not in names} | {
        "PYTHONPYCACHEPREFIX": folder
    }


@contextmanager
def _serving(words: list[str], port: int) -> Iterator[psutil.Process]:
    """The server, from its first answer on."""
    process = subprocess.Popen(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=_environment()
    )
    try:
        until = time.monotonic() + 60
        while not _answers(port):
            assert process.poll() is None, words
            assert time.monotonic() < until, words
            time.sleep(0.0005)
        yield psutil.Process(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 10) as connection:
            connection.sendall(b"GET /fine HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            return connection.recv(12) == b"HTTP/1.1 200"
    except OSError:
        return False


def _load(port: int) -> tuple[int, int]:
    """Nanoseconds for each request, and the 99th percentile of a request's own time."""
    wrk = find_wrk()
    assert wrk is not None, wrk_missing()
    words = [wrk.program, "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "--latency"]
    said = subprocess.run(
        [*words, f"http://127.0.0.1:{port}/fine"], capture_output=True, text=True, check=True
    ).stdout
    assert "Non-2xx" not in said, said
    assert "Socket errors" not in said, said
    per_second = re.search(r"Requests/sec:\s+([\d.]+)", said)
    late = re.search(r"99%\s+([\d.]+)(us|ms|s)", said)
    assert per_second, said
    assert late, said
    return int(1e9 / float(per_second[1])), int(float(late[1]) * {"us": 1e3, "ms": 1e6, "s": 1e9}[late[2]])


@functools.cache
def _loads(folder: Path, thin: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    manifest, component = _built(folder)
    found: tuple[list[tuple[int, int]], list[tuple[int, int]]] = ([], [])
    for turn in range(TURNS // thin):
        for which in (0, 1) if turn % 2 else (1, 0):
            port = _port()
            words = _reference(component, port) if which else _ours(manifest, port)
            with _serving(words, port):
                _load(port)  # warms up
                found[which].append(_load(port))
    return found


def throughput(folder: Path, thin: int) -> Pair:
    """Nanoseconds for each request under load, over all cores."""
    ours, reference = _loads(folder.parent, thin)
    return Pair("spin-throughput", [one[0] for one in ours], [one[0] for one in reference], asked="≤ 2")


def latency(folder: Path, thin: int) -> Pair:
    """The 99th percentile of a request's own time, under the same load."""
    ours, reference = _loads(folder.parent, thin)
    return Pair("spin-p99", [one[1] for one in ours], [one[1] for one in reference], asked="≤ 2")


def cold_start(folder: Path, thin: int) -> Pair:
    """From the start of the process to its first answer; both have their machine code already."""
    manifest, component = _built(folder)
    times: tuple[list[int], list[int]] = ([], [])
    for turn in range(15 // thin + 1):
        for which in (0, 1) if turn % 2 else (1, 0):
            port = _port()
            words = _reference(component, port) if which else _ours(manifest, port)
            began = time.perf_counter_ns()
            with _serving(words, port):
                took = time.perf_counter_ns() - began
            if turn:
                times[which].append(took)
    return Pair("spin-cold-start", *times, asked="≤ 2; see docs/spin.md")


def soak(folder: Path, thin: int) -> Pair:
    """10,000 requests, one in a hundred a trap, beside as many without: time of each request.

    Raises when an answer is wrong or lost, or memory grows.
    """
    manifest, _ = _built(folder)
    port = _port()
    requests = SOAK_REQUESTS // thin
    with _serving(_ours(manifest, port), port) as server:
        _soak(port, requests, traps=True)  # the first round fills pools and caches
        before = _memory(server)
        pair = in_turn(
            "spin-soak",
            lambda: _soak(port, requests, traps=True),
            lambda: _soak(port, requests, traps=False),
            turns=2,
            asked="no wrong answer; memory flat",
        )
        grown = _memory(server) - before
        print(
            f"memory: {before >> 20} MiB, and {grown / 2**20:+.1f} MiB after {6 * requests} requests",
            file=sys.stderr,
        )
        assert grown < 16 * 2**20, grown
    return Pair(
        pair.name,
        [took // requests for took in pair.ours_ns],
        [took // requests for took in pair.reference_ns],
        asked=pair.asked,
    )


def _memory(server: psutil.Process) -> int:
    return sum(process.memory_info().rss for process in [server, *server.children()])


def _soak(port: int, requests: int, *, traps: bool) -> None:
    wrong: list[object] = []
    each = requests // SOAK_CONNECTIONS

    def ask(offset: int) -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            for number in range(each):
                trap = traps and (number + offset) % ONE_TRAP_IN == 0
                try:
                    answer = client.get("/panic" if trap else "/fine")
                except httpx.HTTPError as error:
                    wrong.append(error)
                    continue
                if answer.status_code != (500 if trap else 200) or (not trap and answer.text != "fine\n"):
                    wrong.append((trap, answer.status_code, answer.text))

    threads = [threading.Thread(target=ask, args=(offset,)) for offset in range(SOAK_CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong, wrong[:5]
