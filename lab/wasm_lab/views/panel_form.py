"""What stands in the capability panel's fields, and what it asks for.

A form is plain data that crosses between browser and kernel: text, switches and rows. Each field
is read by the same parser as the command line's option, so a message at a field is that option's.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from wasm_lab import capabilities as caps
from wasm_lab.capabilities import Capabilities, ClockMode, Directory, RandomMode
from wasm_lab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasm_lab.runtimes.base import Runtime

Form = dict[str, Any]
Value = TypeVar("Value")

#: Each field of Capabilities, and ``audit``, to the field of the form that a message about it stands at.
PLACES = {
    "args": "args",
    "program": "program",
    "env": "env",
    "stdin": "stdin",
    "dirs": "dirs",
    "hosts": "hosts",
    "clock": "clock",
    "frozen_ns": "frozen_ns",
    "random": "random",
    "seed": "seed",
    "memory_bytes": "memory",
    "fuel": "fuel",
    "deadline_s": "deadline",
    "output_bytes": "output",
    "audit": "audit",
}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a form asks for."""

    capabilities: Capabilities
    runtime: str = "wasmtime"
    audit: bool = True
    function: str = ""  #: which function of a library to call; empty for a program
    call_args: str = ""  #: its arguments as Python literals, with commas between


@dataclass
class Reading:
    """A form as far as it could be read: message by field for what could not."""

    errors: dict[str, str] = field(default_factory=dict)

    def take(self, place: str, read: Callable[[], Value], otherwise: Value) -> Value:
        """What ``read`` gives; ``otherwise`` when it cannot be read, with the reason kept."""
        try:
            return read()
        except UsageError as error:
            self.errors[place] = f"{error.message} {error.hint}".strip()
            return otherwise


def form_of(asked: Asked) -> Form:
    """The form that asks for this.

    Example:
        >>> form_of(Asked(capabilities=Capabilities()))["memory"]
        '512MiB'
    """
    given = asked.capabilities
    return {
        "runtime": asked.runtime,
        "args": shlex.join(given.args),
        "program": given.program,
        "env": [{"on": True, "text": f"{name}={value}"} for name, value in given.env.items()],
        "stdin": (given.stdin or b"").decode(errors="replace"),
        "dirs": [
            {"on": True, "host": str(each.host), "guest": each.guest, "write": each.writable}
            for each in given.dirs
        ],
        "hosts": " ".join(given.hosts),
        "clock": given.clock.value,
        "frozen_ns": str(given.frozen_ns),
        "random": given.random.value,
        "seed": str(given.seed),
        "memory": caps.format_size(given.memory_bytes),
        "fuel": "" if given.fuel is None else str(given.fuel),
        "deadline": caps.format_duration(given.deadline_s),
        "output": caps.format_size(given.output_bytes),
        "audit": asked.audit,
        "function": asked.function,
        "call_args": asked.call_args,
    }


def read_form(form: Form) -> tuple[Asked, dict[str, str]]:
    """What the form asks for, and a message for each field that cannot be read.

    Nothing may be run when there is a message. Rows are named with their number: ``dirs.0``.

    Example:
        >>> form = form_of(Asked(capabilities=Capabilities()))
        >>> read_form(form | {"memory": "much"})[1]["memory"].splitlines()[0][:18]
        "'much' is no size."
    """
    reading = Reading()
    text = {name: str(form.get(name) or "") for name in form_of(Asked(capabilities=Capabilities()))}
    clock = reading.take("clock", lambda: caps.parse_clock(text["clock"])[0], ClockMode.REAL)
    seeded = text["random"] == RandomMode.SEEDED
    random = reading.take(
        "random",
        lambda: RandomMode.SEEDED if seeded else caps.parse_random(text["random"])[0],
        RandomMode.REAL,
    )
    given = Capabilities(
        args=reading.take("args", lambda: _words(text["args"]), ()),
        program=text["program"],
        env=_env(reading, _rows(form, "env")),
        stdin=text["stdin"].encode(),
        dirs=_dirs(reading, _rows(form, "dirs")),
        hosts=tuple(text["hosts"].split()),
        clock=clock,
        # A time or a seed that is not in use is left alone, however it is written.
        frozen_ns=reading.take("frozen_ns", lambda: _nanoseconds(text["frozen_ns"]), 0)
        if clock is ClockMode.FROZEN
        else caps.DEFAULT_FROZEN_NS,
        random=random,
        seed=reading.take("seed", lambda: caps.parse_random(f"seed={text['seed'].strip()}")[1], 0)
        if seeded
        else 0,
        memory_bytes=reading.take("memory", lambda: caps.parse_size(text["memory"]), None),
        fuel=reading.take("fuel", lambda: _fuel(text["fuel"]), None),
        deadline_s=reading.take("deadline", lambda: _deadline(text["deadline"]), None),
        output_bytes=reading.take("output", lambda: caps.parse_size(text["output"]), None),
    )
    asked = Asked(
        capabilities=given,
        runtime=text["runtime"] or "wasmtime",
        audit=bool(form.get("audit")),
        function=text["function"],
        call_args=text["call_args"],
    )
    return asked, reading.errors


def refusals(runtime: Runtime, asked: Asked) -> dict[str, str]:
    """Each field that asks for what ``runtime`` cannot enforce, to the runtime's own reason."""
    from wasm_lab.errors import UnsupportedError

    found: dict[str, str] = {}
    for name, place in PLACES.items():
        alone = Capabilities() if name == "audit" else _alone(asked.capabilities, name)
        try:
            runtime.check(alone, audit=asked.audit and name == "audit")
        except UnsupportedError as error:
            found[place] = f"{error.message} {error.hint}".strip()
    return found


def _alone(given: Capabilities, name: str) -> Capabilities:
    """Defaults, but for one field."""
    return Capabilities(**{name: getattr(given, name)})


def _rows(form: Form, name: str) -> list[dict[str, Any]]:
    rows = form.get(name)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _env(reading: Reading, rows: list[dict[str, Any]]) -> dict[str, str]:
    import os

    found: dict[str, str] = {}
    for index, row in enumerate(rows):
        if row.get("on"):
            text = str(row.get("text") or "")
            pair = reading.take(f"env.{index}", lambda text=text: caps.parse_env(text, os.environ), ("", ""))  # type: ignore[misc]
            if pair[0]:
                found[pair[0]] = pair[1]
    return found


def _dirs(reading: Reading, rows: list[dict[str, Any]]) -> tuple[Directory, ...]:
    found: list[Directory] = []
    for index, row in enumerate(rows):
        if row.get("on"):
            directory = reading.take(f"dirs.{index}", lambda row=row: _directory(row), None)  # type: ignore[misc]
            if directory is not None:
                found.append(directory)
    return tuple(found)


def _directory(row: dict[str, Any]) -> Directory:
    host, guest = (str(row.get(name) or "").strip() for name in ("host", "guest"))
    if not host:
        raise UsageError("No folder is named.", hint="Write the path of one, or switch this row off.")
    if "::" in host:
        raise UsageError(f"{host!r} has the guest's name in it.", hint="That has a field of its own.")
    return caps.parse_directory(f"{host}::{guest}" if guest else host, writable=bool(row.get("write")))


def _words(text: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise UsageError(
            f"The arguments cannot be read: {error}.", hint="Close the quotation mark."
        ) from None


def _nanoseconds(text: str) -> int:
    return caps.parse_clock(f"frozen={text.strip()}")[1]


def _fuel(text: str) -> int | None:
    text = text.strip()
    if not text:
        return None
    if not text.isdecimal() or int(text) == 0:
        raise UsageError(
            f"{text!r} is no number of instructions.",
            hint="Write a whole number from 1 on, or leave it empty for none.",
        )
    return int(text)


def _deadline(text: str) -> float:
    seconds = caps.parse_duration(text)
    if seconds is None:
        raise UsageError(
            "The panel needs a deadline: it runs the guest beside the notebook, where no interrupt reaches it.",
            hint="Write a long one, such as 60s.",
        )
    return seconds
