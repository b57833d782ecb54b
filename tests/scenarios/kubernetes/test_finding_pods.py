"""What finds pods by their labels: a slip is an error, and what may be meant for other files is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

pytest.importorskip("kubernetes_validate")
pytest.importorskip("jsonschema_rs")

from wasm_lab.scenarios.kubernetes.validating import validate_texts

if TYPE_CHECKING:
    from wasm_lab.scenarios.kubernetes import Problem


def deployment(name: str, labels: str) -> str:
    return (
        f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec:\n"
        f"  selector: {{matchLabels: {{{labels}}}}}\n  template:\n    metadata:\n      labels: {{{labels}}}\n"
        "    spec: {containers: [{name: a, image: b}]}\n"
    )


def service(name: str, selector: str, more: str = "") -> str:
    return (
        f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec:\n"
        f"  selector: {{{selector}}}\n  ports: [{{port: 80}}]\n{more}"
    )


def found(*texts: str) -> list[Problem]:
    checked = validate_texts([(f"{number}.yaml", text) for number, text in enumerate(texts)])
    return [problem for each in checked for problem in each.problems]


SLIPS = [
    ("a", "app: webb"),
    ("a", "app: wbe"),
    ("a", "app: Web"),
    ("a", "ap: web"),
    ("a", "name: web"),
    ("a", "app.kubernetes.io/name: web"),
    ("web", "app: other"),
    ("web", "tier: front"),
]


@pytest.mark.parametrize(("name", "selector"), SLIPS)
@pytest.mark.parametrize("apart", [False, True])
def test_a_slip_is_an_error_in_one_file_and_in_two(name: str, selector: str, apart: bool) -> None:
    texts = (service(name, selector), deployment("web", "app: web"))
    (problem,) = found(*texts) if apart else found("---\n".join(texts))
    assert (problem.file, problem.line, problem.severity) == ("0.yaml", 5, "error")
    assert f"`{selector}`" in problem.message
    assert ("1.yaml:8" if apart else "line 15") in problem.message


def test_every_label_but_one_fits() -> None:
    (problem,) = found(service("a", "tier: front, app: webb"), deployment("web", "app: web, tier: front"))
    assert (problem.severity, problem.path) == ("error", "spec.selector.app")


@pytest.mark.parametrize(
    "texts",
    [
        # Several of a kind, told apart by a number or a letter.
        (service("a", "app: web-1"), deployment("b", "app: web-2")),
        (service("a", "app: web-a"), deployment("b", "app: web-b")),
        (service("a", "app: hello-api"), deployment("b", "app: hello-app")),
        (service("a", "app: web, part: one"), deployment("b", "app: webb, part: two")),
        # Meant for pods of other files: those of this one are found by another Service.
        (service("web", "app: other"), service("b", "app: web"), deployment("web", "app: web")),
        (service("a", "app: webs"), service("b", "app: web"), deployment("web", "app: web")),
        # Labels that a controller, or the program itself, adds.
        (
            service("web", "app: web, statefulset.kubernetes.io/pod-name: web-0"),
            deployment("web", "app: web"),
        ),
        (service("web", "app: web, role: master"), deployment("web", "app: web")),
        (service("web", "statefulset.kubernetes.io/pod-name: web-0"), deployment("web", "app: web")),
        # A selector that is not used; another namespace; pods of a custom resource.
        (
            service("web", "app: webb", "  type: ExternalName\n  externalName: a.b\n"),
            deployment("web", "app: web"),
        ),
        (
            service("web", "app: webb").replace("{name: web}", "{name: web, namespace: z}"),
            deployment("web", "app: web"),
        ),
        (
            service("web", "app: webb"),
            deployment("web", "app: web"),
            "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: web}\n"
            "spec: {template: {metadata: {labels: {app: webb}}}}\n",
        ),
    ],
)
def test_what_may_be_meant_is_no_mistake(texts: tuple[str, ...]) -> None:
    assert [problem for problem in found(*texts) if problem.severity != "note"] == []


def test_one_that_finds_nothing_and_resembles_nothing_is_a_warning() -> None:
    (problem,) = found(service("a", "app: other") + "---\n" + deployment("web", "app: web"))
    assert (problem.line, problem.severity) == (5, "warning")
    assert "Deployment `web`" in problem.hint


@pytest.mark.parametrize(
    "text",
    [
        "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: a}\nspec:\n"
        "  minAvailable: 1\n  selector: {matchLabels: {app: webb}}\n",
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a}\nspec:\n"
        "  policyTypes: [Ingress]\n  podSelector: {matchLabels: {app: webb}}\n",
    ],
)
def test_budgets_and_policies_are_warned_of(text: str) -> None:
    (problem,) = found(text, service("web", "app: web"), deployment("web", "app: web"))
    assert (problem.line, problem.severity) == (6, "warning")
    assert found(text.replace("webb", "web"), deployment("web", "app: web")) == []
    assert found(text.replace("webb", "other"), deployment("web", "app: web")) == []


def test_a_job_of_the_same_name_only_prepares() -> None:
    job = (
        "apiVersion: batch/v1\nkind: Job\nmetadata: {name: db}\nspec: {template: {metadata: {labels: {app: seed}}, "
        "spec: {restartPolicy: Never, containers: [{name: a, image: b}]}}}\n"
    )
    assert found(service("db", "app: database"), job) == []
