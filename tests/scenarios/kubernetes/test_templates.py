"""Files below folders of templates: what is a manifest as it stands, and what only Helm can read."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("kubernetes_validate")
pytest.importorskip("jsonschema_rs")

from wasm_lab.scenarios.kubernetes.validating import validate_given

MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n"
DASHBOARD = f'{MAP}  legend: "{{{{ pod }}}}"\n  wrong: 5\n'
TEMPLATE = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\n"


@pytest.mark.parametrize("folder", ["templates", "charts", "templates/deep"])
def test_a_manifest_among_templates_is_checked(tmp_path: Path, folder: str) -> None:
    path = tmp_path / folder / "c.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(DASHBOARD)
    for word in (path, path.parent, tmp_path):
        ((problem,),) = (each.problems for each in validate_given([str(word)]))
        assert (problem.line, problem.severity) == (6, "error")


def test_a_template_that_was_named_was_not_checked(tmp_path: Path) -> None:
    path = tmp_path / "templates" / "c.yaml"
    path.parent.mkdir()
    path.write_text(TEMPLATE)
    (named,) = validate_given([str(path)])
    (found,) = validate_given([str(tmp_path)])
    assert (named.valid, found.valid) == (False, True)
    assert "template" in found.problems[0].message
    assert "helm template" in named.problems[0].hint


def test_a_chart_is_helms_to_read(tmp_path: Path) -> None:
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: a\nversion: 1.0.0\n")
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "c.yaml").write_text(
        DASHBOARD.replace("name: a", 'name: "{{ .Release.Name }}"')
    )
    assert all(each.valid for each in validate_given([str(tmp_path)]))
