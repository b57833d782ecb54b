"""What Python's tools show of a bound function: its signature and its documentation."""

from __future__ import annotations

import inspect
import keyword
from typing import TYPE_CHECKING, Any

from wasm_lab.abi.types import MAPS, PLAIN, SEQUENCES, SETS, TEXTS, element, rust_name

if TYPE_CHECKING:
    from wasm_lab.cells.signatures import RustType, Signature

_PLAIN_HINTS: dict[str, type] = {"int": int, "float": float, "bool": bool, "char": str}


class Hint:
    """A type hint that is its text: arrays are hinted without importing NumPy."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Hint) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __or__(self, other: object) -> Hint:
        return Hint(f"{self.text} | {'None' if other is None else other}")


def python_names(signature: Signature) -> list[str]:
    """The parameters' names in Python: Rust's, with ``_`` behind those that Python reserves."""
    taken: list[str] = []
    for parameter in signature.parameters:
        name = rust_name(parameter.name)
        while keyword.iskeyword(name) or name in taken:
            name += "_"
        taken.append(name)
    return taken


def hint(kind: RustType, *, result: bool = False) -> Any:
    """The Python type of a Rust type, as it is given (or, for a result, as it comes)."""
    name, args = kind.name, kind.args
    if name in PLAIN:
        return _PLAIN_HINTS[PLAIN[name].kind]
    if name in TEXTS:
        return str
    if name in ("ref", "Cow") or (name == "Result" and args):
        return hint(args[0 if name == "Result" else -1], result=result)
    if name in SEQUENCES:
        plain = element(kind)
        if plain is None:
            return list[hint(args[0], result=result)]  # type: ignore[misc]
        if plain.name == "u8":
            return bytes
        if not plain.dtype:
            return list[hint(args[0])]  # type: ignore[misc]
        return Hint(f"np.ndarray[{plain.dtype}]")
    if name == "Option":
        return hint(args[0], result=result) | None
    if name == "tuple":
        return tuple[tuple(hint(arg, result=result) for arg in args)]  # type: ignore[misc]
    if name in MAPS:
        return dict[hint(args[0]), hint(args[1], result=result)]  # type: ignore[misc]
    if name in SETS:
        return set[hint(args[0])]  # type: ignore[misc]
    return None


def describe(function: Any, signature: Signature, language: str = "Rust") -> None:
    """Give a bound function its name, signature, annotations and documentation."""
    names = python_names(signature)
    hints = [hint(parameter.type) for parameter in signature.parameters]
    result = hint(signature.result, result=True)
    function.__name__ = function.__qualname__ = rust_name(signature.name)
    function.__module__ = "wasm_lab.cells"
    function.__annotations__ = dict(zip(names, hints, strict=True)) | {"return": result}
    function.__signature__ = inspect.Signature(
        [
            inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=kind)
            for name, kind in zip(names, hints, strict=True)
        ],
        return_annotation=result,
    )
    text = signature.text and f"{language}: {signature.text}"
    function.__doc__ = "\n\n".join(part for part in (signature.doc, text) if part) or None
