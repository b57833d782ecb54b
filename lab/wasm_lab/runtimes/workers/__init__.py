"""Warm worker processes: one piece of common code for every runtime that keeps its engine in one.

- `frames`: what is said between the two, over a socket of their own.
- `process`: one worker as its parent sees it: started, asked, killed.
- `pool`: workers kept warm, replaced and recycled.
- `serving`: the worker's own side.
- `ending`: how a process ends with the one that it works for.
"""
