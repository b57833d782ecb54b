"""Evaluations: each measures what one or more claims speak of, and gives values without a verdict.

An evaluation takes the workbench and gives values; it raises MeasureError, UnsupportedError or a
build's error when nothing can be measured here, and that becomes the row's reason.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wasm_lab.claims.verdict import Measured
    from wasm_lab.claims.workbench import Workbench

Evaluation = Callable[["Workbench"], list["Measured"]]

#: The module of each evaluation; imported when it is asked for.
WHERE = {
    "cold_start_and_containers": "containers",
    "container_costs": "containers",
    "container_memory": "containers",
    "density_and_containers": "containers",
    "determinism": "sameness",
    "distance": "distance",
    "edge_cold_start": "edge",
    "image_resize": "edge",
    "isolation": "isolation",
    "languages": "languages",
    "languages_and_http": "languages",
    "load_costs": "serving",
    "load_memory": "serving",
    "load_ratios": "serving",
    "load_speed": "serving",
    "load_table": "serving",
    "module_sizes": "sizes",
    "plugins": "plugin_host",
    "pod_within_limit": "containers",
    "precompiled_start": "starts",
    "serverless_start": "containers",
    "size_ladder": "sizes",
    "speed_against_interpreted": "speed",
    "speed_against_javascript": "speed",
    "speed_against_native": "speed",
    "wasi_versions": "versions",
}


def evaluation(name: str) -> Evaluation:
    """The evaluation of that name."""
    module = import_module(f"wasm_lab.claims.evaluations.{WHERE[name]}")
    found: Evaluation = getattr(module, name)
    return found
