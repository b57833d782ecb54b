"""All that the host itself provides to a component, whatever Spin services it uses beside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wasm_lab.scenarios.spin.host import cli, clocks, io, randomness, types

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from wasm_lab.scenarios.spin.host.log import ComponentLog
    from wasm_lab.scenarios.spin.host.mounts import Node
    from wasm_lab.scenarios.spin.outbound import OutboundRules


def implement(
    imported: Collection[str],
    environment: Mapping[str, str],
    files: Node | None,
    log: ComponentLog,
    rules: OutboundRules,
) -> dict[str, object]:
    """The interfaces of WASI for one component.

    Args:
        imported: names of the interfaces that it imports; seldom used ones load only for them.
        environment: its environment variables.
        files: what it sees at ``/``.
        log: where what it prints goes.
        rules: where it may connect to.
    """
    found = {
        **io.INTERFACES,
        **clocks.INTERFACES,
        **randomness.INTERFACES,
        **types.INTERFACES,
        **cli.implement(environment, log),
    }
    if any(name.startswith("wasi:filesystem/") for name in imported):
        from wasm_lab.scenarios.spin.host import filesystem

        found.update(filesystem.implement(files))
    if any(name.startswith("wasi:sockets/") for name in imported):
        from wasm_lab.scenarios.spin.host import sockets

        found.update(sockets.implement(rules))
    return found
