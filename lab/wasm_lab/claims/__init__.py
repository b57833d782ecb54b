"""The ledger of claims: what is claimed, what others published, what this machine measured.

Names load on first use, as measuring imports a lot.
"""

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wasm_lab.claims.evaluate import Evaluated, Row, evaluate
    from wasm_lab.claims.ledger import Claim, ledger
    from wasm_lab.claims.verdict import Measured, Verdict

__all__ = ["Claim", "Evaluated", "Measured", "Row", "Verdict", "evaluate", "ledger"]

_HOMES = {
    "Claim": "ledger",
    "Evaluated": "evaluate",
    "Measured": "verdict",
    "Row": "evaluate",
    "Verdict": "verdict",
    "evaluate": "evaluate",
    "ledger": "ledger",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return found


class _Claims(ModuleType):
    """Two of the names are those of the modules that define them, which would take their place when imported."""

    def __setattr__(self, name: str, value: object) -> None:
        shadows = isinstance(value, ModuleType) and _HOMES.get(name) == name
        super().__setattr__(name, getattr(value, name) if shadows else value)


sys.modules[__name__].__class__ = _Claims
