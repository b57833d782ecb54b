"""Which component answers a path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wasm_lab.scenarios.spin.manifest import HttpTrigger


@dataclass(frozen=True, slots=True)
class Match:
    """A path and the trigger that answers it."""

    trigger: HttpTrigger
    based_route: str  #: the route as written, behind the application's base
    path_info: str  #: what the trailing ``/...`` took, with its leading slash
    captures: Mapping[str, str]  #: what each ``:name`` took

    def headers(self, *, full_url: str, client_address: str) -> list[tuple[str, str]]:
        """Give the ``spin-*`` headers that a component sees."""
        return []


class RouteTable:
    """The public routes of an application."""

    def __init__(self, triggers: Sequence[HttpTrigger], base: str = "/") -> None:
        self._triggers = tuple(triggers)

    def match(self, path: str) -> Match | None:
        """Find the trigger for the path of a URL (without query); None when there is none."""
        for trigger in self._triggers:
            if trigger.route in (path, "/..."):
                return Match(trigger, path, path, {})
        return None
