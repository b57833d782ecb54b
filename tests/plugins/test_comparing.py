"""One plugin in several ways, as the lab measures them."""

from __future__ import annotations

import pytest

from wasm_lab.bench.answers import check_answers
from wasm_lab.errors import UnsupportedError, UsageError
from wasm_lab.run import Phase
from wasm_lab.scenarios.plugins.comparing import Way, subjects

TEXT = "# Tea\n\n*Never* boil it.\n" * 20


def test_an_unknown_plugin_is_told() -> None:
    with pytest.raises(UsageError, match="no sample plugin absent"):
        subjects("absent", "")


@pytest.mark.slow
def test_every_way_gives_the_same_answer_and_tells_its_times() -> None:
    ways = subjects("markdown", TEXT)
    assert [each.name for each in ways] == [way.value for way in Way]
    failed: dict[str, str] = {}
    checked = check_answers(ways, failed=failed)
    assert not failed
    assert checked.agreed == tuple(way.value for way in Way)
    assert checked.answer.value.startswith(b"<h1>Tea</h1>")
    for each in ways:
        with each.start() as probe:
            for phase in (Phase.CALL, Phase.FIRST_CALL):
                batch = probe.time(phase, 3)
                assert batch.count == 3
                assert batch.duration_ns > 1000
            assert 0 < probe.resolution_ns < 10**6
            assert probe.weigh()["RSS"] > 2**20
            with pytest.raises(UnsupportedError):
                probe.time(Phase.COMPILE, 1)


@pytest.mark.slow
def test_bytes_and_options_cross_too() -> None:
    found = {
        way.name: way.answer().value
        for way in subjects(
            "markdown", b"~~a~~", {"flavour": "github"}, ways=(Way.HOST, Way.PROCESS, Way.BY_HAND)
        )
    }
    assert set(found.values()) == {b"<p><del>a</del></p>\n"}
