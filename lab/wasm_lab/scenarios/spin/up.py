"""``wasm-lab spin up``: the application on a server with several worker processes, until Ctrl-C."""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import secrets
import signal
import socket
import sys
import threading
import time
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any

from wasm_lab.errors import UsageError
from wasm_lab.measure.machine import usable_cores
from wasm_lab.runtimes.wasmtime.interrupts import main_thread
from wasm_lab.scenarios.spin.asgi import application
from wasm_lab.scenarios.spin.host.limits import Limits
from wasm_lab.scenarios.spin.host.serving import AnswerLost
from wasm_lab.scenarios.spin.routes import RouteTable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from wasm_lab.scenarios.spin.asgi import Application
    from wasm_lab.scenarios.spin.manifest import Manifest

#: Connections that wait to be accepted.
BACKLOG = 1024

#: Connections that a worker holds at once, as far as the machine allows. Those beyond wait, so that a
#: client which opens many and says nothing must not have enough with a few hundred.
CONNECTIONS = 8192

#: Objects more than before at which the garbage collector looks for cycles.
GARBAGE = 10_000

#: Seconds between two looks of a worker for the process that started it.
ORPHAN_S = 0.5

#: Seconds that a worker has, beyond what its guests are given, before it is killed.
GRACE_S = 5


def serve(
    manifest: Manifest,
    *,
    listen: str = "127.0.0.1:3000",
    workers: int | None = None,
    environment: Mapping[str, str] | None = None,
    variables: Mapping[str, str] | None = None,
    runtime_config: Path | None = None,
    state_dir: Path | None = None,
    quiet: bool = False,
) -> int:
    """Answer requests until SIGINT or SIGTERM; then let those under way end.

    Args:
        manifest: checked, all of it for this host (`hosted`), its components built and files of this machine.
        listen: ``ip:port``; port 0 finds one.
        workers: processes that answer; by default one for each core.
        environment, variables, state_dir, quiet: as for `asgi.application`.
        runtime_config: Spin's runtime configuration file.

    Returns:
        The exit status.

    Raises:
        LoadError, InterfaceError, UsageError: the application cannot be started.
    """
    host, port = _free_address(listen)
    make = partial(
        _make,
        manifest,
        variables=variables,
        runtime_config=runtime_config,
        environment=environment,
        state_dir=state_dir,
        quiet=quiet,
        run_id=secrets.token_hex(8),
    )
    app = make()
    app.load()  # before the workers are forked: once for all of them
    _settle()
    from granian import Granian
    from granian.constants import Interfaces, RuntimeModes
    from granian.log import LogLevels

    if sys.platform == "linux" and multiprocessing.get_start_method(allow_none=True) is None:
        multiprocessing.set_start_method("fork")
    forked = multiprocessing.get_start_method() == "fork"
    server: Any = Granian(
        "wasm_lab.scenarios.spin",
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        workers=workers or usable_cores(),
        runtime_mode=RuntimeModes.st,
        backlog=BACKLOG,
        backpressure=_connections(),
        websockets=False,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=int(Limits().drain_s) + GRACE_S,
    )
    logging.getLogger("_granian").addFilter(_tells_something_new)
    server.on_startup(lambda: _announce(manifest, host, port))
    server.serve(target_loader=partial(_at_work, (lambda: app) if forked else make), wrap_loader=False)
    return 0


def _end_without(parent: int) -> None:
    """End this worker when the process that started it was killed: else it would keep the port."""
    while os.getppid() == parent:
        time.sleep(ORPHAN_S)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(Limits().drain_s + GRACE_S)
    os._exit(1)


def _at_work(make: Callable[[], Application]) -> Application:
    """The application, in a worker. Called there on the main thread, before the event loop runs."""
    threading.Thread(target=_end_without, args=(os.getppid(),), daemon=True).start()
    # Signals only wake the loop, whose handlers raise nothing: they need not be set aside for each guest.
    main_thread.hold()
    return make()


def _connections() -> int:
    """How many connections a worker holds: half of the files that it may open are for other things."""
    try:
        import resource
    except ImportError:  # Windows, where sockets are no files
        return CONNECTIONS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * CONNECTIONS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        except (OSError, ValueError):  # macOS allows less than it says
            soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return CONNECTIONS if soft == resource.RLIM_INFINITY else max(64, min(CONNECTIONS, soft // 2))


def _settle() -> None:
    """Spare the garbage collector what stays for ever; requests leave it almost nothing."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE)


def _tells_something_new(record: logging.LogRecord) -> bool:
    """Whether a line of the server's own log is worth it: that an answer broke off was told before."""
    return not (record.exc_info and isinstance(record.exc_info[1], AnswerLost))


def _make(
    manifest: Manifest,
    *,
    variables: Mapping[str, str] | None,
    runtime_config: Path | None,
    environment: Mapping[str, str] | None,
    state_dir: Path | None,
    quiet: bool,
    run_id: str,
) -> Application:
    """The application, in the process that starts the workers or in a worker itself."""
    from wasm_lab.scenarios.spin.runtime_config import load_runtime_config

    log = logging.getLogger("wasm_lab.spin")
    if not log.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        log.addHandler(handler)
        log.propagate = False
    folder = state_dir or manifest.folder / ".spin"
    return application(
        manifest,
        variables=variables,
        runtime=None if runtime_config is None else load_runtime_config(runtime_config),
        environment=environment,
        state_dir=folder,
        log_dir=folder / "logs",
        quiet=quiet,
        run_id=run_id,
    )


def _free_address(listen: str) -> tuple[str, int]:
    """The address to listen at. The workers share it by ``SO_REUSEPORT``, so it is tried without first."""
    host, _, number = listen.rpartition(":")
    host = host.strip("[]")
    if not number.isdigit() or int(number) > 65535 or not host:
        raise UsageError(f"{listen!r} is no address.", hint="Write IP:PORT, such as 127.0.0.1:3000.")
    try:
        family = socket.getaddrinfo(host, None)[0][0]
        with closing(socket.socket(family)) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind((host, int(number)))
            return host, int(trial.getsockname()[1])
    except OSError as error:
        raise UsageError(
            f"Cannot listen at {listen}: {error.strerror or error}.",
            hint="Another program may use the port: choose another with --listen 127.0.0.1:0",
        ) from None


def _announce(manifest: Manifest, host: str, port: int) -> None:
    threading.Thread(target=_tell_when_ready, args=(manifest, host, port), daemon=True).start()


def _tell_when_ready(manifest: Manifest, host: str, port: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            socket.create_connection((host, port), 1).close()
        except OSError:
            time.sleep(0.002)
            continue
        sys.stdout.write(describe(manifest, host, port) + "\n")
        sys.stdout.flush()
        return


def describe(manifest: Manifest, host: str, port: int) -> str:
    """What ``up`` prints: the address, and the routes in the order in which they are tried."""
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    lines = [f"Serving {url}"]
    routes = RouteTable(manifest.http_triggers, manifest.base).routes
    if routes:
        lines.append("Available Routes:")
    for route, trigger in routes:
        wildcard = " (wildcard)" if route.endswith("/...") else ""
        name = trigger.component or "static response"
        lines.append(f"  {name}: {url}{route.removesuffix('/...')}{wildcard}")
    for trigger in manifest.http_triggers:
        if trigger.private:
            lines.append(f"  {trigger.component}: private, at http://{trigger.component}.spin.internal")
    return "\n".join(lines)
