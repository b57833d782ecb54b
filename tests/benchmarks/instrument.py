"""The measuring instrument on real processes: itself against itself, a planted slowdown, hyperfine.

    python -m tests.benchmarks.instrument [--trials N] [--budget SECONDS] [--json FILE] [NAME…]

What is asked: A against A shows a difference in at most 8 % of the trials; a slowdown of 10 % is
found in at least 95 %; of two commands our ratio is within 5 % of hyperfine's. Two hundred trials of
the default budget of 20 s take over an hour; the same with a smaller budget asks more of it.
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from wasm_lab.errors import ProbeError, UnsupportedError
from wasm_lab.measure.commands import CommandSubject
from wasm_lab.measure.machine import machine, noise
from wasm_lab.measure.plan import Plan
from wasm_lab.measure.sampling import sample
from wasm_lab.measure.statistics import Comparison, compare, relative_width
from wasm_lab.measure.store import Measurements
from wasm_lab.measure.subject import Answer, Batch
from wasm_lab.run import Phase

#: Reads how often to do its work, does it so often, and answers with the nanoseconds that it took.
_SPINNER = """
import sys, time
work = int(sys.argv[1])
for line in sys.stdin:
    turns = range(int(line))
    started = time.perf_counter_ns()
    for _ in turns:
        sum(range(work))
    print(time.perf_counter_ns() - started, flush=True)
"""

_GOES, _RUNS = 5, 8

WORK = 20_000  #: numbers to add, about 0.3 ms


@dataclass(frozen=True, kw_only=True)
class Spinner:
    """A subject whose work is known exactly, so that the true ratio of two of them is."""

    name: str
    work: int = WORK
    workload: str = "sum"
    input: str = ""
    language: str = "python"
    runtime: str = "cpython"
    version: str = sys.version.split()[0]
    guards: str = "none"
    phases: frozenset[Phase] = field(default=frozenset({Phase.CALL}), repr=False)

    def answer(self) -> Answer:
        return Answer(value=sum(range(self.work)))

    def start(self) -> SpinnerProbe:
        return SpinnerProbe(self.work)


class SpinnerProbe:
    def __init__(self, work: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-c", _SPINNER, str(work)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def resolution_ns(self) -> int:
        return 100

    def time(self, phase: Phase, count: int) -> Batch:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{count}\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise ProbeError("The spinner died.")
        return Batch(duration_ns=int(line), count=count)

    def weigh(self) -> dict[str, int]:
        return {}

    def idle(self, count: int) -> None:
        raise UnsupportedError("A spinner has no instances.")

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


def spun(seed: int, *, ratio: float = 1.0, budget_s: float) -> Comparison:
    """One trial: a spinner with ``ratio`` times the work, against one with the plain work."""
    plan = Plan(
        subjects=(Spinner(name="ours", work=round(WORK * ratio)), Spinner(name="theirs")),
        phases=(Phase.CALL,),
        baseline="theirs",
        budget_s=budget_s,
        seed=seed,
    )
    taken = sample(plan).measurements
    return compare(taken, subject="ours", baseline="theirs", phase=Phase.CALL)


@dataclass(frozen=True, kw_only=True)
class Trials:
    """What many trials of one known ratio gave."""

    truth: float
    found: tuple[Comparison, ...]

    @property
    def differences(self) -> int:
        return sum(one.shown for one in self.found)

    @property
    def covered(self) -> int:
        return sum(one.low <= self.truth <= one.high for one in self.found)

    @property
    def width(self) -> float:
        return statistics.median(relative_width(one) for one in self.found)

    @property
    def sentence(self) -> str:
        many = len(self.found)
        rounds = statistics.median(one.processes for one in self.found)
        return (
            f"true ratio {self.truth:g}: {self.differences} of {many} show a difference, "
            f"{self.covered / many:.1%} cover the truth, median width {self.width:.1%}, "
            f"median ratio {statistics.median(one.ratio for one in self.found):.4f}, {rounds:g} rounds"
        )


def trials(many: int, *, ratio: float, budget_s: float) -> Trials:
    return Trials(
        truth=round(WORK * ratio) / WORK,
        found=tuple(spun(seed, ratio=ratio, budget_s=budget_s) for seed in range(many)),
    )


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """One ratio of two commands, by us and by hyperfine."""

    ours: Comparison
    hyperfine: float
    hyperfine_runs: int

    @property
    def apart(self) -> float:
        """By which part the two ratios differ."""
        return abs(self.ours.ratio / self.hyperfine - 1)

    @property
    def sentence(self) -> str:
        return (
            f"{self.ours.input}: ours {self.ours.ratio:.4f} ({self.ours.low:.4f} to {self.ours.high:.4f}, "
            f"{self.ours.processes} rounds), hyperfine {self.hyperfine:.4f} ({self.hyperfine_runs} runs each): "
            f"{self.apart:.1%} apart"
        )


def against_hyperfine(slow: tuple[str, ...], fast: tuple[str, ...], *, budget_s: float) -> Agreement:
    """The ratio of two commands' durations, by us and by hyperfine, in about equal time."""
    label = f"{' '.join(slow)} / {' '.join(fast)}"
    subjects = tuple(
        CommandSubject(name=name, command=command, workload="command", input=label)
        for name, command in (("slow", slow), ("fast", fast))
    )
    plan = Plan(subjects=subjects, phases=(Phase.PROCESS,), baseline="fast", budget_s=budget_s)
    # hyperfine does not take turns, so both get several short goes, one after the other: then a
    # machine that becomes slower meanwhile favours neither, and one of its ratios is near in time.
    ratios, taken = [], Measurements()
    for go in range(_GOES):
        ratios.append(_hyperfine(slow, fast))
        plan = Plan(
            subjects=subjects,
            phases=(Phase.PROCESS,),
            baseline="fast",
            budget_s=budget_s / _GOES,
            seed=go,
        )
        first = len(set(taken.values_of("process")))
        taken += Measurements(tuple(replace(s, process=s.process + first) for s in sample(plan).measurements))
    return Agreement(
        ours=compare(taken, subject="slow", baseline="fast", phase=Phase.PROCESS),
        hyperfine=statistics.median(ratios),
        hyperfine_runs=_GOES * _RUNS,
    )


def _hyperfine(slow: tuple[str, ...], fast: tuple[str, ...]) -> float:
    """The ratio of the medians of some runs of each."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        subprocess.run(
            [
                "hyperfine", "--shell=none", "--warmup=1", f"--runs={_RUNS}", "--style=none",
                "--export-json", str(report), shlex.join(slow), shlex.join(fast),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        results = json.loads(report.read_text())["results"]
    return float(results[0]["median"] / results[1]["median"])


def _adding(numbers: int) -> tuple[str, ...]:
    return (sys.executable, "-S", "-c", f"sum(range({numbers}))")


#: Pairs of commands: nearly the same, twice the work, and a start of a process against a long run.
PAIRS = (
    (_adding(3_300_000), _adding(3_000_000)),
    (_adding(6_000_000), _adding(3_000_000)),
    (_adding(3_000_000), _adding(1)),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--budget", type=float, default=20.0, help="seconds for each trial")
    parser.add_argument("--json", type=Path, default=Path("out/instrument.json"))
    checks: dict[str, Callable[[], list[tuple[str, object]]]] = {
        "same": lambda: [_told(trials(options.trials, ratio=1.0, budget_s=options.budget))],
        "slower": lambda: [_told(trials(options.trials, ratio=1.1, budget_s=options.budget))],
        "hyperfine": lambda: [_told(against_hyperfine(*pair, budget_s=options.budget)) for pair in PAIRS],
    }
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(checks))
    options = parser.parse_args()
    if unknown := set(options.names) - set(checks):
        parser.error(f"no such check: {', '.join(sorted(unknown))}")
    names = options.names or list(checks)
    if "hyperfine" in names and not shutil.which("hyperfine"):
        parser.error("hyperfine is not on PATH: apt-get install hyperfine")
    print(machine(), *noise(), sep="\n")
    record: dict[str, object] = {"machine": str(machine()), "budget_s": options.budget}
    for name in names:
        found = checks[name]()
        record[name] = [fact for _, fact in found]
        for sentence, _ in found:
            print(f"{name}: {sentence}", flush=True)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(record, indent=2))
    return 0


def _told(found: Trials | Agreement) -> tuple[str, object]:
    return found.sentence, asdict(found)


if __name__ == "__main__":
    sys.exit(main())
