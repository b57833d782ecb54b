"""Capabilities as JSON, on their way to a worker and back."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wasm_lab.capabilities import Capabilities, ClockMode, Directory, RandomMode

if TYPE_CHECKING:
    from collections.abc import Mapping


def capabilities_to(capabilities: Capabilities) -> dict[str, Any]:
    """What `capabilities_from` reads back: everything that the guest is granted, and memory's limit."""
    return {
        "args": list(capabilities.args),
        "program": capabilities.program,
        "env": capabilities.env,
        "stdin": base64.b64encode(capabilities.stdin or b"").decode(),
        "dirs": [[str(each.host.absolute()), each.guest, each.writable] for each in capabilities.dirs],
        "clock": capabilities.clock.value,
        "frozen_ns": capabilities.frozen_ns,
        "random": capabilities.random.value,
        "seed": capabilities.seed,
        "memory_bytes": capabilities.memory_bytes,
        "output_bytes": capabilities.output_bytes,
    }


def capabilities_from(told: Mapping[str, Any], **others: Any) -> Capabilities:
    """The Capabilities of which `capabilities_to` told, with ``others`` besides."""
    granted = Capabilities(
        args=tuple(told["args"]),
        program=told["program"],
        env=dict(told["env"]),
        stdin=base64.b64decode(told["stdin"]),
        dirs=tuple(Directory(Path(host), guest, writable) for host, guest, writable in told["dirs"]),
        clock=ClockMode(told["clock"]),
        frozen_ns=told["frozen_ns"],
        random=RandomMode(told["random"]),
        seed=told["seed"],
        memory_bytes=told["memory_bytes"],
        output_bytes=told["output_bytes"],
    )
    return replace(granted, **others)
