"""A worker at work in workerd: ask it, read its log, look into its KV namespaces, stop it."""

from __future__ import annotations

import atexit
import json
import re
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wasm_lab.diagnostic import Diagnostic, Span
from wasm_lab.errors import CompileError, ServiceError, UsageError
from wasm_lab.scenarios.edge.advice import advised
from wasm_lab.scenarios.edge.log import readable
from wasm_lab.scenarios.edge.namespace import Namespace, check_body
from wasm_lab.scenarios.edge.worker import CF_HEADER, files_of
from wasm_lab.services.workerd import Workerd

if TYPE_CHECKING:
    import httpx

    from wasm_lab.scenarios.edge.worker import Worker

#: Seconds that a request may take.
DEADLINE_S = 30.0

#: Requests that are remembered, the latest.
REMEMBERED = 100

#: Lines of the log that an error shows.
_SHOWN_LINES = 12

#: What V8 says of a text that it does not take, and where: ``  at NAME.js:LINE:COLUMN``. At the end of a text
#: that ends in a new line, it names no column.
_UNCAUGHT = re.compile(r"Uncaught (?P<message>.*?)(?=\n\s+at |\n\S|\Z)", re.DOTALL)
_PLACE = re.compile(
    r"at (?:.*\()?(?P<name>[^\s()]+?):(?P<line>\d+)(?::(?P<column>\d+))?(?=\)|$)", re.MULTILINE
)
_END = "Unexpected end of input"

#: What V8 says of a text with types, whatever stands in the line; and what it also says of other mistakes, with
#: the lines of which it is about types: a variable's, a declaration of one, a class's.
_TYPES = re.compile(r"Unexpected token '[:?!]'|Unexpected identifier '(?:as|satisfies)'")
_TYPES_IN_LINE = (
    (r"Missing initializer in", r"\b(?:const|let|var)\s+(?:[\w$]+|\{.*?\}|\[.*?\])\s*:"),
    (
        r"Unexpected",
        r"^\s*(?:export\s+|import\s+)?(?:default\s+)?(?:abstract|declare|enum|interface|namespace|type)\s+[\w${]",
    ),
    (r"Unexpected identifier", r"^\s*import\s*\{.*\btype\s+\w"),
    (
        r"Unexpected (?:identifier|strict mode)",
        r"\b(?:private|protected|public|readonly)\s+[\w$#]+\s*[:=(;?]",
    ),
    (r"Unexpected (?:identifier|strict mode)", r"\bclass\b.*\bimplements\b"),
    (r"Unexpected identifier", r"^\s*[\w$#]+\s*:\s*[\w$<>\[\]|, ]+;\s*$"),  # a field of a class
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, and what came of it."""

    method: str
    path: str
    status: int
    duration_ns: int


class LiveWorker:
    """A worker that answers until it is stopped, or the process ends.

    Example:
        >>> from wasm_lab.scenarios.edge import Worker, run_worker
        >>> text = 'export default { fetch() { return new Response("hi"); } };'
        >>> with run_worker(Worker.of("hello", text)) as worker:     # doctest: +SKIP
        ...     worker.get("/").text
        'hi'
    """

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.requests: deque[Asked] = deque(maxlen=REMEMBERED)  #: the latest that were sent from here
        self._server = Workerd(files_of(worker))
        self._client: httpx.Client | None = None
        self._running = False

    def __repr__(self) -> str:
        return f"<worker {self.worker.name}: {self.state}>"

    def start(self) -> LiveWorker:
        """Start it, and wait until workerd has read its text.

        Raises:
            CompileError: its text is no JavaScript, or throws when it is loaded; with the line.
            ServiceError: workerd is missing, or did not start.
        """
        try:
            self._server.start()
        except ServiceError as error:
            raise self._refusal(error) from None
        self._running = True
        return self

    def replace(self, worker: Worker) -> LiveWorker:
        """Run another worker in this one's place: same address, and the same KV namespaces.

        Raises:
            CompileError, ServiceError: as `start` does; then none runs.
        """
        self.stop()
        self.worker = worker
        self.requests.clear()
        try:
            self._server.replace(files_of(worker))
        except ServiceError as error:
            raise self._refusal(error) from None
        self._running = True
        return self

    @property
    def running(self) -> bool:
        """Whether workerd runs."""
        return self._running and self._server.running

    @property
    def state(self) -> str:
        """Where it answers, or that it does not."""
        if self.running:
            return f"at {self._server.url}"
        return "ended unexpectedly" if self._running else "stopped"

    @property
    def url(self) -> str:
        """Its address on this machine: ``http://127.0.0.1:PORT``, without a slash at the end.

        Raises:
            UsageError: it was stopped.
        """
        self._check_running()
        return self._server.url

    @property
    def log(self) -> str:
        """What it told on the console, and what workerd told of it, since it was started."""
        return advised(readable(self._server.log), self._line, self._server.url.removeprefix("http://"))

    def _line(self, module: str, line: int) -> str:
        """A line of the worker's own text, counted as V8 does."""
        main = self.worker.modules[0]
        if module != main.name:
            return ""
        text = main.data.decode(errors="replace").split("\n")
        index = line - self.worker.first_line
        return text[index] if 0 <= index < len(text) else ""

    def request(
        self,
        method: str,
        path: str = "/",
        headers: Mapping[str, str] | None = None,
        body: bytes | str | None = None,
        *,
        cf: Mapping[str, Any] | None = None,
        timeout_s: float = DEADLINE_S,
    ) -> httpx.Response:
        """Send a request and wait for the whole answer; redirects are not followed.

        Args:
            method: such as ``"POST"``.
            path: with its query.
            headers: of the request.
            body: of the request.
            cf: what Cloudflare would know of who asks, such as ``{"country": "NL"}``: ``request.cf``.
            timeout_s: seconds that the answer may take.

        Raises:
            UsageError: the worker was stopped, or ``path``, ``headers`` or ``body`` is of another type.
            ServiceError: workerd ended, or there was no answer in time; with the end of its log.
        """
        import httpx

        self._check_running()
        _check_request(path, headers, body)
        if cf is not None:
            headers = {**(headers or {}), CF_HEADER: json.dumps(cf)}
        if self._client is None:
            # No proxies of the environment, and no certificates: reading those takes a tenth of a second.
            self._client = httpx.Client(trust_env=False, verify=False, base_url=self._server.url)
        begun = time.perf_counter_ns()
        try:
            answer = self._client.request(method, path, headers=headers, content=body, timeout=timeout_s)
        except httpx.TimeoutException:
            raise ServiceError(
                f"{self.worker.name} did not answer {method} {path} within {timeout_s:g} s.",
                hint="It may wait for what never comes, or compute for ever. Its isolate has one thread: "
                "stop() ends it, and running its cell again starts it anew." + self._end_of_log(),
            ) from None
        except httpx.TransportError as error:
            raise self._lost(f"{method} {path}", str(error) or type(error).__name__) from None
        taken = time.perf_counter_ns() - begun
        self.requests.append(Asked(method, path, answer.status_code, taken))
        return answer

    def get(self, path: str = "/", headers: Mapping[str, str] | None = None, **more: Any) -> httpx.Response:
        """``request("GET", path, headers)``."""
        return self.request("GET", path, headers, **more)

    def post(
        self,
        path: str = "/",
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> httpx.Response:
        """``request("POST", path, headers, body)``."""
        return self.request("POST", path, headers, body, **more)

    def kv(self, name: str) -> Namespace:
        """One of its KV namespaces, for reading and writing from here.

        Raises:
            UsageError: it has none of that name, or was stopped.
        """
        self._check_running()
        names = self.worker.bindings.kv
        if name not in names:
            raise UsageError(
                f"{self.worker.name} has no KV namespace {name}.",
                hint=f"It has: {', '.join(names) or 'none'}. One is bound with --kv {name}.",
            )
        return Namespace(name, self._server.own_socket)

    def stop(self) -> None:
        """Stop it; its KV namespaces keep what they hold for `replace`. Stopping twice is nothing."""
        self._running = False
        self._disconnect()
        self._server.stop()

    def close(self) -> None:
        """Stop it and forget all that it kept."""
        self._running = False
        self._disconnect()
        self._server.close()

    def __enter__(self) -> LiveWorker:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _disconnect(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _check_running(self) -> None:
        if not self._running:
            raise UsageError(f"{self.worker.name} was stopped.", hint="Run its cell again to start it again.")

    def _lost(self, what: str, why: str) -> ServiceError:
        for _ in range(20):  # the process may be ending at this moment
            if not self._server.running:
                return ServiceError(
                    f"workerd ended while it answered {what} for {self.worker.name}.",
                    hint="Run the worker's cell again to start it again." + self._end_of_log(),
                )
            time.sleep(0.01)
        return ServiceError(
            f"{self.worker.name} broke off its answer to {what}: {why}.", hint=self._end_of_log().lstrip()
        )

    def _end_of_log(self) -> str:
        lines = self.log.splitlines()[-_SHOWN_LINES:]
        return "\nThe end of its log:\n" + "\n".join(lines) if lines else ""

    def _refusal(self, error: ServiceError) -> CompileError | ServiceError:
        """What workerd says of the worker's text, with the line of the cell; else the error as it was."""
        said = readable(self._server.last_words)
        found = _UNCAUGHT.search(said)
        if found is None:
            return ServiceError(error.message, hint=f"The end of its log:\n{said.strip()}") if said else error
        worker, message = self.worker, " ".join(found["message"].split())
        main = worker.modules[0].name
        label = worker.label or main
        spans: tuple[Span, ...] = ()
        place = _PLACE.search(said, found.start())
        rendered, shown = f"{label}: {message}", ""
        if (place and place["name"] == main) or (place and worker.script):
            line, column = int(place["line"]), int(place["column"] or 1)
            text = ("\n" * (worker.first_line - 1) + worker.modules[0].data.decode()).split("\n")
            if _END in message:  # after what was written last, not in the empty lines below it
                line = max(number for number, each in enumerate(text, 1) if each.strip())
                column = len(text[line - 1].rstrip()) + 1
            shown = text[line - 1] if line <= len(text) else ""
            spans = (Span(label=label, line=line, column=column, end_line=line, end_column=column + 1),)
            margin = " " * len(str(line))
            mark = " " * (column - 1) + "^"
            rendered = f"{label}:{line}:{column}: {message}\n  {line} | {shown}\n  {margin} | {mark}"
        elif place:
            where = ":".join(each for each in place.group("name", "line", "column") if each)
            rendered = f"{where}: {message}"
        return CompileError(
            f"{worker.name} was not started: workerd does not take its text.",
            diagnostics=[Diagnostic(level="error", message=message, spans=spans, rendered=rendered)],
            rendered=rendered,
            hint=_hint(message, shown),
        )


def _check_request(path: object, headers: object, body: object) -> None:
    """httpx refuses these too, far below and without saying what they belong to."""
    if not isinstance(path, str):
        raise UsageError(
            f"The path of a request is text; this is of type {type(path).__name__}.", hint='Such as "/path".'
        )
    pairs = headers.items() if isinstance(headers, Mapping) else ()
    if isinstance(headers, str | bytes) or not all(
        isinstance(each, str | bytes) for pair in pairs for each in pair
    ):
        raise UsageError(
            "The headers of a request are a dictionary from text to text.",
            hint='Such as {"accept": "text/plain"}; a body goes to post(path, body).',
        )
    if body is not None:
        check_body(body, "The body of a request")


def _hint(message: str, line: str) -> str:
    """What to do about what V8 says of a text, with the line that it names, if that is known."""
    if "global scope" in message:
        return "Fetch, timers and random numbers are for handlers: do it in fetch(), not beside it."
    if "ExportedHandler" in message:
        return "A worker's named exports are classes and handlers; leave export out before other values."
    if _END in message:
        return (
            "The text ends while a block, a call, a list or a template text is still open: one of } ) ] ` is missing. "
            "It may be missing far above: look for the first closing bracket that is not indented as the line "
            "that opened it."
        )
    if _TYPES.search(message) or any(
        re.search(said, message) and re.search(written, line) for said, written in _TYPES_IN_LINE
    ):
        return "TypeScript is not JavaScript: take types out, or compile it before."
    return ""


class LiveWorkers:
    """The workers of one notebook, by name: a newer one takes the place of the older."""

    def __init__(self) -> None:
        self._workers: dict[str, LiveWorker] = {}
        atexit.register(self.close)

    def start(self, worker: Worker) -> LiveWorker:
        """Start a worker; an earlier one of its name is stopped, and its KV and address are taken over.

        Raises:
            CompileError, ServiceError: as `LiveWorker.start` does.
        """
        live = self._workers.get(worker.name)
        if live is not None:
            try:
                return live.replace(worker)
            except BaseException:
                if not live.running:
                    live.stop()
                raise
        live = LiveWorker(worker)
        try:
            live.start()
        except BaseException:
            live.close()
            raise
        self._workers[worker.name] = live
        return live

    def using(self, cell: str) -> list[str]:
        """The running workers that import a cell, as it was when they started."""
        return [name for name, live in self._workers.items() if live.running and cell in live.worker.cells]

    def close(self) -> None:
        """Stop all of them."""
        while self._workers:
            self._workers.popitem()[1].close()
