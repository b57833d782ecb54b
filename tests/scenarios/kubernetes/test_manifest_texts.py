"""Manifests as kubectl reads them: documents, JSON, places, and mistakes of YAML told at the line to blame."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

pytest.importorskip("kubernetes_validate")
pytest.importorskip("jsonschema_rs")

from wasm_lab.scenarios.kubernetes import load_documents, validate
from wasm_lab.scenarios.kubernetes.documents import read_documents
from wasm_lab.scenarios.kubernetes.problems import Problem
from wasm_lab.scenarios.kubernetes.separators import split

SPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: %s}\n"
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n"
JSON: dict[str, Any] = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}


def errors(text: str) -> list[Problem]:
    return [each for each in validate(text) if each.severity == "error"]


def only(text: str) -> Problem:
    (problem,) = errors(text)
    return problem


@pytest.mark.parametrize(
    ("before", "line"),
    [("%YAML 1.1\n", 1), ("# c\n\n%YAML 1.2\n# d\n", 3), ("%TAG ! tag:a,2000:\n", 1)],
)
def test_every_document_behind_a_directive_is_read(before: str, line: int) -> None:
    above = before.count("\n")
    text = f"{before}---\n{SPACE % 'a'}---\n{SPACE % 'b'}---\n{SPACE % 'c'}"
    reading = read_documents(text)
    places = [(each.name, each.line - above) for each in reading.documents]
    assert places == [("a", 2), ("b", 6), ("c", 10)]
    (problem,) = reading.problems
    assert (problem.line, problem.severity) == (line, "error")
    assert "directive" in problem.message
    wrong = errors(text.replace("kind: Namespace", "kind: Pd", 1))
    assert [each.line for each in wrong] == [line, above + 3]


def test_a_directive_with_a_document_above_is_passed_over_by_kubectl() -> None:
    text = f"{SPACE % 'a'}...\n%YAML 1.1\n---\n{SPACE % 'b'}---\n{SPACE % 'c'}"
    assert errors(text) == []
    assert [each.name for each in load_documents(text)] == ["a", "b", "c"]
    assert validate(f"---\n%YAML 1.1\n---\n{SPACE % 'a'}") == []


@pytest.mark.parametrize("above", ["# c\n---\n", "---\n---\n", SPACE % "b" + "---\n# c\n"])
def test_a_directive_between_dashes_is_refused_by_kubectl(above: str) -> None:
    problem = only(f"{above}%YAML 1.1\n---\n{SPACE % 'a'}")
    assert problem.line == above.count("\n") + 1
    assert "`%YAML`" in problem.message


def test_documents_of_a_file_with_bare_returns() -> None:
    text = (SPACE % "a" + "---\n" + SPACE % "b" + "---\n" + SPACE % "c").replace("\n", "\r")
    reading = read_documents(text)
    assert [(each.name, each.line) for each in reading.documents] == [("a", 1), ("b", 5), ("c", 9)]
    assert [(each.line, each.severity) for each in reading.problems] == [(5, "warning"), (9, "warning")]
    assert only(text.replace("kind: Namespace", "kind: Namespce", 1)).line == 2


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("--- {apiVersion: v1, kind: Namespace, metadata: {name: b}}", "line break"),
        ("--- !!map", "line break"),
        ("---apiVersion: v1", "line break is missing after ---"),
        ("----", "does not separate"),
        ("--- -", "does not separate"),
    ],
)
def test_what_kubectl_refuses_behind_three_dashes(line: str, says: str) -> None:
    rest = (SPACE % "b").removeprefix("apiVersion: v1\n" if "apiVersion" in line else "")
    text = f"{SPACE % 'a'}{line}\n{'' if '{' in line else rest}"
    problem = only(text)
    assert problem.line == 4
    assert says in problem.message
    assert [each.name for each in read_documents(text).documents] == ["a", "b"]


def test_columns_behind_glued_dashes_are_those_of_the_file() -> None:
    places = [
        (each.line, each.column)
        for each in errors("---apiVersion: v9\nkind: Namespace\nmetadata: {name: a}\n")
    ]
    assert places == [(1, 4), (1, 16)]


def test_a_line_of_dashes_and_text_within_a_text() -> None:
    key = 'stringData:\n  key: "-----BEGIN KEY-----\n-----END KEY-----"\n'
    problem = only((SPACE % "a").replace("Namespace", "Secret") + key)
    assert problem.line == 6
    assert "Indent" in problem.hint
    inside = "stringData:\n  key: |\n    -----BEGIN KEY-----\n    ---\n    -----END KEY-----\n"
    assert errors((SPACE % "a").replace("Namespace", "Secret") + inside) == []


def test_a_comment_right_behind_the_dashes() -> None:
    assert errors(f"---# one\n{SPACE % 'a'}---#two\n{SPACE % 'b'}") == []


def test_json_as_programs_write_it() -> None:
    value = {**JSON, "data": {"k": "\U0001f600 \u2028\x85\x7f grün / \"'\\", "l" * 1100: "\t"}}
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False), json.dumps(value, indent="\t")):
        assert validate(text) == []
        (document,) = load_documents(text)
        assert document.value == value


def test_half_a_pair_of_surrogates_is_what_go_makes_of_it() -> None:
    (document,) = load_documents('{"data": {"k": "\\ud83d!"}}')
    assert document.value == {"data": {"k": "\ufffd!"}}


def test_places_in_json() -> None:
    text = json.dumps({**JSON, "data": {"k": "\U0001f600", "n": 5}})
    assert (only(text).line, only(text).column) == (1, text.index("5}") + 1)
    text = json.dumps({**JSON, "data": {"k": "\U0001f600", "n": 5}}, indent="\t")
    assert (only(text).line, only(text).column) == (9, 8)
    twice = '{"data": {"k": "\\ud83d\\ude00",\n "k": ""}}'
    assert [(each.line, each.column) for each in read_documents(twice).problems] == [(2, 2)]


def test_compact_objects_line_by_line() -> None:
    one = json.dumps({**JSON, "data": {"k": "a"}})
    two = json.dumps({**JSON, "metadata": {"name": "b"}, "data": {"k": 5}})
    for between, place in (("\n", (2, 0)), ("", (1, len(one))), ("\n\n  ", (3, 2))):
        problem = only(one + between + two + "\n")
        assert (problem.line, problem.column) == (place[0], place[1] + two.index("5}") + 1)


@pytest.mark.parametrize("part", ["%a\n---\n", "---\n", "---x\n", "----\n"])
def test_many_separators_are_read_in_a_moment(part: str) -> None:
    count = 20_000
    before = time.process_time()
    split(part * count)
    assert time.process_time() - before < 2


def test_many_escaped_quotes_are_read_in_a_moment() -> None:
    before = time.process_time()
    (document,) = load_documents('a: "' + "\\'" * 100_000 + '"')
    assert document.value == {"a": "'" * 100_000}
    assert time.process_time() - before < 2


def test_many_objects_on_one_line() -> None:
    documents = read_documents('{"kind": "A"}' * 2_000).documents
    assert [each.place(["kind"])[1] for each in documents] == [10 + 13 * at for at in range(2_000)]


def test_json_that_is_none_is_told_as_such() -> None:
    problem = only('{\n\t"apiVersion": "v1"\n\t"kind": "Namespace"\n}\n')
    assert problem.line == 3
    assert "tab" not in problem.message


def test_a_tab_in_a_block_is_not_to_blame() -> None:
    problem = only(f"{MAP}  Makefile: |\n    all:\n    \techo hi\n    \techo ho\n  other: x: y\n")
    assert (problem.line, problem.column) == (9, 11)
    assert "mapping values" in problem.message


@pytest.mark.parametrize("header", ["t: |", "t: >-", "t: |2+ # text", "t: !!str |", '"t": &a |'])
def test_a_template_in_a_block_is_not_to_blame(header: str) -> None:
    problem = only(f"{MAP}  {header}\n    {{{{ if x }}}}\n    y\n  other: 'abc\n  z: 1\n")
    assert (problem.line, problem.column) == (8, 10)
    assert "quote" in problem.message


def test_a_block_in_a_list_and_what_follows_it() -> None:
    text = "spec:\n  args:\n    - |\n      a\n      \tb\n    - {{ x }}-c\n"
    problem = only(text)
    assert problem.line == 6
    assert "template" in problem.message
    assert only("spec:\n  - run: |\n      a\n\tb: c\n").line == 4


def test_text_that_holds_braces_is_no_template() -> None:
    problem = only(f'{MAP}  a: "{{{{ x }}}}"  # {{{{ y }}}}\n  b: x: y\n')
    assert problem.line == 6
    assert "mapping values" in problem.message


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("kind: A\n{{- if .Values.x }}\na: b\n{{- end }}\n", 2),
        ('kind: A\nname: "{{ .Values.x | default "a" }}"\n', 2),
        ('kind: A\nlabels:\n  {{- include "a" . | nindent 4 }}\n  b: c\n', 3),
        ("kind: A\n{% if x %}\na: b\n{% endif %}\n", 2),
    ],
)
def test_templates_are_called_so(text: str, line: int) -> None:
    problem = only(text)
    assert (problem.line, "template" in problem.message) == (line, True)


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("spec:\n  -\tname: a\n", (2, 4), "a tab after the dash; write a space."),
        ("spec:\n  - - \tname: a\n", (2, 7), "a tab after the dash"),
        ("spec:\n\t\n  a: b\n", (2, 1), "a tab in the indentation"),
        ("kind: a\n\t\nspec: {}\n", (2, 1), "a tab in the indentation"),
        ("data:\n  a: |\n    \ttext\n", (3, 5), "where the text of a block"),
        ("kind: A\nkind:Pod\nmetadata: {}\n", (2, 1), "no space after the colon: write `kind: Pod`."),
        ("a:\n  - name:web\n    image: b\n", (2, 5), "write `name: web`"),
        ("a:\n  - name:web # one\n    image: b\n", (2, 5), "write `name: web`"),
        ("a: 1\nfoo\nb: 2\n", (2, 1), "could not find expected ':'"),
        (" a: 1\nb: 2\n", (2, 1), "has ended above this line"),
        ("a: 1\n...\nb: 2\n", (3, 1), "has ended above this line"),
        ("a: [1\n", (1, 4), "expected ',' or ']'"),
        ("a: grün\nb: \x07\n", (2, 4), "control characters"),
    ],
)
def test_mistakes_of_yaml(text: str, place: tuple[int, int], says: str) -> None:
    problem = only(text)
    assert (problem.line, problem.column) == place
    assert says in problem.message


@pytest.mark.parametrize("letter", ["\u2028", "\u2029", "\x85"])
def test_what_only_yaml_calls_a_line_break_moves_no_line(letter: str) -> None:
    problem = only(f'{MAP}  a: "x{letter}y{letter}z"\n  b: 5\n')
    assert (problem.line, problem.column) == (6, 6)
    assert only(f'{MAP}  a: "x{letter}y"\n  b: x: y\n').line == 6


def test_escaped_quotes_move_no_column() -> None:
    text = f"{MAP}  {{a: \"it\\'s \\\\ \\'so\\'\", b: \"\\'\", c: 5}}\n"
    problem = only(text)
    assert (problem.line, problem.column) == (5, text.splitlines()[4].index("5") + 1)
