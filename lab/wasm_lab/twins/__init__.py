"""Twins: the same function in another language, and whether its answers agree."""
