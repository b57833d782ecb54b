"""Distance: what light in glass allows, as arithmetic. Nothing here is a property of Wasm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wasm_lab.claims.verdict import Measured

if TYPE_CHECKING:
    from wasm_lab.claims.workbench import Workbench

#: The speed of light in a vacuum (SI) and the refractive index of a common fibre's core (1.468 at
#: 1550 nm, ITU-T G.652 fibre).
_LIGHT_M_PER_S = 299_792_458
_INDEX = 1.468

#: Round trips before the first byte of an answer over a new connection: TCP, TLS 1.3, the request.
_ROUND_TRIPS = 3

_LIMIT_MS = 50
_PLACES = (("an edge at 100 km", 100, True), ("a data centre at 10 000 km", 10_000, False))


def distance(_bench: Workbench) -> list[Measured]:
    """How long the round trips take that no computer can save, and how many fit into 50 ms."""
    found = []
    for name, kilometres, counts in _PLACES:
        trip_ms = 2 * kilometres * 1000 / (_LIGHT_M_PER_S / _INDEX) * 1000
        first = _ROUND_TRIPS * trip_ms
        found.append(_exactly(f"{name}: first byte of a new TLS connection", first, "ms", counts=False))
        fitting = _LIMIT_MS / trip_ms
        found.append(
            _exactly(f"{name}: round trips within {_LIMIT_MS} ms", fitting, "round trips", counts=counts)
        )
    return found


def _exactly(what: str, value: float, unit: str, *, counts: bool) -> Measured:
    return Measured(what=what, value=value, low=value, high=value, unit=unit, n=1, counts=counts)
