"""A chart that fills in while samples arrive, where somebody watches."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wasm_lab.views.charts import unit_for
from wasm_lab.views.colours import style
from wasm_lab.views.messages import HeardWidget

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wasm_lab.measure.sample import Sample

#: Seconds between two redraws: more often is not seen, and a browser falls behind.
INTERVAL_S = 0.1


class LiveChart(HeardWidget):
    """Strips of one phase's samples, one for each subject.

    Adding a sample costs a microsecond; the browser is told at most ten times a second, of the new
    values alone, as float32. The first messages wait for the browser to say that it listens.

    Args:
        title: above the chart.
        phase: samples of other phases are left out.
    """

    _esm = Path(__file__).parent / "live.js"

    def __init__(self, title: str, phase: str) -> None:
        super().__init__()
        self._title = title
        self._phase = phase
        self._lock = threading.Lock()
        self._pending: dict[str, list[float]] = defaultdict(list)
        self._kept: dict[str, list[float]] = defaultdict(list)
        self._unit: tuple[str, float] | None = None
        self._known: set[str] = set()
        self._listening = False
        self._due = 0.0  # from when on the next message may be sent
        self._later: threading.Timer | None = None
        self.on_msg(self._received)

    def add(self, samples: Sequence[Sample]) -> None:
        """Take samples in; the browser hears of them within a tenth of a second."""
        with self._lock:
            for one in samples:
                if one.phase == self._phase:
                    self._pending[one.subject].append(one.value)
        if time.monotonic() >= self._due:
            self.flush()
        elif self._later is None:
            # The next samples may be long in coming.
            self._later = threading.Timer(INTERVAL_S, self.flush)
            self._later.daemon = True
            self._later.start()

    def close(self) -> None:
        """Tell the browser of the last samples, and end."""
        self.flush()
        super().close()

    def flush(self) -> None:
        """Tell the browser of everything that it has not heard of."""
        # A message that was late does not delay the next one: ten a second are kept on average.
        self._due = max(self._due, time.monotonic() - INTERVAL_S / 2) + INTERVAL_S
        with self._lock:
            if self._later is not None:
                self._later.cancel()
                self._later = None
            if not self._listening or not self._pending:
                return
            new, self._pending = self._pending, defaultdict(list)
            for name, values in new.items():
                self._kept[name] += values
            if self._unit is None:
                self._unit = unit_for([value for values in new.values() for value in values], "ns")
            self._tell(new, *self._unit)

    def _introduce(self, unit: str) -> None:
        names = list(self._kept)
        self.send(
            {
                "kind": "start",
                "title": self._title,
                "axis": f"time of one ({unit})",
                "styles": {name: style(name, number) for number, name in enumerate(names)},
            }
        )

    def _tell(self, new: dict[str, list[float]], unit: str, factor: float) -> None:
        if not self._known.issuperset(new):
            self._introduce(unit)
            self._known |= set(new)
        data = np.concatenate([np.asarray(values) for values in new.values()]) / factor
        self.send(
            {"kind": "more", "names": list(new), "counts": [len(values) for values in new.values()]},
            buffers=[data.astype(np.float32).tobytes()],
        )

    def _received(self, _widget: Any, content: Any, _buffers: Any) -> None:
        match content:
            case {"kind": "hello"}:
                self._heard_hello()
            case {"kind": "bundle wanted"}:
                from plotly.offline import get_plotlyjs

                self.send({"kind": "bundle"}, buffers=[get_plotlyjs().encode()])

    def _heard_hello(self) -> None:
        """A view was opened: it hears of everything from the beginning."""
        with self._lock:
            self._listening = True
            self.send({"kind": "again"})
            for name, values in self._kept.items():
                self._pending[name] = values + self._pending[name]
            self._kept.clear()
            self._known = set()
        self.flush()
