"""Colours and marks of subjects: the same everywhere, told apart by colour-blind readers too."""

from __future__ import annotations

#: The palette of Okabe and Ito ("Color Universal Design", 2008), and the mark that goes with each, so
#: that nothing depends on colour alone. Yellow is left out: it cannot be seen on white.
_STYLES = {
    "wasmtime": ("#0072B2", "circle"),
    "wasmtime-worker": ("#0072B2", "circle-open"),
    "wasmer": ("#D55E00", "square"),
    "wasmedge": ("#CC79A7", "diamond"),
    "wasmedge-aot": ("#CC79A7", "diamond-open"),
    "node (Wasm)": ("#009E73", "triangle-up"),
    "native": ("#000000", "x"),
    "JavaScript (node)": ("#E69F00", "cross"),
    "Python": ("#56B4E9", "triangle-down"),
    "browser (Wasm)": ("#009E73", "triangle-up-open"),
    "JavaScript (browser)": ("#E69F00", "cross-open"),
}
_OTHERS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")

#: A guarded subject has the colour of the same one without guards, and a mark of its own.
_GUARDS = {"epochs": "star", "fuel": "hexagon", "audit": "bowtie"}


def style(subject: str, number: int = 0) -> tuple[str, str]:
    """Colour and plotly's name of the mark for a subject.

    Args:
        number: which one of the unknown subjects this is, so that they differ from each other.

    Example:
        >>> style("wasmtime")
        ('#0072B2', 'circle')
        >>> style("wasmtime + fuel")
        ('#0072B2', 'hexagon')
    """
    name, _, guard = subject.partition(" + ")
    colour, mark = _STYLES.get(name, (_OTHERS[number % len(_OTHERS)], "circle"))
    return colour, _GUARDS.get(guard, mark)
