"""Exercises: the noun, reading masters, the cases of a test cell, and the learner's progress."""
