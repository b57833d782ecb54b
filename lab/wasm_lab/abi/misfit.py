"""An argument that does not fit its Rust type, before anyone knows which argument it is."""

from __future__ import annotations


class Misfit(Exception):
    """Raised while a value is encoded; becomes the ``error`` once the argument's name is known.

    ``path`` is where inside the argument the value stands, such as ``[3]``.
    """

    def __init__(self, error: type[Exception], what: str) -> None:
        super().__init__(what)
        self.error = error
        self.what = what
        self.path = ""

    def inside(self, step: str) -> Misfit:
        self.path = step + self.path
        return self

    def named(self, where: str) -> Exception:
        """The exception for Python's caller; ``where`` is such as ``fib() argument 'n'``."""
        return self.error(f"{where}{self.path} {self.what}")


def type_of(value: object) -> str:
    """What messages call a value's type."""
    dtype = getattr(value, "dtype", None)
    name = type(value).__name__
    if dtype is not None and type(value).__module__ == "numpy":
        return f"an array of {dtype}" if name == "ndarray" else f"numpy.{name}"
    return "None" if value is None else name
