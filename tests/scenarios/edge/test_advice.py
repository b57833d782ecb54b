"""What is said after errors that have their cause in where a worker runs."""

from __future__ import annotations

import pytest

from wasm_lab.scenarios.edge.advice import advised

OWN = "127.0.0.1:4000"


def last(log: str, text: str = "") -> str:
    lines = text.split("\n")
    return advised(log, lambda name, line: lines[line - 1] if name == "a.js" else "", OWN).splitlines()[-1]


def unread(text: str, name: str) -> str:
    """The log where a property of nothing was read."""
    column = text.index(f".{name}") + 2
    error = f"Uncaught TypeError: Cannot read properties of undefined (reading '{name}')"
    return f"{error}\n    at Object.fetch (a.js:1:{column})\n"


@pytest.mark.parametrize(
    "text", ["await env.NOTES.get(1)", "return this.env.NOTES.get(1)", "c.env.NOTES.get(1)"]
)
def test_a_binding_that_is_missing(text: str) -> None:
    assert last(unread(text, "get"), text).startswith("wasm-lab: env has no NOTES.")


def test_what_only_the_network_knows() -> None:
    text = "if (request.cf.country)"
    assert "request.cf" in last(unread(text, "country"), text)


@pytest.mark.parametrize("text", ["row.user.name", "environment.user.name", "env.user.data.name"])
def test_anything_else_undefined_is_left_as_it_is(text: str) -> None:
    log = unread(text, "name")
    assert advised(log, lambda *_: text, OWN) == log


def test_the_text_of_another_module_is_not_guessed() -> None:
    log = unread("env.A.get", "get").replace("a.js", "b.js")
    assert last(log, "env.A.get").startswith("    at")


def test_a_worker_that_asks_itself_is_told_once() -> None:
    refused = f"Uncaught Error: wasm-lab: a request to {OWN} was refused; allow it with --allow-host {OWN}\n"
    log = advised(refused * 2, lambda *_: "", OWN)
    assert log.count("is the worker itself") == 1
    other = refused.replace("4000", "4001")
    assert advised(other, lambda *_: "", OWN) == other


def test_events_without_a_handler() -> None:
    assert "no fetch()" in last("Received a FetchEvent but we lack a handler for FetchEvents. Did …\n")
    assert "cloudflare:sockets" in last("Received a connect event but we lack a handler. Did …\n")
