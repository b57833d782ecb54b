"""Twins: the same function in JavaScript and in Python, and whether answers are equal."""

from __future__ import annotations

from wasm_lab.twins.difference import Difference, first_difference
from wasm_lab.twins.javascript import JsTwin
from wasm_lab.twins.ready import js_twin_for, python_twin_for, samples_folder

__all__ = [
    "Difference",
    "JsTwin",
    "first_difference",
    "js_twin_for",
    "python_twin_for",
    "samples_folder",
]
