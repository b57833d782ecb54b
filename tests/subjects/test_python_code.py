"""A Python function as text that another process can execute."""

from __future__ import annotations

import json
import math as mathematics
from collections import Counter

import pytest

from wasm_lab.errors import UsageError
from wasm_lab.subjects.python_code import code_of

SCALE = 3
HANDLE = object()


def helper(n):
    return even(n) if n else SCALE


def even(n):
    return helper(n - 1) + 1


def uses(n):
    return helper(n) + mathematics.floor(1.5) + len(Counter("aab")) + json.loads("1")


def uses_handle(n):
    return HANDLE


def test_what_a_function_refers_to_comes_along():
    names: dict = {}
    # As in a notebook, whose names no other process can import.
    for each in (helper, even, uses):
        each.__module__ = "__main__"
    code, name = code_of(uses)
    exec(code, names)
    assert name == "uses"
    assert names["uses"](4) == uses(4)


def test_what_cannot_come_along_is_refused():
    with pytest.raises(UsageError, match="uses HANDLE, a object"):
        code_of(uses_handle)
    outer = 5

    def closure(n):
        return n + outer

    with pytest.raises(UsageError, match="uses outer"):
        code_of(closure)
    with pytest.raises(UsageError, match="no plain Python function"):
        code_of(lambda n: n)
    with pytest.raises(UsageError, match="no plain Python function"):
        code_of(len)
    namespace: dict = {}
    exec("def nowhere(n): return n", namespace)
    with pytest.raises(UsageError, match="source of nowhere"):
        code_of(namespace["nowhere"])
