"""Hostile submissions of all classes, graded by the real command between two honest students.

`make bench ARGS=hostile-batch` grades all of them; here stand some of each class.
"""

from __future__ import annotations

import pytest

from wasm_lab.cells import parse_cell
from wasm_lab.confine.landlock import landlock_version
from wasm_lab.source import Kind

from .hostile.batch import HONEST, Batch, attacks, some
from .hostile.rust_attacks import COMPILE

pytestmark = pytest.mark.skipif(not landlock_version(), reason="the kernel has no Landlock")

#: These use all of a deadline, on purpose; `make bench` waits for them.
_LONG = {"texts that mean much more: laughs"}


def test_there_are_hundreds_and_each_has_a_name():
    found = attacks()
    assert len({attack.id for attack in found}) == len(found) >= 200
    assert len({attack.kind for attack in found}) >= 25
    assert [attack.id for attack in attacks()] == [attack.id for attack in found]


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    chosen = [attack for attack in some(every=8) if attack.id not in _LONG]
    batch = Batch(tmp_path_factory.mktemp("hostile"), chosen)
    alone = batch.grade("alone", HONEST, hostile=False)
    return batch, alone, batch.grade("among", HONEST, hostile=True)


@pytest.mark.slow
def test_the_honest_have_the_marks_that_they_have_alone(graded):
    _, alone, among = graded
    for student in HONEST:
        assert among.of(student) == alone.of(student)
    points = {
        (one["student"], one["exercise"]): sum(cell["points"] or 0 for cell in one["cells"])
        for one in among.report["outcomes"]
        if one["student"] in HONEST and one["status"] == "graded"
    }
    assert points == {
        **{
            ("honest-one", exercise): 5
            for exercise in ("functions", "totals", "lists", "toml", "yaml", "choice")
        },
        ("honest-two", "functions"): 3,
        **{("honest-two", exercise): 0 for exercise in ("toml", "choice")},
        ("honest-two", "totals"): 1,
    }


@pytest.mark.slow
def test_nobody_passes_who_does_not_deserve_it(graded):
    batch, _, among = graded
    verdicts = batch.verdicts(among)
    assert [each.attack.id for each in verdicts if each.passed] == []
    (harmless,) = [each for each in verdicts if each.attack.deserves]
    assert harmless.points == harmless.attack.deserves
    assert among.report["complete"]
    statuses = {status for each in verdicts for status in each.statuses}
    assert statuses <= {"graded", "not_compiled", "refused", "stopped"}


@pytest.mark.slow
def test_nothing_is_reached_or_changed_outside(graded):
    _, _, among = graded
    assert among.leaks == []
    assert among.touched == []


def test_assembly_for_the_whole_module_is_an_item_beside_the_functions():
    """As statements the cell would define no function, and the attack would try nothing."""
    body = COMPILE["the glue's names"]["global assembly"]
    assert parse_cell(body, name="answer").kind is Kind.FUNCTIONS
