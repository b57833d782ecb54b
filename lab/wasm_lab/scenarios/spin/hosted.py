"""What of a manifest the lab's own host can run, and components that lie elsewhere."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from wasm_lab.errors import LoadError, UnsupportedError
from wasm_lab.scenarios.spin.manifest import LocalSource, OtherTrigger, RegistrySource, RemoteSource

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from wasm_lab.scenarios.spin.manifest import Manifest

#: How long a download may stand still, in seconds.
TIMEOUT_S = 30.0
#: What a component may weigh.
MAX_BYTES = 256 * 1024**2


def not_hosted(manifest: Manifest) -> list[str]:
    """What the manifest asks for and the lab's own host does not have; Spin itself has it."""
    missing = []
    kinds = sorted({trigger.kind for trigger in manifest.triggers if isinstance(trigger, OtherTrigger)})
    if kinds:
        missing.append(f"triggers of the kind {', '.join(kinds)}")
    executors = sorted({trigger.executor for trigger in manifest.http_triggers} - {"http"})
    missing += [f"executor `{name}`" for name in executors]
    if any(trigger.dependencies for trigger in manifest.http_triggers):
        missing.append("middleware (`dependencies` of a trigger)")
    composed = [component.id for component in manifest.components.values() if component.dependencies]
    if composed:
        missing.append(f"composition at start (`dependencies` of {', '.join(composed)})")
    packages = [
        component.id
        for component in manifest.components.values()
        if isinstance(component.source, RegistrySource)
    ]
    if packages:
        missing.append(f"registry client (`source` of {', '.join(packages)})")
    return missing


def check_hosted(manifest: Manifest) -> None:
    """Refuse what the lab's own host cannot run, rather than leave a part of it out.

    Raises:
        UnsupportedError: says what it is.
    """
    missing = not_hosted(manifest)
    if missing:
        raise UnsupportedError(
            f"The lab's own host has no {', no '.join(missing)}.",
            hint="Spin itself has it: wasm-lab spin up --engine spin. Dependencies can also be composed when the "
            "component is built, and then left out of the manifest.",
        )


def with_local_files(manifest: Manifest, say: Callable[[str], None] = lambda line: None) -> Manifest:
    """Fetch each component that lies behind a URL, once, and check its digest; the rest stays as it is.

    Raises:
        LoadError: it cannot be fetched, or is not what the manifest says.
    """
    components = dict(manifest.components)
    for name, component in manifest.components.items():
        source = component.source
        if isinstance(source, RemoteSource):
            file = LocalSource(path=_fetched(source, name, say), written=source.url)
            components[name] = replace(component, source=file)
    return replace(manifest, components=components)


def _fetched(source: RemoteSource, name: str, say: Callable[[str], None]) -> Path:
    from boltons.fileutils import atomic_save

    from wasm_lab.build.cache import default_cache

    wanted = source.digest.removeprefix("sha256:").lower()
    file = default_cache().folder("fetched", wanted) / "component.wasm"
    if file.exists() and hashlib.sha256(file.read_bytes()).hexdigest() == wanted:
        return file
    say(f"{name}: fetching {source.url}")
    data = _download(source.url, name)
    found = hashlib.sha256(data).hexdigest()
    if found != wanted:
        raise LoadError(
            f"What lies at {source.url} is not what the manifest says: its SHA-256 is {found}.",
            hint=f"The manifest says {wanted}. If the change is meant, write the new digest; else do not run it.",
        )
    with atomic_save(str(file), overwrite=True) as stream:
        stream.write(data)
    return file


def _download(url: str, name: str) -> bytes:
    import httpx

    data = bytearray()
    try:
        with httpx.stream("GET", url, follow_redirects=True, timeout=TIMEOUT_S) as answer:
            answer.raise_for_status()
            for chunk in answer.iter_bytes():
                data += chunk
                if len(data) > MAX_BYTES:
                    raise LoadError(
                        f"The file of `{name}` at {url} is larger than {MAX_BYTES // 1024**2} MiB."
                    )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise LoadError(
            f"The file of `{name}` cannot be fetched from {url}: {error}.",
            hint="Without network: download it elsewhere, and write its path as `source`.",
        ) from None
    return bytes(data)
