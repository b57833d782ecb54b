"""A component's context, and real servers that the tests of one module share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from wasm_lab.scenarios.spin.context import ComponentContext, Shared
from wasm_lab.scenarios.spin.host.guest import Guest
from wasm_lab.scenarios.spin.interfaces import limits
from wasm_lab.scenarios.spin.manifest import ComponentManifest, LocalSource, Manifest
from wasm_lab.scenarios.spin.outbound import OutboundRules
from wasm_lab.scenarios.spin.runtime_config import RuntimeConfig
from wasm_lab.services import Postgres, Redis


@pytest.fixture
def make_context(tmp_path: Path) -> Iterator[Any]:
    """Make contexts: ``make_context(allowed=(...), runtime=..., key_value_stores=(...))``."""
    shared = Shared()

    def make(
        *,
        allowed: tuple[str, ...] = (),
        runtime: RuntimeConfig | None = None,
        variables: dict[str, str] | None = None,
        chain: Any = None,
        **component: Any,
    ) -> ComponentContext:
        about = ComponentManifest(
            id="guest", source=LocalSource(path=tmp_path / "guest.wasm", written="guest.wasm"), **component
        )
        return ComponentContext(
            app=Manifest(name="test", path=tmp_path / "spin.toml", components={"guest": about}),
            component=about,
            variables=variables or {},
            outbound=OutboundRules(allowed),
            runtime=runtime or RuntimeConfig(),
            chain=chain,
            shared=shared,
            state_dir=tmp_path / "state",
        )

    yield make
    shared.close()


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is held outside of a guest ends with the test; each message is told once for a test."""
    monkeypatch.setattr(limits, "_told", set())
    held: dict[str, set[Any]] = {}
    monkeypatch.setattr(limits, "_nobody", held)
    yield
    for things in held.values():
        for thing in things:
            getattr(thing, "close", lambda: None)()


@pytest.fixture
def guest(monkeypatch: pytest.MonkeyPatch) -> Iterator[Guest]:
    """A running guest, as the interfaces see it."""
    made = Guest(60)
    made.start()
    monkeypatch.setattr(limits, "request", lambda: made)
    yield made
    made.end()


@pytest.fixture(scope="module")
def redis_server() -> Iterator[Redis]:
    with Redis() as server:
        yield server


@pytest.fixture(scope="module")
def postgres_server() -> Iterator[Postgres]:
    with Postgres() as server:
        yield server
