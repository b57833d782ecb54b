"""A Cloudflare Worker as a record, and the configuration that makes workerd run it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from importlib import resources
from typing import TYPE_CHECKING, Any

from wasm_lab.errors import UsageError
from wasm_lab.scenarios.edge.capnp import listed, quoted, struct
from wasm_lab.scenarios.edge.javascript import read
from wasm_lab.scenarios.edge.modules import SHORT, Gathered, Module, gather
from wasm_lab.services.workerd import CONFIG, DISK, HTTP_SOCKET, OWN_SOCKET

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from wasm_lab.artifact import Artifact

#: What decides the details of the platform's behaviour: the newest date that the pinned workerd knows.
COMPATIBILITY_DATE = "2026-11-17"

#: The header in which a request brings its ``request.cf``, as JSON; a worker never sees the header.
CF_HEADER = "x-wasm-lab-cf"

#: What the lab's own socket leads to where there is no KV: it tells that workerd is up.
READY = 'export default { fetch() { return new Response("ready"); } };'

#: The module that workerd loads: it listens for lost rejections, and passes the worker's exports on.
ENTRY = "wasm-lab-entry.js"

#: Names of bindings: they become properties of ``env``, and globals of a script in the older syntax.
_NAME = re.compile(r"[A-Za-z_$][\w$]*", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True, kw_only=True)
class Bindings:
    """What ``env`` holds for a worker, by name."""

    texts: Mapping[str, str] = field(default_factory=dict)  #: variables and texts
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)  #: told to nobody but the worker
    json: Mapping[str, Any] = field(default_factory=dict)  #: parsed before the worker sees them
    data: Mapping[str, bytes] = field(default_factory=dict)  #: arrive as ArrayBuffer
    kv: tuple[str, ...] = ()  #: KV namespaces
    #: What they are at Cloudflare, by name, as a configuration has it: ``id`` and ``preview_id``.
    kv_ids: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def names(self) -> tuple[str, ...]:
        """Every name, in the order of their kinds."""
        return (*self.texts, *self.secrets, *self.json, *self.data, *self.kv)

    def check(self) -> None:
        """Refuse names that no property has, and names given twice.

        Raises:
            UsageError: says which.
        """
        seen: set[str] = set()
        for name in self.names():
            if not _NAME.fullmatch(name):
                raise UsageError(f"{name!r} cannot be the name of a binding.", hint="Such as GREETING.")
            if name in seen:
                raise UsageError(f"env.{name} is given twice.", hint="Every binding has a name of its own.")
            seen.add(name)


@dataclass(frozen=True, kw_only=True)
class Worker:
    """A worker, ready to be run or exported.

    Example:
        >>> worker = Worker.of("hello", "export default { fetch() { return new Response('hi'); } };")
        >>> [module.name for module in worker.modules]
        ['hello.js']
    """

    name: str
    modules: tuple[Module, ...]  #: its own text first
    cells: tuple[str, ...] = ()  #: those whose functions it imports
    script: bool = False  #: in the older service-worker syntax: ``addEventListener("fetch", …)``
    bindings: Bindings = field(default_factory=Bindings)
    allowed_hosts: tuple[str, ...] = ()  #: ``HOST`` or ``HOST:PORT`` that it may send requests to
    compatibility_date: str = COMPATIBILITY_DATE
    compatibility_flags: tuple[str, ...] = ()
    label: str = ""  #: what messages call its text
    first_line: int = 1  #: of the cell or file, in which the text begins

    @classmethod
    def of(
        cls,
        name: str,
        text: str,
        *,
        folder: Path | None = None,
        artifacts: Mapping[str, Artifact] | None = None,
        wasm: tuple[str, ...] = (),
        bindings: Bindings | None = None,
        main: str = "",
        aliases: Mapping[str, str] | None = None,
        **settings: Any,
    ) -> Worker:
        """A worker from the text of its main module.

        Args:
            name: of the worker.
            folder: where relative imports start; the current one if it is not said.
            artifacts: cells and modules that it may import, by name.
            wasm: those of them that belong to it even if it does not import them.
            main: the path of the main module; ``NAME.js`` if it is not said.
            aliases: paths that short names in imports stand for.
            settings: ``allowed_hosts``, ``compatibility_date``, ``compatibility_flags``, ``label``,
                ``first_line``.

        Raises:
            UsageError: an import leads nowhere, or the text handles no event.
        """
        from pathlib import Path

        bindings = bindings or Bindings()
        bindings.check()
        for host in settings.get("allowed_hosts", ()):
            parsed_host(host)
        date = settings.get("compatibility_date", COMPATIBILITY_DATE)
        if not _DATE.fullmatch(date):
            raise UsageError(f"{date!r} is no compatibility date.", hint=f"Such as {COMPATIBILITY_DATE}.")
        artifacts = artifacts or {}
        for each in wasm:
            if each not in artifacts:
                known = ", ".join(artifacts) or "none yet"
                raise UsageError(f"No cell is named {each}.", hint=f"Cells that can be imported: {known}.")
        main = main or f"{name}.js"
        said = read(text)
        script = said.listens and not said.exports
        if script:
            modules = (Module(main, "script", text.encode()),)
            # Such a script cannot import: its modules of Wasm are globals of their cells' names.
            gathered = Gathered(
                (*modules, *(Module(each, "wasm", artifacts[each].wasm) for each in wasm)), ()
            )
        else:
            if not said.default:
                raise UsageError(
                    f"{name} handles no request: it has no default export.",
                    hint="Begin with: export default { async fetch(request, env) { return new Response('hi'); } };",
                )
            if main.removesuffix(".js") in artifacts:
                raise UsageError(f"A cell is named {name} too.", hint="Give the worker another name.")
            gathered = gather(
                main,
                text,
                folder=folder or Path(),
                artifacts=artifacts,
                always=wasm,
                aliases=aliases,
                first_line=settings.get("first_line", 1),
            )
        return cls(
            name=name,
            modules=gathered.modules,
            cells=gathered.cells,
            script=script,
            bindings=bindings,
            **settings,
        )


def parsed_host(written: str) -> tuple[str, str | None]:
    """The host and the port of ``HOST`` or ``HOST:PORT``; without a port, the scheme's own.

    Raises:
        UsageError: it is neither.

    Example:
        >>> parsed_host("api.example.org:8443")
        ('api.example.org', '8443')
    """
    host, colon, port = written.rpartition(":") if not written.endswith("]") else (written, "", "")
    if not colon:
        host, port = written, ""
    if "/" in written or not host or (colon and not port.isdecimal()) or "*" in written:
        raise UsageError(
            f"{written!r} is no host to allow.",
            hint="Such as --allow-host api.example.org or localhost:8080.",
        )
    return host.lower(), port or None


def files_of(worker: Worker) -> dict[str, bytes]:
    """The configuration for `services.workerd.Workerd` and what it names."""
    files: dict[str, bytes] = {}

    def embed(data: bytes) -> str:
        name = f"f{len(files)}"  # never a name that a user chose
        files[name] = data
        return f"embed {quoted(name)}"

    services = [
        struct(name=quoted("main"), worker=_main(worker, embed)),
        struct(name=quoted("gate"), worker=_gate(worker, embed)),
        struct(name=quoted(DISK), disk=struct(path=quoted("disk"), writable="true")),
    ]
    if worker.allowed_hosts:
        tls = struct(trustBrowserCas="true")
        network = struct(allow='["public", "private"]', tlsOptions=tls)
        services.append(struct(name=quoted("internet"), network=network))
    if uses_cache(worker):
        services.append(struct(name=quoted("cache"), worker=_service(_resource("cache.js"), embed)))
    if worker.bindings.kv:
        services += _kv(worker, embed)
    else:
        services.append(struct(name=quoted("own"), worker=_service(READY, embed)))
    sockets = [
        struct(
            name=quoted(HTTP_SOCKET),
            address=quoted("127.0.0.1:0"),
            http=struct(cfBlobHeader=quoted(CF_HEADER)),
            service=quoted("main"),
        ),
        struct(
            name=quoted(OWN_SOCKET),
            address=quoted("unix:own.sock"),
            http="()",
            service=quoted("kv" if worker.bindings.kv else "own"),
        ),
    ]
    files[CONFIG] = (
        'using Workerd = import "/workerd/workerd.capnp";\n\n'
        "const config :Workerd.Config = (\n"
        f"  services = {listed(services)},\n  sockets = {listed(sockets)},\n);\n"
    ).encode()
    return files


def uses_cache(worker: Worker) -> bool:
    """Whether any of its texts speaks of the Cache API."""
    return any(b"caches" in module.data for module in worker.modules if module.kind != "wasm")


def _main(worker: Worker, embed: Any) -> str:
    main, *others = worker.modules
    # Line 1 of a cell is the magic: with the lines before the text, V8 counts as the notebook does.
    text = b"\n" * (worker.first_line - 1) + main.data
    bindings = [*_bindings(worker.bindings, embed)]
    if worker.script:
        bindings += [struct(name=quoted(each.name), wasmModule=embed(each.data)) for each in others]
        body = {"serviceWorkerScript": embed(text)}
    else:
        modules = [
            struct(name=quoted(ENTRY), esModule=embed(_entry(main.name))),
            struct(name=quoted(main.name), esModule=embed(text)),
        ]
        kinds = {SHORT: "esModule"}
        modules += [
            struct(name=quoted(each.name), **{kinds.get(each.kind, each.kind): embed(each.data)})
            for each in others
        ]
        body = {"modules": listed(modules)}
    return struct(
        **body,
        bindings=listed(bindings),
        compatibilityDate=quoted(worker.compatibility_date),
        compatibilityFlags=listed(map(quoted, worker.compatibility_flags)),
        globalOutbound=quoted("gate"),
        cacheApiOutbound=quoted("cache") if uses_cache(worker) else "",
    )


def _entry(main: str) -> bytes:
    there = json.dumps(f"./{main}", ensure_ascii=False)
    return f"export * from {there};\nexport {{ default }} from {there};\n{_resource('entry.js')}".encode()


def _bindings(bindings: Bindings, embed: Any) -> list[str]:
    texts = {**bindings.texts, **bindings.secrets}
    return [
        *(struct(name=quoted(name), text=_text(value, embed)) for name, value in texts.items()),
        *(struct(name=quoted(name), json=quoted(json.dumps(value))) for name, value in bindings.json.items()),
        *(struct(name=quoted(name), data=embed(value)) for name, value in bindings.data.items()),
        *(struct(name=quoted(name), kvNamespace=quoted(f"kv-{name}")) for name in bindings.kv),
    ]


def _text(value: str, embed: Any) -> str:
    """Long texts in files: the configuration is parsed at every start."""
    return str(embed(value.encode())) if len(value) > 1000 else quoted(value)


def _gate(worker: Worker, embed: Any) -> str:
    allowed = [{"host": host, "port": port} for host, port in map(parsed_host, worker.allowed_hosts)]
    bindings = [struct(name=quoted("ALLOWED"), json=quoted(json.dumps(allowed)))]
    if allowed:
        bindings.append(struct(name=quoted("INTERNET"), service=quoted("internet")))
    return _service(_resource("gate.js"), embed, bindings)


def _kv(worker: Worker, embed: Any) -> list[str]:
    """A store on disk, and for each namespace the service that a worker's binding leads to."""
    script = _resource("kv.js")
    store = struct(
        name=quoted("STORE"),
        durableObjectNamespace=struct(className=quoted("Store"), serviceName=quoted("kv")),
    )
    objects = struct(className=quoted("Store"), uniqueKey=quoted("wasm-lab-kv"), enableSql="true")
    services = [
        struct(
            name=quoted("kv"),
            worker=_service(
                script,
                embed,
                [store],
                durableObjectNamespaces=listed([objects]),
                durableObjectStorage=struct(localDisk=quoted(DISK)),
            ),
        ),
    ]
    for name in worker.bindings.kv:
        bindings = [store, struct(name=quoted("NAMESPACE"), text=quoted(name))]
        services.append(struct(name=quoted(f"kv-{name}"), worker=_service(script, embed, bindings)))
    return services


def _service(text: str, embed: Any, bindings: list[str] | None = None, **more: str) -> str:
    """One of the lab's own workers, which reach nothing but what they are bound to."""
    return struct(
        modules=listed([struct(name=quoted("service.js"), esModule=embed(text.encode()))]),
        bindings=listed(bindings or []),
        compatibilityDate=quoted(COMPATIBILITY_DATE),
        globalOutbound=quoted("gate"),
        **more,
    )


def _resource(name: str) -> str:
    return resources.files("wasm_lab.scenarios.edge").joinpath(name).read_text(encoding="utf-8")
