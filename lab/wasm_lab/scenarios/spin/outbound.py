"""``allowed_outbound_hosts``: which addresses a component may reach."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OutboundRules:
    """The rules of one component, with their templates filled in."""

    allowed: tuple[str, ...] = ()

    def allows(self, url: str) -> bool:
        """Say whether ``url`` (scheme, host, port; the rest does not matter) may be reached."""
        return False
