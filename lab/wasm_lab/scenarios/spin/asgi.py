"""A Spin application as an ASGI application: for a server, or for a test in process."""

from __future__ import annotations

import asyncio
import logging
import secrets
from typing import TYPE_CHECKING, Any

from wasm_lab.components import current
from wasm_lab.errors import UsageError
from wasm_lab.scenarios.spin.context import ComponentContext, Shared
from wasm_lab.scenarios.spin.host.bodies import IncomingBytes
from wasm_lab.scenarios.spin.host.codes import ErrorCode
from wasm_lab.scenarios.spin.host.crew import Crew
from wasm_lab.scenarios.spin.host.limits import Limits
from wasm_lab.scenarios.spin.host.log import ComponentLog
from wasm_lab.scenarios.spin.host.mounts import tree_of
from wasm_lab.scenarios.spin.host.serving import AnswerLost, Serving
from wasm_lab.scenarios.spin.host.types import IncomingResponse
from wasm_lab.scenarios.spin.host.wasi import implement
from wasm_lab.scenarios.spin.hosted import check_hosted
from wasm_lab.scenarios.spin.launch import HttpJob, Launcher
from wasm_lab.scenarios.spin.manifest import LocalSource
from wasm_lab.scenarios.spin.messages import Messages
from wasm_lab.scenarios.spin.outbound import OutboundRules
from wasm_lab.scenarios.spin.routes import Match, RouteTable
from wasm_lab.scenarios.spin.runtime_config import RuntimeConfig
from wasm_lab.scenarios.spin.services import interfaces_for
from wasm_lab.scenarios.spin.variables import Variables

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from wasm_lab.scenarios.spin.host.serving import Receive, Scope, Send
    from wasm_lab.scenarios.spin.host.types import FutureIncomingResponse, OutgoingRequest
    from wasm_lab.scenarios.spin.manifest import ComponentManifest, HttpTrigger, Manifest

log = logging.getLogger("wasm_lab.spin")


def application(
    manifest: Manifest,
    *,
    variables: Mapping[str, str] | None = None,
    runtime: RuntimeConfig | None = None,
    environment: Mapping[str, str] | None = None,
    state_dir: Path | None = None,
    log_dir: Path | None = None,
    quiet: bool = False,
    limits: Limits | None = None,
    run_id: str = "",
) -> Application:
    """An ASGI application that answers as Spin would; loads its components at the start of its lifespan.

    Args:
        manifest: checked, its components built.
        variables: values of application variables, which go before all others.
        runtime: what stands behind the labels of stores and services.
        environment: environment variables for every component, which go before the manifest's.
        state_dir: keeps stores and databases; by default ``.spin`` beside the manifest.
        log_dir: gets a file for what each component prints on each stream; None: none.
        quiet: what components print does not go to standard error.
        limits: what requests and guests may use.
        run_id: the same for all processes that serve one run of it; by default one of its own.

    Example:
        >>> app = application(load_manifest("spin.toml"))              # doctest: +SKIP
        >>> transport = httpx.ASGITransport(app)                       # doctest: +SKIP
    """
    return Application(
        manifest,
        Variables(manifest, given=variables),
        runtime=runtime or RuntimeConfig(),
        environment=environment or {},
        state_dir=state_dir or manifest.folder / ".spin",
        log_dir=log_dir,
        quiet=quiet,
        limits=limits or Limits(),
        run_id=run_id or secrets.token_hex(8),
    )


class Application:
    """What `application` gives. One for each process; load it before the process forks to load once."""

    def __init__(
        self,
        manifest: Manifest,
        variables: Variables,
        *,
        runtime: RuntimeConfig,
        environment: Mapping[str, str],
        state_dir: Path,
        log_dir: Path | None,
        quiet: bool,
        limits: Limits,
        run_id: str,
    ) -> None:
        self.manifest = manifest
        self.limits = limits
        self.run_id = run_id
        self.shared = Shared()
        self._variables = variables
        self._runtime = runtime
        self._environment = environment
        self._state_dir = state_dir
        self._log_dir = log_dir
        self._quiet = quiet
        self._routes = RouteTable(manifest.http_triggers, manifest.base)
        self._launchers: dict[str, Launcher] = {}
        self._logs: list[ComponentLog] = []
        self._crew: Crew | None = None
        self._messages: Messages | None = None
        self._closing = False

    def load(self) -> None:
        """Load and link every component. Doing it twice is nothing.

        Raises:
            UnsupportedError: the manifest asks for what this host does not have.
            LoadError, InterfaceError: a component cannot run here.
            UsageError: a variable has no value, the files of a component are not there, or what the
                application keeps cannot be written.
        """
        check_hosted(self.manifest)
        for folder in filter(None, (self._state_dir, self._log_dir)):
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise UsageError(
                    f"{folder} cannot be made, and it is to keep stores and logs: {error.strerror}.",
                    hint="Choose another folder: --state-dir DIR.",
                ) from None
        for trigger in self.manifest.http_triggers:
            if trigger.component:
                self.launcher(trigger.component, "http")
        for redis in self.manifest.redis_triggers:
            self.launcher(redis.component, "redis")

    def launcher(self, component_id: str, kind: str) -> Launcher:
        """The launcher of a component, made on the first request."""
        key = f"{kind} {component_id}"
        made = self._launchers.get(key)
        if made is None:
            made = self._launchers[key] = self._launcher(self.manifest.components[component_id], kind)
        return made

    def _launcher(self, component: ComponentManifest, kind: str) -> Launcher:
        if not isinstance(component.source, LocalSource):
            raise UsageError(
                f"The component {component.id!r} is not a file of this machine.",
                hint="Download it, and give its path as source; Spin itself fetches it: --engine spin.",
            )
        output = ComponentLog(component.id, self._log_dir, quiet=self._quiet)
        self._logs.append(output)
        context = ComponentContext(
            app=self.manifest,
            component=component,
            variables=self._variables.of(component),
            outbound=OutboundRules.resolve(component.allowed_outbound_hosts, self._variables.value),
            runtime=self._runtime,
            chain=self._chain,
            shared=self.shared,
            state_dir=self._state_dir,
        )
        environment = dict(component.environment)  # Spin fills in no variables here
        environment |= self._environment
        files = tree_of(self.manifest.folder, component.files, component.exclude_files)

        def imports(names: Collection[str]) -> dict[str, object]:
            return {
                **implement(names, environment, files, output, context.outbound),
                **interfaces_for(names, context),
            }

        return Launcher(
            component.id,
            component.source.path,
            kind,
            imports=imports,
            has_files=bool(component.files),
            log=output,
            limits=self.limits,
            report=self._report,
        )

    def _report(self, line: str) -> None:
        log.error("%s", self._variables.redact(line))

    @property
    def crew(self) -> Crew:
        """The threads of this process, made on first use: a fork would lose them."""
        if self._crew is None:
            self._crew = Crew(self.limits.guests)
        return self._crew

    def _chain(self, request: OutgoingRequest, component: str | None) -> FutureIncomingResponse:
        """See `context.Chain`."""
        from wasm_lab.scenarios.spin.host.chaining import DEPTH, Chained

        caller, path = current.data, request.path_text or "/"
        match = None
        if component is None:
            match = self._routes.match(path.partition("?")[0])
        else:
            triggers = [each for each in self.manifest.http_triggers if each.component == component]
            if triggers:
                match = Match.chained(triggers[0], path.partition("?")[0])
        authority = request.authority_text or "localhost"
        chained = Chained(
            caller,
            request,
            authority,
            lambda: (
                []
                if match is None
                else match.headers(full_url=f"http://{authority}{path}", client_address="127.0.0.1:0")
            ),
            caller.limit_s,
        )
        if chained.depth > DEPTH:
            chained.future.fail(ErrorCode.LoopDetected())
        elif match is None and component is not None:
            chained.future.fail(ErrorCode.DestinationNotFound())
        elif match is None or not match.trigger.component:
            chained.future.resolve(_without_guest(match))
        else:
            self.crew.submit(HttpJob(self.launcher(match.trigger.component, "http"), chained))
        return chained.future

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI 3."""
        if scope["type"] == "http":
            await self._answer(Serving(scope, receive, send, self.limits))
        elif scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1000})

    async def _answer(self, serving: Serving) -> None:
        match = self._routes.match(serving.path)
        if match is None:
            await serving.refuse_request(404)
            return
        trigger = match.trigger
        if not trigger.component:
            status, items, content = _static_parts(trigger)
            await serving.send_whole(status, [(name.encode(), value) for name, value in items], content)
            return
        if self._closing or self.crew.waiting >= self.limits.queued:
            await serving.refuse_request(503)
            return
        serving.match = match
        launcher = self.launcher(trigger.component, "http")

        def start() -> None:
            if not launcher.answer_at_once(serving):
                self.crew.submit(HttpJob(launcher, serving))

        try:
            await serving.deliver(start)
        except AnswerLost:
            self._report(f"{trigger.component}: its answer broke off")
            raise

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            self.load()
            self._listen()
        except Exception as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.close()
        await send({"type": "lifespan.shutdown.complete"})

    def _listen(self) -> None:
        """Begin to handle messages, if the application has triggers for them."""
        triggers = [
            (
                self._variables.fill(trigger.address),
                self._variables.fill(trigger.channel),
                self.launcher(trigger.component, "redis"),
            )
            for trigger in self.manifest.redis_triggers
        ]
        if triggers:
            self._messages = Messages(self.run_id, triggers, self.crew, self.limits, self._report)

    async def close(self) -> None:
        """Let the guests that run end, stop them after a while, and close what they shared."""
        self._closing = True
        if self._messages is not None:
            await asyncio.to_thread(self._messages.close)
        crew = self._crew
        if crew is not None:
            loop = asyncio.get_running_loop()
            until = loop.time() + self.limits.drain_s
            while crew.busy and loop.time() < until:
                await asyncio.sleep(0.01)
            for guest in crew.guests():
                guest.stop()
            until = loop.time() + 1.0
            while crew.busy and loop.time() < until:
                await asyncio.sleep(0.01)
            crew.close()
        for output in self._logs:
            output.close()
        self.shared.close()


def _static_parts(trigger: HttpTrigger) -> tuple[int, list[tuple[str, bytes]], bytes]:
    """What stands in the manifest for a route without a component."""
    said: Mapping[str, Any] = trigger.static_response or {}
    items = [(str(name).lower(), str(value).encode()) for name, value in said.get("headers", {}).items()]
    return int(said.get("status_code", 200)), items, str(said.get("body", "")).encode()


def _without_guest(match: Match | None) -> IncomingResponse:
    if match is None:
        return IncomingResponse(404, [], None)
    status, items, content = _static_parts(match.trigger)
    return IncomingResponse(status, items, IncomingBytes.of(content))
