"""The table of languages: who is in it, what is said of those that are not, and that the programs agree."""

from __future__ import annotations

import shutil

import pytest

from wasm_lab.build import build
from wasm_lab.capabilities import Capabilities
from wasm_lab.cells.languages import parse_language_cell
from wasm_lab.cli.commands import cli
from wasm_lab.errors import UsageError
from wasm_lab.run import Phase
from wasm_lab.runtimes import get_runtime
from wasm_lab.scenarios.languages import entries
from wasm_lab.scenarios.languages.comparing import compare_languages
from wasm_lab.scenarios.languages.subjects import TEXT
from wasm_lab.views.languages import language_record, language_tables


def test_every_language_of_the_lab_has_its_text_of_the_task() -> None:
    every = entries.languages()
    assert [each.name for each in every] == ["Rust", "C", "C++", "Zig", "Go", "Python", "JavaScript"]
    assert all(each.program.exists() for each in every)


def test_rust_is_always_among_those_that_are_compared() -> None:
    assert [each.key for each in entries.languages(("Go", "python"))] == ["rust", "go", "python"]
    with pytest.raises(UsageError, match="'cobol' is no language that the lab builds"):
        entries.languages(("cobol",))


def test_what_is_not_here_is_named_with_the_way_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: "/opt/dotnet" if name == "dotnet" else None)
    told = entries.others()
    assert told["C#"] == "/opt/dotnet is here, but the lab has no builder for it"
    assert told["TinyGo"].startswith("not available here: ")


def test_a_language_without_its_tools_stays_in_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "_missing", lambda key: "" if key == "rust" else f"no {key} here: get it")
    found = compare_languages(n=100, rounds=1, budget_s=5)
    assert [row.name for row in found.built] == ["Rust"]
    assert found.rows["Go"].why == "no go here: get it"
    assert found.answer == "primes: 25\nwords: 8\n"
    record = language_record(found)
    assert record["languages"]["Zig"] == {"missing": "no zig here: get it"}
    assert record["languages"]["Rust"]["phases_ns"]["run"]["median"] > 0
    assert "times_rust" not in record["languages"]["Rust"]
    assert language_tables(found)


@pytest.mark.slow
def test_languages_print_the_same_and_are_timed() -> None:
    # Python is below: another interpreter to machine code takes as long as all the others.
    names = ("rust", "c", "cpp", "zig", "go", "js")
    found = compare_languages(names, n=200, rounds=1, budget_s=20, install=True)
    assert {row.name: row.why for row in found.rows.values() if row.why} == {}
    assert found.answer == "primes: 46\nwords: 8\n"
    for row in found.built:
        assert row.compile_ns > 0
        assert {Phase.LOAD, Phase.INSTANTIATE, Phase.RUN} <= {Phase(phase) for phase in row.phases}
        assert row.form == ("component" if row.name == "JavaScript" else "module")
    assert found.rows["C"].size_bytes < found.rows["Go"].size_bytes < found.rows["JavaScript"].size_bytes


@pytest.mark.slow
def test_the_python_program_prints_the_same() -> None:
    python = next(each for each in entries.languages() if each.key == "python")
    source = parse_language_cell(
        python.program.read_text(encoding="utf-8"), language="python", label="python"
    )
    run = get_runtime().run(build(source), Capabilities(args=("200",), stdin=TEXT, deadline_s=60))
    assert run.stdout.decode() == "primes: 46\nwords: 8\n"


def test_the_command_says_what_is_no_language(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match="cobol"):
        cli.main(["languages", "--json", "cobol"], standalone_mode=False)
    assert not capsys.readouterr().out
