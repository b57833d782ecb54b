"""A Spin application at work for a notebook: ask it, read its log, stop it."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import time
from collections import deque
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from wasm_lab.errors import ManifestError, UsageError
from wasm_lab.scenarios.spin.manifest import LocalSource, Problem
from wasm_lab.scenarios.spin.reading import parse_manifest
from wasm_lab.scenarios.spin.toml_text import parse_toml

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import httpx

    from wasm_lab.artifact import Artifact
    from wasm_lab.scenarios.spin.manifest import ComponentManifest, Manifest
    from wasm_lab.scenarios.spin.toml_text import Toml

#: Names of the folders of stores and logs begin with it; then comes the process that they belong to.
PREFIX = "wasm-lab-spin-"

#: Seconds that running guests still have when their application is stopped. Whoever runs a cell again waits for them.
DRAIN_S = 1.0

#: Requests that are remembered, the latest.
REMEMBERED = 100


def _nothing(_: str) -> None:
    pass


class Server(Protocol):
    """What answers: in this process, or one of its own."""

    url: str
    has_port: bool  #: whether others reach it at that address

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send one request and wait for the whole answer."""

    def close(self) -> None:
        """Stop answering, and give back what was taken."""

    def abandon(self) -> None:
        """Stop answering, at once."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, and what came of it."""

    method: str
    path: str
    status: int
    duration_ns: int


class LiveApp:
    """A Spin application that answers until it is stopped.

    Args:
        manifest: checked, with every component's file there.
        server: runs it.
        logs: the folder in which the host writes what the components print.
    """

    def __init__(self, manifest: Manifest, server: Server, logs: Path) -> None:
        self.manifest = manifest
        self.requests: deque[Asked] = deque(maxlen=REMEMBERED)  #: the latest that were sent from here
        self._server: Server | None = server
        self._logs = logs

    def __repr__(self) -> str:
        return f"<Spin application {self.manifest.name}: {self.state}>"

    @property
    def running(self) -> bool:
        return self._server is not None

    @property
    def state(self) -> str:
        """Where it answers, or that it does not."""
        if self._server is None:
            return "stopped"
        return f"at {self._server.url}" if self._server.has_port else "in this process"

    @property
    def url(self) -> str:
        """The address at which others reach it, without a slash at the end.

        Raises:
            UsageError: it has none, or was stopped.
        """
        server = self._working()
        if not server.has_port:
            raise UsageError(
                f"{self.manifest.name} answers in this process only, and has no address.",
                hint="With --serve on the line of its cell it has a port of this machine.",
            )
        return server.url

    @property
    def log(self) -> str:
        """All that its components have printed: what went to standard output, then standard error."""
        files = [*sorted(self._logs.glob("*_stdout.txt")), *sorted(self._logs.glob("*_stderr.txt"))]
        return "".join(file.read_text(encoding="utf-8", errors="replace") for file in files)

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request and wait for the whole answer.

        Args:
            method: such as ``"GET"``.
            path: on this application, with its query.
            options: ``content=``, ``json=``, ``headers=``, ``timeout=``… as ``httpx.request`` takes them.

        Raises:
            UsageError: the application was stopped.
            httpx.HTTPError: there was no answer.
        """
        server = self._working()
        begun = time.perf_counter_ns()
        response = server.request(method, path, **options)
        taken = time.perf_counter_ns() - begun
        self.requests.append(Asked(method, path, response.status_code, taken))
        return response

    def get(self, path: str = "/", **options: Any) -> httpx.Response:
        """``request("GET", path)``."""
        return self.request("GET", path, **options)

    def head(self, path: str = "/", **options: Any) -> httpx.Response:
        """``request("HEAD", path)``."""
        return self.request("HEAD", path, **options)

    def post(self, path: str = "/", **options: Any) -> httpx.Response:
        """``request("POST", path)``."""
        return self.request("POST", path, **options)

    def put(self, path: str = "/", **options: Any) -> httpx.Response:
        """``request("PUT", path)``."""
        return self.request("PUT", path, **options)

    def delete(self, path: str = "/", **options: Any) -> httpx.Response:
        """``request("DELETE", path)``."""
        return self.request("DELETE", path, **options)

    def stop(self) -> None:
        """Stop it; what its stores hold is kept. Stopping twice is nothing."""
        server, self._server = self._server, None
        if server is not None:
            server.close()

    def abandon(self) -> None:
        """Let it end with the process, which is ending."""
        server, self._server = self._server, None
        if server is not None:
            server.abandon()

    def __enter__(self) -> LiveApp:
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def _working(self) -> Server:
        if self._server is None:
            raise UsageError(
                f"{self.manifest.name} was stopped.", hint="Run its cell again to start it again."
            )
        return self._server


class LiveApps:
    """The applications of one notebook, by name: a newer one takes the place of the older.

    Each name keeps a temporary folder for its stores and logs, until `close`.
    """

    def __init__(self) -> None:
        self._apps: dict[str, LiveApp] = {}
        self._cells: dict[str, set[str]] = {}  # the cells that are components of each application
        self._folder: Path | None = None
        atexit.register(self._abandon)

    def start(
        self,
        name: str,
        text: str,
        *,
        folder: Path,
        guests: Mapping[str, Artifact],
        serve: bool = False,
        say: Callable[[str], None] = _nothing,
        **settings: Any,
    ) -> LiveApp:
        """Start an application from the text of a manifest, and stop the earlier one of this name.

        Args:
            name: what the notebook calls it.
            text: of a ``spin.toml``, version 2.
            folder: where relative paths start from.
            guests: cells that are components: ``source = "NAME.wasm"`` means the cell first.
            serve: at a port of this machine too.
            say: told what takes long, such as fetching a component from a URL.
            settings: ``variables``, ``runtime``, ``limits`` and ``quiet`` of `asgi.application`.

        Raises:
            ManifestError: the text is wrong, or a component is nowhere; nothing was stopped.
            LoadError, InterfaceError, UnsupportedError, UsageError: it cannot be started.
        """
        from wasm_lab.scenarios.spin.hosted import check_hosted, with_local_files

        manifest = parse_manifest(text, folder / "spin.toml")
        check_hosted(manifest)
        manifest = self._with_guests(manifest, name, guests, parse_toml(text))
        manifest = with_local_files(manifest, say)
        own = self._folder_of(name)
        self.stop(name)
        app = _start(manifest, own, serve, settings)
        self._apps[name] = app
        self._cells[name] = {
            cell for each in manifest.components.values() if (cell := _cell_of(each, guests)) is not None
        }
        return app

    def using(self, cell: str) -> list[str]:
        """The running applications of which a cell is a component, as it was when they started."""
        return [name for name, app in self._apps.items() if app.running and cell in self._cells[name]]

    def stop(self, name: str) -> None:
        """Stop the application of that name, if there is one."""
        app = self._apps.pop(name, None)
        if app is not None:
            app.stop()

    def close(self) -> None:
        """Stop all of them, and delete their stores and logs."""
        for name in list(self._apps):
            self.stop(name)
        self._delete_folder()

    def _abandon(self) -> None:
        for app in self._apps.values():
            app.abandon()
        self._delete_folder()

    def _delete_folder(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _folder_of(self, name: str) -> Path:
        if self._folder is None:
            _delete_abandoned()
            self._folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
        own = self._folder / name
        own.mkdir(exist_ok=True)
        return own

    def _with_guests(
        self, manifest: Manifest, name: str, guests: Mapping[str, Artifact], toml: Toml
    ) -> Manifest:
        """The manifest with each source where it is: a cell's module in a file of its own."""
        components, problems = {}, []
        for each in manifest.components.values():
            source = each.source
            components[each.id] = each
            if not isinstance(source, LocalSource):
                continue
            cell = _cell_of(each, guests)
            if cell is not None:
                path = self._folder_of(name) / f"{each.id}.wasm"
                path.write_bytes(guests[cell].wasm)
                components[each.id] = replace(each, source=replace(source, path=path))
            elif not source.path.is_file():
                problems.append(_nowhere(each, source, guests, toml))
        if problems:
            raise ManifestError(
                f"{manifest.name} cannot be started.",
                problems=problems,
                hint="A component is a %%wasm_rust --name NAME cell, or a file beside the notebook.",
            )
        return replace(manifest, components=components)


def _delete_abandoned() -> None:
    """Delete what processes left behind that were killed."""
    import psutil

    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
        owner = folder.name.removeprefix(PREFIX).partition("-")[0]
        if owner.isdigit() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)


def _cell_of(component: ComponentManifest, guests: Mapping[str, Artifact]) -> str | None:
    """The name of the cell that a component's source means; None when it means a file."""
    source = component.source
    name = source.written.removesuffix(".wasm") if isinstance(source, LocalSource) else ""
    return name if name in guests else None


def _nowhere(
    component: ComponentManifest, source: LocalSource, guests: Mapping[str, Artifact], toml: Toml
) -> Problem:
    place = ("component", component.id, "source")
    line, column = toml.places.get(place, (component.line, 1))
    cells = (
        f"The cells that are components: {', '.join(guests)}." if guests else "No cell is a component yet."
    )
    return Problem(
        line,
        column,
        f"{source.written!r} is neither a cell nor a file",
        f"{cells} There is no file {source.path}.",
    )


def _start(manifest: Manifest, folder: Path, serve: bool, settings: Mapping[str, Any]) -> LiveApp:
    from wasm_lab.scenarios.spin.asgi import application
    from wasm_lab.scenarios.spin.host.limits import Limits
    from wasm_lab.scenarios.spin.in_process import InProcess, Served

    logs = folder / "logs"
    shutil.rmtree(logs, ignore_errors=True)
    limits = replace(settings.get("limits") or Limits(), drain_s=DRAIN_S)
    app = application(manifest, state_dir=folder / "state", log_dir=logs, **{**settings, "limits": limits})
    app.load()  # raises what is wrong; the lifespan protocol only tells its text
    server = Served(app) if serve else InProcess(app, f"http://{manifest.name}.localhost")
    return LiveApp(manifest, server, logs)
