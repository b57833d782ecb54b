"""Go's net/http, built by the Go that is here; it needs no modules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wasm_lab.scenarios.loadtest.stacks import Prepared
from wasm_lab.toolchains.go import find_go, go_missing
from wasm_lab.toolchains.places import EXE

if TYPE_CHECKING:
    from pathlib import Path

    from wasm_lab.scenarios.loadtest.workshop import Workshop


def missing(_name: str) -> str:
    """Why there is no Go here; empty when there is one."""
    return go_missing()


def prepare(_name: str, workshop: Workshop) -> Prepared:
    """Build the program, without tables for a debugger."""
    go = find_go()
    assert go, "the caller asked what is missing"

    def make(folder: Path) -> None:
        words = ("build", "-trimpath", "-ldflags=-s -w", "-o", f"../api{EXE}", ".")
        settings = {"GOTOOLCHAIN": "local", "GOFLAGS": "", "GOWORK": "off", "CGO_ENABLED": "0"}
        workshop.run("go build", [go.program, *words], folder / "go", **settings)

    folder = workshop.made("Go net/http", ["go"], [go.version], make)
    program = folder / f"api{EXE}"
    return Prepared(command=(str(program), "{port}"), version=go.version, deployed=(program,), folder=folder)
