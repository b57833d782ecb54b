"""Row b10: what is found, and that it would be found otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from wasm_lab.claims import Verdict, evaluate
from wasm_lab.scenarios.plugins.host import PluginHost


@pytest.mark.slow
def test_plugins_are_loaded_at_run_time_and_isolated() -> None:
    row = evaluate(("b10",)).rows[0]
    assert row.verdict is Verdict.HOLDS, [
        each.what for each in row.measured if each.counts and not each.value
    ]
    assert len([each for each in row.measured if each.counts]) > 20
    (late,) = [each for each in row.measured if not each.counts]
    assert late.unit == "ms"
    assert 0 < late.low <= late.value <= late.high


@pytest.mark.slow
def test_a_host_whose_plugins_harm_each_other_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    apply = PluginHost.apply

    def harmed(self: PluginHost, plugin: str, data: str | bytes, /, **options: object) -> Any:
        trapped = any(call.plugin == "stack_bomb" for call in self.calls)
        return "wrong" if trapped and plugin == "good-3" else apply(self, plugin, data, **options)

    monkeypatch.setattr(PluginHost, "apply", harmed)
    row = evaluate(("b10",)).rows[0]
    assert row.verdict is Verdict.PARTLY
    assert any(each.what.startswith("stack_bomb") and not each.value for each in row.measured)
