"""Exercises: the noun, reading masters, the cases of a test cell, and the learner's progress.

A test cell of an exercise begins with ``from wasm_lab.exercises import Cases``; nothing heavy is imported.
"""

from __future__ import annotations

from wasm_lab.exercises.cases import CaseResult, Cases, Score
from wasm_lab.exercises.notebook import Cell, Exercise
from wasm_lab.exercises.programs import program

__all__ = ["CaseResult", "Cases", "Cell", "Exercise", "Score", "program"]
