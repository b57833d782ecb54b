"""The data file, and the rules that make verdicts of values."""

from __future__ import annotations

import math

import pytest

from wasm_lab.claims.evaluations import WHERE, evaluation
from wasm_lab.claims.ledger import Claimed, chosen, ledger, read_claim
from wasm_lab.claims.verdict import Measured, Verdict, check, open_check, supports, verdict_of
from wasm_lab.errors import UsageError

IDS = ("a1 a2 a3 a4 a5 a6 a7 b1 b2 b3 b4 b5 b6 b7 b8 b9 b10 c1 c2 c3 c4 c5 d1 d2 d3 d4 d5 d6").split()
QUICK = "a1 a4 a6 b1 b2 b3 b4 b7 b9 c3 c4 c5 d5".split()

FASTER = Claimed(what="speed", unit="×", better="high", low=10, high=20)
SMALLER = Claimed(what="size", unit="MB", better="low", high=1)


def value(low: float, high: float, unit: str = "×", counts: bool = True) -> Measured:
    return Measured(what="it", value=(low + high) / 2, low=low, high=high, unit=unit, n=5, counts=counts)


def test_every_claim_has_its_row_once():
    assert [claim.id for claim in ledger()] == IDS


def test_the_quick_set_is_evaluated_and_every_evaluation_is_there():
    evaluated = {claim.id: claim.evaluation for claim in ledger() if claim.evaluation}
    assert set(QUICK) <= set(evaluated)
    assert set(evaluated.values()) == set(WHERE)
    for name in WHERE:
        assert callable(evaluation(name))


def test_what_others_published_names_its_source_and_a_result():
    rows = [each for claim in ledger() for each in claim.published]
    assert len(rows) >= 10
    for each in rows:
        assert each.reference
        assert each.text or each.value is not None or (each.low is not None and each.high is not None)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"why": "because"}, "one of evaluation"),
        ({"evaluation": ""}, "one of evaluation"),
        ({"claimed": {"what": "x", "unit": "s", "better": "up", "low": 1}}, "better"),
        ({"claimed": {"what": "x", "unit": "s", "better": "high", "high": 1}}, "missing"),
        ({"claimed": {"what": "x", "unit": "s", "better": "high", "low": 3, "high": 1}}, "empty"),
        ({"evaluation": "guessed"}, "no evaluation 'guessed'"),
        ({"source": "b"}, "article"),
        ({"published": [{"what": "speed", "reference": "somebody"}]}, "what result"),
    ],
)
def test_a_row_that_contradicts_itself_is_found_on_reading(changed, message):
    row = {"id": "a9", "source": "a", "text": "t", "tested": "t", "evaluation": "isolation"} | changed
    with pytest.raises(ValueError, match=message):
        read_claim(row)


def test_rows_are_chosen_by_id_in_the_ledger_s_order():
    assert [claim.id for claim in chosen(("c3", "A1"))] == ["a1", "c3"]
    with pytest.raises(UsageError, match="'z9'"):
        chosen(("z9",))


@pytest.mark.parametrize(
    ("measured", "claimed", "expected"),
    [
        (value(11, 12), FASTER, True),
        (value(30, 40), FASTER, True),  # more than was claimed speaks for it
        (value(2, 3), FASTER, False),
        (value(9, 11), FASTER, None),
        (value(0.1, 0.2, "MB"), SMALLER, True),
        (value(1.1, 1.2, "MB"), SMALLER, False),
        (value(0.9, 1.1, "MB"), SMALLER, None),
        (check("it is so", True), None, True),
        (check("it is so", False), FASTER, False),
        (value(1, 2), None, None),
    ],
)
def test_a_value_speaks_for_a_claim_only_with_its_whole_interval(measured, claimed, expected):
    assert supports(measured, claimed) is expected


def test_too_few_processes_decide_nothing_and_a_size_needs_no_more_than_one_look():
    few = Measured(what="it", value=30, low=29, high=31, unit="×", n=4)
    assert supports(few, FASTER) is None
    assert verdict_of([few], FASTER)[0] is Verdict.UNTESTABLE
    size = Measured(what="it", value=0.5, low=0.5, high=0.5, unit="MB", n=1)
    assert supports(size, SMALLER) is True


def test_what_was_only_left_open_says_why_and_not_that_more_time_may_tell():
    verdict, reason = verdict_of([open_check("a pod: No containerd is on PATH")], FASTER)
    assert (verdict, reason) == (Verdict.UNTESTABLE, "not checked here: a pod: No containerd is on PATH.")


@pytest.mark.parametrize(
    ("measured", "expected"),
    [
        ([value(11, 12), value(15, 16)], Verdict.HOLDS),
        ([value(11, 12), value(2, 3)], Verdict.PARTLY),
        ([value(11, 12), value(9, 11)], Verdict.PARTLY),
        ([value(2, 3), value(9, 11)], Verdict.FAILS),
        ([value(9, 11)], Verdict.UNTESTABLE),
        ([], Verdict.UNTESTABLE),
        ([value(2, 3, counts=False)], Verdict.UNTESTABLE),
        ([value(11, 12), value(2, 3, counts=False)], Verdict.HOLDS),
    ],
)
def test_verdicts(measured, expected):
    verdict, reason = verdict_of(measured, FASTER)
    assert verdict is expected
    assert reason.endswith(".")


def test_a_check_that_was_not_made_is_open():
    unknown = Measured(what="Go", value=math.nan, low=math.nan, high=math.nan, unit="check", n=0)
    verdict, reason = verdict_of([check("Rust", True), unknown], None)
    assert verdict is Verdict.PARTLY
    assert "1 cannot be told" in reason


def test_the_reason_names_what_came_nearest():
    _, reason = verdict_of([value(2, 3), value(4, 5)], FASTER)
    assert "nearest is it with 4.5 ×" in reason


def test_its_functions_are_not_hidden_by_the_modules_that_define_them() -> None:
    import subprocess
    import sys

    code = (
        "from wasm_lab.claims.evaluate import Row; from wasm_lab.claims.ledger import Claim\n"
        "from wasm_lab.claims import evaluate, ledger\n"
        "print(callable(evaluate), len(ledger()) > 20)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "True True", done.stderr
