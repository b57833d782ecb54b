"""Grading: collect, execute behind walls, judge, report, scale out. Trusts no submission."""
