"""Comparisons: from a function or a program and the places to run it to a report."""
