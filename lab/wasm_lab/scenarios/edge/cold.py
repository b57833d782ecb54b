"""What a cold start at the edge is: a new isolate in an engine that runs, timed from outside.

Cloudflare starts no process for a worker: it makes an isolate in one that serves many. workerd does
so by its Worker Loader, which takes a worker's text and modules from another worker while it runs.
Beside it stand the same handler in a new process of workerd and of Node.js.
"""

from __future__ import annotations

import json
import random
import socket
import subprocess
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.build import build
from wasm_lab.cells import parse_cell
from wasm_lab.errors import ServiceError
from wasm_lab.scenarios.edge.capnp import listed, quoted, struct
from wasm_lab.scenarios.edge.worker import COMPATIBILITY_DATE, READY, Worker, files_of
from wasm_lab.services.server import free_port
from wasm_lab.services.workerd import CONFIG, DISK, HTTP_SOCKET, OWN_SOCKET, Workerd
from wasm_lab.toolchains.node import find_node
from wasm_lab.toolchains.workerd import find_workerd, workerd_missing

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasm_lab.artifact import Artifact

ISOLATE_WASM = "a new worker with Wasm in a running workerd, to its first answer"
ISOLATE_JAVASCRIPT = "a new worker without Wasm in a running workerd, to its first answer"
REQUEST = "a request to a running worker"
PROCESS = "a new process of workerd, to its first answer"
NODE = "a new process of node, to its first answer"

#: New workers of each kind that one process of workerd is asked for; the first warms the process up.
_STARTS = 9

#: Seconds that a process may take to answer.
_LONGEST_S = 30.0

_RUST = "pub fn handle(n: u32) -> u32 { n.wrapping_mul(2654435761) }"

_JAVASCRIPT = "export default { fetch() { return new Response(String((7 * 2654435761) >>> 0)); } };"
_WITH_WASM = """import { handle } from "./handler.js";
export default { fetch() { return new Response(String(handle(7))); } };"""
_ANSWER = str(7 * 2654435761 % 2**32)

_LOADER = """
import bytes from "handler.bin";
import handler from "handler.txt";
import glue from "glue.txt";
import wasi from "wasi.txt";
let made = 0;
const kinds = {
  wasm: {
    "main.js": MAIN_WASM,
    "handler.js": handler,
    "wasm-lab-glue.js": glue,
    "wasm-lab-wasi.js": wasi,
    "handler.wasm": { wasm: bytes },
  },
  js: { "main.js": MAIN_JS },
};
export default {
  async fetch(request, env) {
    const kind = new URL(request.url).pathname.slice(1);
    if (kind === "none") return new Response("ANSWER");
    const code = { compatibilityDate: "DATE", mainModule: "main.js", modules: kinds[kind], globalOutbound: null };
    return env.LOADER.get(`worker ${made++}`, () => code).getEntrypoint().fetch(request);
  },
};
"""

_NODE = """
const http = require("node:http");
const server = http.createServer((request, response) => response.end(String((7 * 2654435761) >>> 0) ));
server.listen(Number(process.argv[1]), "127.0.0.1");
"""


def measure_cold_starts(
    *, rounds: int, seed: int = 0, on_step: Callable[[str], None] | None = None
) -> dict[str, list[float]]:
    """The median of each kind of start in each round, in milliseconds; what is missing here is left out.

    Each round has a fresh process of workerd in which new workers are made in random turn, then one
    further process of workerd and one of Node.js for a single answer.

    Raises:
        ServiceError: workerd is missing, or a worker did not answer.
        BuildError, ToolchainError: the handler could not be built.
    """
    missing = workerd_missing()
    if missing:
        raise ServiceError("The start of a worker cannot be measured: workerd is missing.", hint=missing)
    artifact = build(parse_cell(_RUST, name="handler"))
    order = random.Random(seed)
    found: dict[str, list[float]] = defaultdict(list)
    node = find_node()
    for number in range(rounds):
        if on_step:
            on_step(f"round {number + 1} of {rounds}")
        for kind, times in _isolates(artifact, order).items():
            found[kind].append(sorted(times)[len(times) // 2])
        found[PROCESS].append(_workerd(artifact))
        if node is not None:
            found[NODE].append(_node([*node.command(), "-e", _NODE]))
    return dict(found)


def _isolates(artifact: Artifact, order: random.Random) -> dict[str, list[float]]:
    kinds = {ISOLATE_WASM: "wasm", ISOLATE_JAVASCRIPT: "js", REQUEST: "none"}
    times: dict[str, list[float]] = {kind: [] for kind in kinds}
    with Workerd(_loader(artifact), experimental=True) as server, _Client(server.port) as client:
        for start in range(_STARTS + 1):
            turn = list(kinds)
            order.shuffle(turn)
            for kind in turn:
                took = client.ask(f"/{kinds[kind]}")
                if start:
                    times[kind].append(took)
    return times


def _loader(artifact: Artifact) -> dict[str, bytes]:
    worker = Worker.of("main", _WITH_WASM, artifacts={"handler": artifact})
    texts = {module.name: module.data for module in worker.modules}
    loader = (
        _LOADER.replace("MAIN_WASM", json.dumps(_WITH_WASM))
        .replace("MAIN_JS", json.dumps(_JAVASCRIPT))
        .replace("ANSWER", _ANSWER)
        .replace("DATE", COMPATIBILITY_DATE)
    )
    modules = [
        struct(name=quoted("loader.js"), esModule='embed "loader"'),
        struct(name=quoted("handler.bin"), data='embed "wasm"'),
        struct(name=quoted("handler.txt"), text='embed "handler"'),
        struct(name=quoted("glue.txt"), text='embed "glue"'),
        struct(name=quoted("wasi.txt"), text='embed "wasi"'),
    ]
    main = struct(
        modules=listed(modules),
        bindings=listed([struct(name=quoted("LOADER"), workerLoader="()")]),
        compatibilityDate=quoted(COMPATIBILITY_DATE),
    )
    own = struct(
        modules=listed([struct(name=quoted("own.js"), esModule='embed "own"')]),
        compatibilityDate=quoted(COMPATIBILITY_DATE),
    )
    services = [
        struct(name=quoted("main"), worker=main),
        struct(name=quoted("own"), worker=own),
        struct(name=quoted("disk"), disk=struct(path=quoted("disk"))),
    ]
    sockets = [
        struct(name=quoted(name), address=quoted("127.0.0.1:0"), http="()", service=quoted(service))
        for name, service in ((HTTP_SOCKET, "main"), (OWN_SOCKET, "own"))
    ]
    config = (
        'using Workerd = import "/workerd/workerd.capnp";\n'
        f"const config :Workerd.Config = (\n  services = {listed(services)},\n  sockets = {listed(sockets)},\n);\n"
    )
    return {
        CONFIG: config.encode(),
        "loader": loader.encode(),
        "wasm": artifact.wasm,
        "handler": texts["handler.js"],
        "glue": texts["wasm-lab-glue.js"],
        "wasi": texts["wasm-lab-wasi.js"],
        "own": READY.encode(),
    }


class _Client:
    """Requests by a plain socket: a client library would take longer than what is timed."""

    def __init__(self, port: int) -> None:
        self._port = port

    def __enter__(self) -> _Client:
        self._socket = socket.create_connection(("127.0.0.1", self._port), _LONGEST_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self

    def __exit__(self, *_error: object) -> None:
        self._socket.close()

    def ask(self, path: str) -> float:
        """Milliseconds from the request to the whole of a short answer."""
        begun = time.perf_counter_ns()
        self._socket.sendall(f"GET {path} HTTP/1.1\r\nHost: edge\r\n\r\n".encode())
        said = b""
        while not said.endswith(_ANSWER.encode()):
            more = self._socket.recv(4096)
            said += more
            if not more or b" 500 " in said:
                raise ServiceError(f"A worker did not answer: {said.decode(errors='replace')[:200]}")
        return (time.perf_counter_ns() - begun) / 1e6


def _workerd(artifact: Artifact) -> float:
    """A process of workerd with nothing of the lab's around it."""
    found = find_workerd()
    assert found is not None
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        worker = Worker.of("main", _WITH_WASM, artifacts={"handler": artifact})
        for name, data in files_of(worker).items():
            Path(folder, name).write_bytes(data)
        disk = Path(folder, "disk")
        disk.mkdir()
        command = [
            str(found.program),
            "serve",
            str(Path(folder, CONFIG)),
            f"--socket-addr={HTTP_SOCKET}=127.0.0.1:{port}",
            f"--socket-addr={OWN_SOCKET}=unix:{folder}/own.sock",
            f"--directory-path={DISK}={disk}",
        ]
        return _process(command, port, Path(folder))


def _node(command: list[str]) -> float:
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        return _process([*command, str(port)], port, Path(folder))


def _process(command: list[str], port: int, folder: Path) -> float:
    """Milliseconds from the start of a process to the end of its first answer; it is ended then."""
    begun = time.perf_counter_ns()
    process = subprocess.Popen(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while time.perf_counter_ns() - begun < _LONGEST_S * 1e9 and process.poll() is None:
            try:
                with _Client(port) as client:
                    client.ask("/")
                return (time.perf_counter_ns() - begun) / 1e6
            except OSError:
                time.sleep(0.0005)
    finally:
        process.kill()
        process.wait()
    raise ServiceError(f"A process of {Path(command[0]).name} did not answer.")
