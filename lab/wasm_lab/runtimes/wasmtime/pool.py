"""Memories that instances take over from one another.

Without a pool, each instance has its memories mapped anew and unmapped at its end, and touches every page
for the first time: for an instance that lives for a tenth of a millisecond that is half of its cost.
With one, wasmtime puts back what the last instance changed, and keeps the first pages of each
memory in place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wasmtime import _bindings as bindings

if TYPE_CHECKING:
    import wasmtime

#: Instances at the same time; one more cannot be made.
INSTANCES = 512

#: Core instances, memories and tables that a component may have on average.
CORE_INSTANCES, MEMORIES, TABLES = 16, 4, 8

#: Bytes of each memory that stay in place when its instance has gone.
RESIDENT_BYTES = 256 * 1024


def use_pool(config: wasmtime.Config) -> None:
    """Have the engines of this configuration take memories from a pool."""
    pool = bindings.wasmtime_pooling_allocation_config_new()
    for name, value in (
        ("total_component_instances", INSTANCES),
        ("total_core_instances", INSTANCES * CORE_INSTANCES),
        ("total_memories", INSTANCES * MEMORIES),
        ("total_tables", INSTANCES * TABLES),
        ("linear_memory_keep_resident", RESIDENT_BYTES),
        ("table_keep_resident", RESIDENT_BYTES),
    ):
        getattr(bindings, f"wasmtime_pooling_allocation_config_{name}_set")(pool, value)
    bindings.wasmtime_pooling_allocation_strategy_set(config.ptr(), pool)
    bindings.wasmtime_pooling_allocation_config_delete(pool)
