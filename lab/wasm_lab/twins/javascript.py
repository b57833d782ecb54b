"""JsTwin: a JavaScript function that a Rust function is compared with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class JsTwin:
    """JavaScript text that defines a function of the Rust function's name."""

    name: str
    code: str
    label: str = "cell"  #: what messages call the text: a cell's or a file's name
    first_line: int = 1  #: the line of the cell or file in which ``code`` begins
