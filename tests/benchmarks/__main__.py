"""``make bench``: what the lab promises about speed, each beside its reference, in one run.

python -m tests.benchmarks [--json FILE] [--quick] [NAME…]
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table
from tests.benchmarks import (
    builds,
    components,
    containers,
    engines,
    grading,
    guests,
    hostile,
    images,
    languages,
    manifests,
    notebooks,
    plugins,
    pods,
    processes,
    spin_host,
    stores,
    workers,
)
from tests.benchmarks.pairs import Pair

BENCHMARKS: dict[str, Callable[[Path, int], Pair]] = {
    "edited-cell": builds.edited_cell,
    "kernel-speed": builds.kernel_speed,
    "unchanged-cell": builds.unchanged_cell,
    "edited-serde-cell": builds.edited_serde_cell,
    "edited-c-cell": languages.edited_c,
    "edited-cpp-cell": languages.edited_cpp,
    "edited-zig-cell": languages.edited_zig,
    "edited-go-cell": languages.edited_go,
    "cold-start": guests.cold_start,
    "call-u32": guests.call_u32,
    "call-1mb": guests.call_megabyte,
    "component-call": components.call_numbers,
    "component-text": components.call_text,
    "component-bytes": components.call_bytes,
    "component-host-call": components.host_call,
    "component-instance": components.instantiate,
    "plugin-call": plugins.plugin_call,
    "wasmer-warm": engines.wasmer_warm,
    "key-value-get": stores.key_value_get,
    "key-value-set": stores.key_value_set,
    "fsync": stores.fsync,
    "spin-throughput": spin_host.throughput,
    "spin-p99": spin_host.latency,
    "spin-cold-start": spin_host.cold_start,
    "spin-soak": spin_host.soak,
    "kube-validate": manifests.validate,
    "pod-start": pods.pod_start,
    "kube-scale": pods.scale,
    "container-start": containers.start,
    "container-running": containers.running,
    "image": images.image,
    "image-component": images.component_image,
    "image-command": images.image_command,
    "worker-warm": workers.warm_worker,
    "papermill-engine": notebooks.papermill_engine,
    "grade-batch": grading.grade_batch,
    "grade-two-workers": grading.grade_two_workers,
    "exercise-check": grading.exercise_check,
    "hostile-batch": hostile.hostile_batch,
    "load-ext": processes.load_ext,
    "command": processes.command,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, default=Path("out/bench.json"))
    parser.add_argument("--quick", action="store_true", help="a third of the turns")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    options = parser.parse_args()
    unknown = set(options.names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    pairs = []
    with tempfile.TemporaryDirectory() as scratch:
        for name in options.names or BENCHMARKS:
            print(f"{name} …", file=sys.stderr, flush=True)
            folder = Path(scratch, name)
            folder.mkdir()
            pairs.append(BENCHMARKS[name](folder, 3 if options.quick else 1))
    Console(width=None if sys.stdout.isatty() else 150).print(_table(pairs))
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(_record(pairs), indent=2))
    print(f"Raw times: {options.json}", file=sys.stderr)
    return 0


def _amount(nanoseconds: float) -> str:
    return f"{nanoseconds / 1e6:.2f} ms" if abs(nanoseconds) >= 1e5 else f"{nanoseconds / 1e3:.2f} µs"


def _compared(pair: Pair) -> tuple[str, str]:
    quartiles = statistics.quantiles(pair.compared, n=4)
    show = _amount if pair.difference else (lambda value: f"{value:.2f}×")
    return show(statistics.median(pair.compared)), f"{show(quartiles[0])} … {show(quartiles[2])}"


def _table(pairs: list[Pair]) -> Table:
    table = Table(
        title=f"{platform.platform()}, Python {platform.python_version()}; medians", title_justify="left"
    )
    for column in ("what", "ours", "reference", "compared", "middle half", "turns", "asked"):
        table.add_column(column, overflow="fold")
    for pair in pairs:
        middle, spread = _compared(pair)
        table.add_row(
            pair.name,
            _amount(pair.ours),
            _amount(pair.reference),
            middle,
            spread,
            str(len(pair.ours_ns)),
            pair.asked,
        )
    return table


def _record(pairs: list[Pair]) -> dict[str, object]:
    return {
        "machine": platform.platform(),
        "python": platform.python_version(),
        "unit": "ns",
        "benchmarks": [
            {"name": pair.name, "asked": pair.asked, "ours": pair.ours_ns, "reference": pair.reference_ns}
            for pair in pairs
        ],
    }


if __name__ == "__main__":
    sys.exit(main())
