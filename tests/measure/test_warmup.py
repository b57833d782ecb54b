from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wasm_lab.measure.warmup import warm_from


@given(values=st.lists(st.floats(0, 1e12), max_size=60))
def test_at_most_half_is_warm_up(values):
    assert 0 <= warm_from(values) <= len(values) // 2


@pytest.mark.parametrize("n", [10, 20, 100])
def test_steady_noise_has_no_warm_up(n):
    random = np.random.default_rng(n)
    found = [warm_from(list(1e6 * np.exp(random.exponential(0.02, n)))) for _ in range(200)]
    assert sum(index > 0 for index in found) <= 30
    # Where something is cut from noise by chance, it is not much.
    assert np.mean(found) <= 0.06 * n


@pytest.mark.parametrize("slow", [1, 3, 8])
@pytest.mark.parametrize("factor", [1.2, 3.0, 50.0])
def test_a_slow_start_is_cut_where_it_ends(slow, factor):
    random = np.random.default_rng(7)
    found = []
    for _ in range(50):
        values = 1e6 * np.exp(random.exponential(0.02, 20))
        values[:slow] *= factor
        found.append(warm_from(list(values)))
    assert np.median(found) == slow


def test_a_gradual_start_is_cut_before_it_is_over_by_one_percent():
    values = [1e6 * (1 + 2 * 0.5**i) * (1 + 0.002 * (i % 3)) for i in range(40)]
    assert 5 <= warm_from(values) <= 12


def test_code_that_becomes_slower_is_warm_up_too():
    assert warm_from([10.0] * 4 + [20.0, 20.1, 19.9, 20.0] * 4) == 4


def test_one_interruption_is_no_warm_up():
    values = [10.0, 10.1, 9.9, 10.0, 10.05, 9.95] * 4
    values[5] = 500.0
    assert warm_from(values) == 0
    values[5], values[20] = 10.0, 500.0
    assert warm_from(values) == 0


def test_too_few_values_tell_nothing():
    assert warm_from([50.0, 1.0, 1.0, 1.0, 1.0]) == 0
    assert warm_from([]) == 0
