"""Manifests as texts: YAML's own traps, other encodings, hostile files, files that are no manifests."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("kubernetes_validate")
pytest.importorskip("jsonschema_rs")

import yaml

from wasm_lab.errors import KubeManifestError
from wasm_lab.scenarios.kubernetes import load_documents, render, validate
from wasm_lab.scenarios.kubernetes.documents import decode, read_documents
from wasm_lab.scenarios.kubernetes.scalars import resolve
from wasm_lab.scenarios.kubernetes.validating import validate_given, validate_texts

MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  a: b\n"


def errors(text: str) -> list[tuple[int, int]]:
    return [(each.line, each.column) for each in validate(text) if each.severity == "error"]


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("yes", True),
        ("y", True),
        ("Off", False),
        ("0755", 493),
        ("0o17", 15),
        ("0x1F", 31),
        ("0b11", 3),
        ("1_000", 1000),
        ("12:30:45", "12:30:45"),
        ("2026-11-21", "2026-11-21"),
        ("1e3", 1000.0),
        ("1.10", 1.1),
        ("08", 8.0),
        ("~", None),
        ("nul", "nul"),
        ("-", "-"),
        ("1.2.3", "1.2.3"),
        ("+5", 5),
        (".5", 0.5),
        ("9" * 400, float("inf")),
    ],
)
def test_words_mean_what_they_mean_to_kubernetes(word: str, value: Any) -> None:
    assert resolve(word) == value


def test_windows_lines_and_marks() -> None:
    assert validate(MAP.replace("\n", "\r\n")) == []
    assert decode(b"\xef\xbb\xbf" + MAP.encode(), "a") == MAP
    wrong = MAP.replace("name: a", "nome: a")
    assert errors(wrong.replace("\n", "\r\n")) == errors(wrong)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "latin-1"])
def test_other_encodings_are_named(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "a.yaml"
    mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
    file.write_bytes(mark + MAP.replace("a: b", "a: grün").encode(encoding))
    (problem,) = validate(file)
    assert "UTF" in problem.message
    assert "iconv" in problem.hint
    if encoding == "latin-1":
        assert (problem.line, problem.column) == (6, 8)


def test_merge_keys_and_anchors() -> None:
    text = (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: &m\n  name: a\n"
        "data: &d {x: &v one, z: *v}\n---\n"
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  labels: &l {a: b}\n  annotations:\n    <<: *l\n    c: d\n  name: b\n"
    )
    assert validate(text) == []
    second = load_documents(text)[1]
    assert second.value["metadata"]["annotations"] == {"a": "b", "c": "d"}
    assert second.place(["metadata", "annotations", "c"]) == (13, 8)


def test_an_anchor_of_another_document_is_none() -> None:
    (problem,) = validate(MAP.replace("name: a", "name: &n a") + "---\n" + MAP.replace("name: a", "name: *n"))
    assert problem.line == 11
    assert "anchor" in problem.message


def test_a_broken_document_does_not_hide_the_others() -> None:
    text = f"a: [\n---\n{MAP.replace('kind', 'knd')}---\nb: 'x\n---\n{MAP}"
    lines = [line for line, _ in errors(text)]
    assert len(lines) == 3
    assert lines[1] == 4


@pytest.mark.parametrize("dashes", ["--", "----", " ---", "—"])
def test_dashes_that_do_not_separate(dashes: str) -> None:
    problems = validate(f"{MAP}{dashes}\n{MAP}")
    assert any(each.severity == "error" and each.line in (7, 8) for each in problems)


def test_separators_with_comments() -> None:
    assert (
        validate(
            f"---\n# first\n{MAP}--- # second\n{MAP.replace('name: a', 'name: b')}...\n---\n# nothing\n---\n"
        )
        == []
    )


def test_lists_and_json() -> None:
    items = "".join("  " + line + "\n" for line in MAP.replace("a: b", "a: 1").splitlines())
    text = "apiVersion: v1\nkind: List\nitems:\n- " + items.lstrip()
    assert errors(text) == [(9, 8)]
    json = '{"apiVersion": "v1", "kind": "ConfigMap",\n "metadata": {"name": "a"}, "data": {"a": 1}}\n'
    assert errors(json) == [(2, 43)]
    assert errors('{\n\t"apiVersion": "v1", "kind": "Namespace",\n\t"metadata": {"name": "a"}\n}') == []
    assert [line for line, _ in errors(json.replace("}}\n", "}\n}\n") * 2)] == [2, 5]


def test_empty_texts_are_no_mistake() -> None:
    for text in ("", "\n", "# a comment\n", "---\n---\n", "\ufeff"):
        assert [each for each in validate(text) if each.severity == "error"] == []


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "a: " * 5000,
        "- " * 50_000,
        "{a: " * 3000 + "}" * 3000,
        "x: \x00",
        "x: \x07",
        "? " * 10_000,
        "&a [*a]",
        "&a {b: *a}",
        "!!python/object/apply:os.system ['true']",
        "a: !!int 'x'",
        "a: !!binary '%%%'",
        "\ud800".encode("utf-8", "surrogatepass").decode("utf-8", "replace"),
        "a" * 2_000_000,
        "a: |\n" + " x\n" * 100_000,
    ],
)
def test_hostile_texts_end_in_a_problem(text: str) -> None:
    problems = validate(text)
    assert problems
    assert all(each.line >= 0 for each in problems)


def test_aliases_that_multiply() -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    (problem,) = validate("\n".join(rows))
    assert "too large" in problem.message


def test_random_damage_never_breaks_the_check() -> None:
    chance = random.Random(20261121)
    values: list[Any] = [None, True, 0, -1, 3.5, "", "x", [], {}, [1], [{}], {"a": {"b": [None]}}, 10**30]
    texts = [render("ghcr.io/me/a:1", way=way) for way in ("crun", "runwasi", "spinkube")]

    def damage(value: Any) -> Any:
        if chance.random() < 0.12:
            return chance.choice(values)
        if isinstance(value, dict):
            return {key: damage(each) for key, each in value.items()}
        return [damage(each) for each in value] if isinstance(value, list) else value

    for _ in range(60):
        documents = list(yaml.safe_load_all(chance.choice(texts)))
        letters = list(chance.choice(texts))
        for _ in range(4):
            letters[chance.randrange(len(letters))] = chance.choice("\t :-[]{}&*!|>'\"%@`#\n,?")
        damaged = "---\n".join(yaml.safe_dump(damage(document)) for document in documents)
        for result in validate_texts([("a.yaml", damaged), ("b.yaml", "".join(letters))]):
            assert all(str(problem) for problem in result.problems)


def test_documents_know_their_lines() -> None:
    first, second = load_documents(f"# head\n{MAP}---\n{MAP}", file="a.yaml")
    assert (first.line, second.line) == (2, 9)
    assert second.place(["data", "a"]) == (14, 6)
    assert second.place(["data", "a"], key=True) == (14, 3)
    assert second.place(["data", "nothing", "below"]) == (14, 3)
    assert (second.kind, second.name, second.namespace, second.get("data", "a")) == (
        "ConfigMap",
        "a",
        "",
        "b",
    )


def test_load_documents_refuses_what_is_no_yaml(tmp_path: Path) -> None:
    with pytest.raises(KubeManifestError) as caught:
        load_documents("a: [\n", file="a.yaml")
    assert caught.value.problems[0].file == "a.yaml"
    with pytest.raises(KubeManifestError, match="cannot be read"):
        load_documents(tmp_path / "gone.yaml")


CHART = {
    "Chart.yaml": "apiVersion: v2\nname: a\nversion: 1.0.0\n",
    "values.yaml": "image: a\n",
    "templates/deployment.yaml": "apiVersion: v1\nkind: {{ .Values.kind }}\n{{- if .Values.x }}\na: b\n{{- end }}\n",
}
KUSTOMIZE = {
    "kustomization.yaml": "resources:\n  - a.yaml\npatches:\n  - path: patch.yaml\n",
    "a.yaml": MAP,
    "patch.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {replicas: 2}\n",
    "ops.yaml": "- op: replace\n  path: /spec/replicas\n  value: 2\n",
}
_WAITING = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a.b.io}\nspec: {conversion: {}}\n"
PATCHES_BELOW = {
    "kustomization.yaml": "resources: [a.yaml]\npatches:\n  - path: parts/patch.yaml\n#- path: patches/waiting.yaml\n",
    "a.yaml": MAP,
    "parts/patch.yaml": KUSTOMIZE["patch.yaml"],
    "patches/waiting.yaml": _WAITING,
}
OTHERS = {
    "docker-compose.yaml": "version: '3'\nservices: {a: {image: b}}\n",
    "workflow.yml": "on: push\njobs: {}\n",
    "package.json": '{"name": "a"}',
    "openapi.yaml": "openapi: 3.0.0\npaths: {}\n",
    "kind.yaml": "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n",
    "kubeconfig.yaml": "apiVersion: v1\nkind: Config\nclusters: []\n",
}


@pytest.mark.parametrize("files", [CHART, KUSTOMIZE, PATCHES_BELOW, OTHERS])
def test_folders_hold_other_files(tmp_path: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    checked = {Path(each.file).name: each for each in validate_given([str(tmp_path)])}
    assert len(checked) == len(files)
    assert all(each.valid for each in checked.values()), [p for c in checked.values() for p in c.problems]
    said = {name: " ".join(problem.message for problem in each.problems) for name, each in checked.items()}
    assert all(said[name] for name in said if name != "a.yaml")


@pytest.mark.parametrize("text", ["resources: [a.yaml]\n", "bases: [../crd]\nnamePrefix: a-\n"])
def test_a_kustomization_without_a_kind_is_called_one(tmp_path: Path, text: str) -> None:
    path = tmp_path / "kustomization.yaml"
    path.write_text(text)
    for given in (path, tmp_path):
        ((problem,),) = (each.problems for each in validate_given([str(given)]))
        assert (problem.severity, "kustomization" in problem.message) == ("note", True)


def test_a_folder_called_patches_is_one_only_beside_a_kustomization(tmp_path: Path) -> None:
    (tmp_path / "patches").mkdir()
    (tmp_path / "patches" / "a.yaml").write_text(_WAITING)
    (checked,) = validate_given([str(tmp_path)])
    assert not checked.valid


def test_a_template_says_that_it_must_be_filled_in() -> None:
    (problem,) = validate("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n")
    assert "template" in problem.message
    assert problem.line == 4
    assert "helm template" in problem.hint


def test_reading_keeps_problems_of_yaml_apart() -> None:
    reading = read_documents("a: 1\na: 2\n")
    assert [each.value for each in reading.documents] == [{"a": 2}]
    assert [each.line for each in reading.problems] == [2]


def test_an_escaped_quote_is_one_as_kubectl_reads_it() -> None:
    text = "kind: \"it\\'s\"\nnote: 'a\\'\nmore: \"say \\\\\\\\\\'so\\'\"\n"
    (document,) = load_documents(text)
    assert document.value == {"kind": "it's", "note": "a\\", "more": "say \\\\'so'"}
    assert document.place(["more"]) == (3, 7)
    with pytest.raises(KubeManifestError, match="unknown escape"):
        load_documents('kind: "\\q"\n')


CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: bells.toys.example.com}
spec:
  group: toys.example.com
  scope: Namespaced
  names: {plural: bells, singular: bell, kind: Bell}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              required: [size, parts]
              properties:
                size: {type: string, default: small}
                parts:
                  type: array
                  items:
                    type: object
                    properties:
                      way: {type: string, default: rope}
                      what: {type: string}
                    oneOf:
                      - properties: {way: {enum: [rope]}, what: {pattern: "^[0-9]+$"}}
                      - properties: {way: {enum: [wire]}}
---
apiVersion: toys.example.com/v1
kind: Bell
metadata: {name: a}
spec:
  parts: [{what: "3"}]
"""


def test_defaults_of_a_definition_are_there_before_the_check() -> None:
    assert validate(CRD) == []
    for wrong in ('[{what: "x"}]', '[{what: "3", way: cord}]', "[{what: 3}]"):
        assert validate(CRD.replace('[{what: "3"}]', wrong)), wrong
    missing = validate(CRD.replace('  parts: [{what: "3"}]', "  size: large"))
    assert ["`parts`" in each.message for each in missing] == [True]
