"""What is timed: a workload in each engine and language, each probe a fresh process of its own."""

from wasm_lab.subjects.commands import command_subjects
from wasm_lab.subjects.exports import export_subjects
from wasm_lab.subjects.functions import function_subjects
from wasm_lab.subjects.places import places

__all__ = ["command_subjects", "export_subjects", "function_subjects", "places"]
