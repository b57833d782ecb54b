"""What measuring itself adds to a measured call, shown by calls of nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wasm_lab.run import Phase
from wasm_lab.source import Kind, Source
from wasm_lab.subjects.functions import function_subjects

if TYPE_CHECKING:
    from collections.abc import Sequence

#: A function that does nothing, in each language. Rust's is kept from being inlined, as a real one
#: in a crate of its own is.
_RUST = "#[inline(never)] pub fn nothing(n: u32) -> u32 { n }"
_JAVASCRIPT = "function nothing(n) { return n; }"
_PYTHON = "def nothing(n):\n    return n\n"

_ENOUGH_NS = 20_000_000


@dataclass(frozen=True, kw_only=True)
class Overhead:
    """What a place adds, in nanoseconds.

    Attributes:
        call_ns: of each call: the loop, the call and the return. The least of several batches.
        batch_ns: of each batch: reading the clock before and after.
    """

    place: str
    call_ns: float
    batch_ns: int

    def share(self, call_ns: float, count: int) -> float:
        """The part of a measured call that is measuring, from 0 to 1.

        Args:
            call_ns: what one call was measured to take.
            count: how many calls the batch had.
        """
        return (self.call_ns + self.batch_ns / count) / call_ns

    @property
    def shortest_ns(self) -> float:
        """How long a call must take so that measuring is at most 1 % of it, in a batch of any length."""
        return 100 * self.call_ns


def empty_call(places: Sequence[str], *, batches: int = 5) -> list[Overhead]:
    """What measuring adds in each of ``places``: the least of ``batches`` batches of calls of nothing.

    Raises:
        UsageError, UnsupportedError, BuildError: as `function_subjects`.

    Example:
        >>> [python] = empty_call(["python"])
        >>> python.call_ns < 10_000
        True
    """
    subjects = function_subjects(
        Source(code=_RUST, kind=Kind.FUNCTIONS, label="a call of nothing"),
        "nothing",
        (1,),
        places=places,
        js_twin=_JAVASCRIPT,
        python_twin=_PYTHON,
    )
    found = []
    for place, subject in zip(places, subjects, strict=True):
        probe = subject.start()
        try:
            count = 1000
            while (batch := probe.time(Phase.CALL, count)).duration_ns < _ENOUGH_NS:
                count *= 4
            times = [
                batch.duration_ns,
                *(probe.time(Phase.CALL, count).duration_ns for _ in range(batches - 1)),
            ]
            found.append(Overhead(place=place, call_ns=min(times) / count, batch_ns=probe.resolution_ns))
        finally:
            probe.close()
    return found
