"""One picture made smaller in one worker, by JavaScript and by Wasm, in turn.

workerd's clocks stand still while a worker computes (Cloudflare's documentation, "Security model",
step 1: no timers while code runs), so time is taken from outside: a request repeats its work so
often that it lasts a tenth of a second, beside which the fraction of a millisecond that the request
itself takes is nothing.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wasm_lab.build import build
from wasm_lab.cells import parse_cell
from wasm_lab.errors import AnswersDiffer, ServiceError
from wasm_lab.measure.machine import machine
from wasm_lab.measure.sample import Sample
from wasm_lab.measure.store import Measurements
from wasm_lab.run import Phase
from wasm_lab.scenarios.edge.live import LiveWorker
from wasm_lab.scenarios.edge.worker import Worker
from wasm_lab.toolchains.workerd import find_workerd
from wasm_lab.twins.ready import samples_folder

if TYPE_CHECKING:
    from collections.abc import Callable

#: Names of the two subjects, as tables show them.
JAVASCRIPT, WASM = "JavaScript (workerd)", "Wasm (workerd)"

#: What a request lasts at least, in nanoseconds, so that the request itself is less than 1 % of it.
_BATCH_NS = 100_000_000

#: Requests of each way in one process: before V8 has optimised both, and then those that count.
_WARMING, _COUNTED = 3, 6

_MOST_REPETITIONS = 10_000

_WORKER = """
const WAYS = {{ js: resize, wasm: resizeInWasm }};

// Marsaglia's xorshift: a picture that nothing can be left out of.
function noise(bytes) {{
  const picture = new Uint8Array(bytes);
  for (let at = 0, state = 2463534242 | 0; at < bytes; at++) {{
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    picture[at] = state;
  }}
  return picture;
}}

const picture = noise(4 * {width} * {height});
const smaller = (way) => way(picture, {width}, {height}, {new_width}, {new_height});

export default {{
  fetch(request) {{
    const url = new URL(request.url);
    if (url.pathname === "/same") {{
      const [one, other] = [smaller(resize), smaller(resizeInWasm)];
      const same = one.length === other.length && one.every((byte, at) => byte === other[at]);
      return Response.json({{ same, bytes: one.length, sum: one.reduce((sum, byte) => sum + byte, 0) }});
    }}
    const way = WAYS[url.pathname.slice(1)];
    let sum = 0;
    for (let left = Number(url.searchParams.get("count")); left > 0; left--) sum += smaller(way)[0];
    return new Response(String(sum));
  }},
}};
"""


@dataclass(frozen=True, slots=True)
class Size:
    """What is resized to what, in pixels."""

    width: int
    height: int
    new_width: int
    new_height: int

    def __str__(self) -> str:
        return f"{self.width}×{self.height} to {self.new_width}×{self.new_height}"


#: The picture of a mobile telephone's page: 3 MB of pixels, halved.
PICTURE = Size(1024, 768, 512, 384)


def resizing_worker(size: Size = PICTURE) -> Worker:
    """The worker that has both ways: the samples' Rust kernel, and its JavaScript twin beside it.

    Raises:
        BuildError, ToolchainError: the kernel could not be built.
    """
    kernels = samples_folder() / "kernels"
    source = parse_cell((kernels / "resize.rs").read_text(encoding="utf-8"), name="resize", label="resize.rs")
    twin = (kernels / "resize.js").read_text(encoding="utf-8")
    text = (
        'import { resize as resizeInWasm } from "resize";\n'
        + twin
        + _WORKER.format(
            width=size.width, height=size.height, new_width=size.new_width, new_height=size.new_height
        )
    )
    return Worker.of("pictures", text, artifacts={"resize": build(source)})


def measure_resizing(
    *,
    size: Size = PICTURE,
    rounds: int,
    seed: int = 0,
    on_step: Callable[[str], None] | None = None,
) -> Measurements:
    """Time both ways in fresh processes of workerd, request by request in random turn.

    The copies of the picture into the guest's memory and of the result out of it are part of Wasm's
    time, as they are of any worker that is sent a picture.

    Args:
        rounds: fresh processes; each has both ways in one worker.
        seed: of the order.
        on_step: told what happens.

    Raises:
        AnswersDiffer: the two pictures are not the same; nothing was timed.
        ServiceError: workerd is missing, or ended.
    """
    worker = resizing_worker(size)
    found = find_workerd()
    version = found.version if found else ""
    order = random.Random(seed)
    samples: list[Sample] = []
    for number in range(rounds):
        if on_step:
            on_step(f"process {number + 1} of {rounds}")
        with LiveWorker(worker).start() as live:
            same = live.get("/same").json()
            if not same["same"]:
                raise AnswersDiffer("JavaScript and Wasm make different pictures of the same.")
            for subject, iteration, count, taken_ns, warm in _round(live, order):
                samples.append(
                    Sample(
                        workload="resize",
                        input=str(size),
                        subject=subject,
                        language="rust" if subject == WASM else "javascript",
                        runtime="workerd",
                        runtime_version=version,
                        process=number,
                        iteration=iteration,
                        phase=Phase.CALL.value,
                        value=taken_ns / count,
                        unit="ns",
                        count=count,
                        warm=warm,
                        machine=machine().name,
                        taken_at=time.time(),
                    )
                )
    return Measurements(tuple(samples))


def _round(live: LiveWorker, order: random.Random) -> list[tuple[str, int, int, int, bool]]:
    """Subject, number, repetitions, nanoseconds and whether it counts, of each request of one process."""
    ways = {JAVASCRIPT: "js", WASM: "wasm"}
    counts = {subject: _count(live, way) for subject, way in ways.items()}
    taken = []
    for iteration in range(_WARMING + _COUNTED):
        turn = list(ways)
        order.shuffle(turn)
        for subject in turn:
            took = _timed(live, ways[subject], counts[subject])
            taken.append((subject, iteration, counts[subject], took, iteration >= _WARMING))
    return taken


def _count(live: LiveWorker, way: str) -> int:
    """How many repetitions last long enough; asking warms the code up."""
    count = 1
    while count < _MOST_REPETITIONS:
        took = _timed(live, way, count)
        if took >= _BATCH_NS:
            break
        count = min(_MOST_REPETITIONS, max(2 * count, int(count * 1.2 * _BATCH_NS / took)))
    return count


def _timed(live: LiveWorker, way: str, count: int) -> int:
    begun = time.perf_counter_ns()
    answer = live.get(f"/{way}?count={count}")
    took = time.perf_counter_ns() - begun
    if answer.status_code != 200:
        raise ServiceError(f"The worker answered {answer.status_code}.", hint=live.log)
    return took
