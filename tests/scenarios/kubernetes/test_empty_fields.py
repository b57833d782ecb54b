"""A field that must be there and has nothing in it is told at its own line."""

from __future__ import annotations

import pytest

pytest.importorskip("kubernetes_validate")
pytest.importorskip("jsonschema_rs")

from wasm_lab.scenarios.kubernetes import validate

RIGHT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 1
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
        - name: web
          image: web
"""
LABELS = "    matchLabels:\n      app: web\n"


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("apiVersion: apps/v1", "apiVersion:", 1, "nothing in its `apiVersion`"),
        ("kind: Deployment", "kind:", 2, "nothing in its `kind`"),
        ("kind: Deployment", "kind: null", 2, "nothing in its `kind`"),
        (LABELS, "", 7, "nothing in its `selector`"),
        ("  selector:\n" + LABELS, "", 5, "`spec` has no `selector`"),
        (LABELS, "    matchLabels:\n", 8, "selector of the Deployment is empty"),
        (LABELS, "    matchLabels: {}\n", 8, "selector of the Deployment is empty"),
        ("  selector:\n" + LABELS, "  selector: {}\n", 7, "selector of the Deployment is empty"),
    ],
)
def test_an_empty_field_is_told_where_it_stands(old: str, new: str, line: int, says: str) -> None:
    problems = [each for each in validate(RIGHT.replace(old, new)) if each.severity == "error"]
    assert [each.line for each in problems] == [line], problems
    assert says in problems[0].message


def test_both_lack() -> None:
    (problem,) = validate("apiVersion:\nmetadata: {name: a}\n")
    assert "nothing in its `apiVersion` and no `kind`" in problem.message


@pytest.mark.parametrize(
    ("old", "new", "line", "home"),
    [
        ("metadata:\n  name: web", "metadata:\nname: web", 4, "`name` is a field of `metadata`"),
        (
            "template:\n    metadata:\n      labels:\n  ",
            "template:\n    metadata:\n    labels:\n  ",
            12,
            "template.metadata`",
        ),
    ],
)
def test_what_is_indented_too_little_belongs_to_the_empty_field(
    old: str, new: str, line: int, home: str
) -> None:
    assert old in RIGHT
    (hint,) = [each.hint for each in validate(RIGHT.replace(old, new)) if each.line == line]
    assert home in hint
