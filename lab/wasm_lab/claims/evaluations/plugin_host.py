"""Plugins: loaded while their host runs, reloaded, and hostile ones beside nine good ones."""

from __future__ import annotations

import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.capabilities import MIB
from wasm_lab.claims.verdict import Measured, check
from wasm_lab.components import Err
from wasm_lab.errors import DeadlineExceeded, GuestFailure, PluginError
from wasm_lab.scenarios.plugins.host import Event, PluginHost
from wasm_lab.scenarios.plugins.samples import ECHO, SNOOPER, hostile_names, put, wasm_of
from wasm_lab.scenarios.plugins.settings import PLUGIN_DEFAULTS, Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasm_lab.claims.workbench import Workbench

#: Short, because several of them always use it up.
_DEADLINE_S = 0.2

_GOOD = tuple(f"good-{number}" for number in range(1, 10))

#: Hostile plugins that do no harm in one call, and why that is right.
_HARMLESS = ("hoarder", "impostor", "late_trap")

#: What the plugin in Rust tries, and what it would get from an open host.
_TRIES = (
    ("a file of the host", "files /etc/passwd"),
    ("the environment", "environment"),
    ("a connection", "connect 127.0.0.1:9"),
    ("a name from the network", "resolve localhost:80"),
)


def plugins(bench: Workbench) -> list[Measured]:
    """Whether plugins are loaded at run time, and whether a hostile one reaches the others or the host."""
    with tempfile.TemporaryDirectory(prefix="wasm-lab-claims-") as scratch:
        folder = Path(scratch)
        settings = Settings(defaults=replace(PLUGIN_DEFAULTS, deadline_s=_DEADLINE_S, memory_bytes=16 * MIB))
        with PluginHost(folder, settings=settings) as host:
            tell = bench.watcher("plugins").step
            found = _loading(host, folder)
            good = wasm_of(ECHO)
            for name in _GOOD:
                put(folder / f"{name}.wasm", good)
            for name in hostile_names():
                tell(name)
                put(folder / f"{name}.wasm", wasm_of(name))
                host.refresh()
                found.append(_hostile(host, name))
            tell("what one in Rust can reach")
            put(folder / f"{SNOOPER}.wasm", wasm_of(SNOOPER))
            host.refresh()
            found += [_reached(host, what, order) for what, order in _TRIES]
            tell("how late an endless loop is stopped")
            found.append(_late(host, 40 if bench.full else 12))
    return found


def _loading(host: PluginHost, folder: Path) -> list[Measured]:
    path = folder / "late.wasm"
    whole = wasm_of(ECHO)

    def events(wasm: bytes) -> list[Event]:
        put(path, wasm)
        return [change.event for change in host.refresh()]

    loaded = events(whole) == [Event.LOADED] and host.apply("late", "1") == "1"
    newer = whole + b"\0\x05\x04mark"  # an empty custom section (specification 5.5.3): another file, as good
    reloaded = events(newer) == [Event.RELOADED] and host.apply("late", "2") == "2"
    kept = events(whole[:-60]) == [Event.KEPT] and host.apply("late", "3") == "3"
    path.unlink()
    gone = [change.event for change in host.refresh()] == [Event.REMOVED] and "late" not in host.names
    return [
        check("a file that is put into the folder of a running host is loaded", loaded),
        check("a new file takes its place", reloaded),
        check("a half-written file keeps the plugin that was there", kept),
        check("a file that is removed is let go of", gone),
    ]


def _hostile(host: PluginHost, name: str) -> Measured:
    """What became of one call of a hostile plugin, and whether the nine still answer."""
    stopped = "refused when it was loaded"
    if name in host.names:
        try:
            host.apply(name, "")
            stopped = "" if name not in _HARMLESS else "does no harm"
        except GuestFailure:
            stopped = f"ended by {host.calls[-1].outcome}"
    well = _nine_are_well(host)
    return check(f"{name}: {stopped or 'NOT STOPPED'}, nine others answer", bool(stopped) and well)


def _nine_are_well(host: PluginHost) -> bool:
    try:
        answers = [host.apply(name, name) == name for name in _GOOD]
    except (GuestFailure, PluginError, Err):
        return False
    return all(answers) and not any(host.status(name).failed for name in _GOOD)


def _reached(host: PluginHost, what: str, order: str) -> Measured:
    try:
        got: str | bytes = host.apply(SNOOPER, order)
    except Err:
        got = ""
    return check(f"without a grant no plugin reaches {what}", not got and _nine_are_well(host))


def _late(host: PluginHost, loops: int) -> Measured:
    """By how much an endless loop passes its deadline: context, as the claim names no figure."""
    passed_ms = [
        _timed(lambda: host.apply("endless_loop", "")) * 1e3 - _DEADLINE_S * 1e3 for _ in range(loops)
    ]
    return Measured(
        what=f"an endless loop ends after its deadline of {_DEADLINE_S * 1e3:.0f} ms by (least to most)",
        value=statistics.median(passed_ms),
        low=min(passed_ms),
        high=max(passed_ms),
        unit="ms",
        n=loops,
        counts=False,
    )


def _timed(call: Callable[[], object]) -> float:
    """Seconds that a call took which ends at its deadline."""
    began = time.perf_counter()
    try:
        call()
    except DeadlineExceeded:
        return time.perf_counter() - began
    return float("inf")  # it came back, which is worse than late
