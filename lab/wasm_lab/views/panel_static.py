"""A panel where nobody can press a switch: one table of capabilities, and what the run came to."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

from wasm_lab.capabilities import ClockMode, RandomMode, format_duration, format_size

if TYPE_CHECKING:
    from wasm_lab.views.panel_form import Asked
    from wasm_lab.views.panel_state import PanelState

#: Lines of output in the static form; the whole is in the Run.
_LINES = 40


def rows(asked: Asked) -> list[tuple[str, str]]:
    """Each capability and what is granted of it, as a person says it.

    Example:
        >>> from wasm_lab.capabilities import Capabilities
        >>> from wasm_lab.views.panel_form import Asked
        >>> rows(Asked(capabilities=Capabilities()))[1]
        ('files', 'closed')
    """
    given = asked.capabilities
    folders = [
        f"{each.host} as {each.guest}, {'read and write' if each.writable else 'read only'}"
        for each in given.dirs
    ]
    clock = f"frozen at {given.frozen_ns} ns" if given.clock is ClockMode.FROZEN else given.clock.value
    random = f"seed {given.seed}" if given.random is RandomMode.SEEDED else given.random.value
    found = [
        ("runtime", asked.runtime),
        ("files", "; ".join(folders) or "closed"),
        ("environment", ", ".join(f"{name}={value}" for name, value in given.env.items()) or "empty"),
        ("arguments", " ".join(given.args) or "none"),
        ("standard input", f"{len(given.stdin or b'')} bytes"),
        ("network", " ".join(given.hosts) or "closed"),
        ("clock", clock),
        ("randomness", random),
        ("memory", format_size(given.memory_bytes)),
        ("fuel", "not counted" if given.fuel is None else str(given.fuel)),
        ("deadline", format_duration(given.deadline_s)),
        ("output", format_size(given.output_bytes)),
        ("audit", "on" if asked.audit else "off"),
    ]
    return [("call", f"{asked.function}({asked.call_args})"), *found] if asked.function else found


def static_html(state: PanelState) -> str:
    """Tables for a page on which no script runs. What the guest wrote is escaped."""
    answer = state.latest()
    table = "".join(
        f"<tr><th scope='row' style='text-align: left'>{html.escape(name)}</th>"
        f"<td style='text-align: left'>{html.escape(value)}</td></tr>"
        for name, value in rows(state.asked)
    )
    label = html.escape(state.subject.artifact.label)
    caption = "<caption style='text-align: left'>What it may touch and use</caption>"
    parts = [
        f"<p><strong>Capabilities of {label}</strong></p><table>{caption}<tbody>{table}</tbody></table>",
        f"<p>{html.escape(answer['problem'] or answer['summary'])}</p>",
    ]
    parts += [f"<p>{html.escape(message)}</p>" for message in answer["errors"].values()]
    current = answer["current"]
    if current:
        parts.append(_output_html(current))
        parts.append(_audit_html(current))
    parts.append(f"<p>The same on the command line:</p><pre>{html.escape(answer['command'])}</pre>")
    return "<div class='wasm-lab-panel-static'>" + "".join(parts) + "</div>"


def static_text(state: PanelState) -> str:
    """The same as plain text: one line for each capability, then the run."""
    answer = state.latest()
    lines = [f"Capabilities of {state.subject.artifact.label}"]
    lines += [f"  {name:<15} {value}" for name, value in rows(state.asked)]
    lines += [answer["problem"] or answer["summary"], *answer["errors"].values()]
    current = answer["current"]
    if current:
        lines += [each for each in (current["value"], current["why"]) if each]
        lines += [f"{name}:\n{_cut(current[name])}" for name in ("stdout", "stderr") if current[name]]
    lines.append(f"The same on the command line: {answer['command']}")
    return "\n".join(lines)


def _cut(text: str) -> str:
    lines = text.splitlines()
    more = [f"… {len(lines) - _LINES} more lines"] if len(lines) > _LINES else []
    return "\n".join(lines[:_LINES] + more)


def _output_html(current: dict[str, Any]) -> str:
    found = []
    for title, text in (
        ("result", current["value"]),
        ("standard output", current["stdout"]),
        ("standard error", current["stderr"]),
        ("why", current["why"]),
    ):
        if text:
            found.append(f"<p>{title}:</p><pre>{html.escape(_cut(text))}</pre>")
    phases = ", ".join(f"{name} {took}" for name, took in current["phases"])
    tail = f"{phases}; {current['memory']} of memory; {current['engine']}"
    return "".join(found) + f"<p>{html.escape(tail)}</p>"


def _audit_html(current: dict[str, Any]) -> str:
    if current["audit"] is None:
        return ""
    head = "".join(
        f"<th scope='col' style='text-align: left'>{name}</th>"
        for name in ("call", "arguments", "result", "allowed", "time")
    )
    body = []
    for call, arguments, result, refused, took in current["audit"]:
        allowed = f"refused by {refused}" if refused else "yes"
        cells = "".join(
            f"<td style='text-align: left'>{html.escape(str(each))}</td>"
            for each in (call, arguments, result, allowed, took)
        )
        body.append(f"<tr>{cells}</tr>")
    caption = f"Audit: {current['calls']} host calls, {current['refused']} refused"
    return (
        f"<table><caption style='text-align: left'>{caption}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"
    )
