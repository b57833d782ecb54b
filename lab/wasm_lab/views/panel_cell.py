"""``%%wasm_rust --panel``: a cell whose output is a panel."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from wasm_lab.errors import UsageError
from wasm_lab.source import Kind
from wasm_lab.views.panel import panel

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from wasm_lab.capabilities import Capabilities
    from wasm_lab.session import Session
    from wasm_lab.source import Source


def show_panel(
    shell: InteractiveShell,
    session: Session,
    source: Source,
    capabilities: Capabilities,
    options: dict[str, Any],
) -> None:
    """Compile a cell and display its panel; its functions, if it has any, become Python's as well.

    How the guest ends is what the panel shows, so a trap or an exit status does not fail the cell.

    Raises:
        UsageError: ``--test`` or ``--no-run`` was asked for too.
        BuildError, ToolchainError, UnsupportedError: as without a panel.
    """
    for name in ("test", "no_run"):
        if options[name]:
            flag = f"--{name.replace('_', '-')}"
            raise UsageError(f"--panel runs the program, and {flag} does not.", hint=f"Leave {flag} out.")
    from IPython.display import display

    from wasm_lab.views.progress import notebook_progress

    with notebook_progress() as progress:
        artifact = session.compile(source, progress=progress)
    for warning in artifact.warnings:
        print(f"{warning.rendered.rstrip()}\n", file=sys.stderr)  # noqa: T201
    runtime = options["runtime"] or session.runtime
    if artifact.source and artifact.source.kind is Kind.FUNCTIONS:
        cell = session.define(artifact, capabilities, runtime=runtime)
        shell.user_ns.update(cell.functions)
    display(panel(artifact, capabilities, runtime=runtime, session=session))
