"""Groups that nobody knows: invented ones are mistakes, those of other projects are not."""

from __future__ import annotations

import pytest

pytest.importorskip("kubernetes_validate")
pytest.importorskip("jsonschema_rs")

from wasm_lab.scenarios.kubernetes import validate

INVENTED = [
    ("k8s.io/v1 Deployment", "apps/v1"),
    ("apps.io/v1 Deployment", "apps/v1"),
    ("kubernetes.io/v1 Deployment", "apps/v1"),
    ("deployments.apps/v1 Deployment", "apps/v1"),
    ("example.com/v1 Deployment", "apps/v1"),
    ("example.com/v1 Pod", "v1"),
    ("example.com/v1 ConfigMap", "v1"),
    ("node.kubernetes.io/v1 RuntimeClass", "node.k8s.io/v1"),
    ("node.k8s/v1 RuntimeClass", "node.k8s.io/v1"),
    ("wasm.io/v1 RuntimeClass", "node.k8s.io/v1"),
    ("rbac.authorization/v1 ClusterRole", "rbac.authorization.k8s.io/v1"),
    ("rbac.authorization.kubernetes.io/v1 ClusterRole", "rbac.authorization.k8s.io/v1"),
    ("networking.io/v1 Ingress", "networking.k8s.io/v1"),
    ("core.spinkube.io/v1alpha1 SpinApp", "core.spinkube.dev/v1alpha1"),
    ("core.spinkube/v1alpha1 SpinApp", "core.spinkube.dev/v1alpha1"),
    ("spinkube.dev/v1alpha1 SpinApp", "core.spinkube.dev/v1alpha1"),
    ("spinkube.dev/v1alpha1 SpinAppExecutor", "core.spinkube.dev/v1alpha1"),
]


@pytest.mark.parametrize(("named", "meant"), INVENTED)
def test_an_invented_group_is_a_mistake(named: str, meant: str) -> None:
    api_version, _, kind = named.partition(" ")
    (problem,) = validate(f"kind: {kind}\nmetadata: {{name: a}}\napiVersion: {api_version}\n")
    assert (problem.severity, problem.line, problem.path) == ("error", 3, "apiVersion")
    assert f"{kind} is in {meant}." in problem.hint or f"Did you mean {meant}?" in problem.hint


@pytest.mark.parametrize(
    "named",
    [
        "serving.knative.dev/v1 Service",
        "batch.volcano.sh/v1alpha1 Job",
        "apps.kruise.io/v1beta1 StatefulSet",
        "apps.kruise.io/v1alpha1 DaemonSet",
        "projectcalico.org/v3 NetworkPolicy",
        "crd.projectcalico.org/v1 NetworkPolicy",
        "config.openshift.io/v1 Ingress",
        "authorization.openshift.io/v1 ClusterRole",
        "iam.kubesphere.io/v1beta1 ClusterRoleBinding",
        "scheduling.sigs.k8s.io/v1alpha1 PodGroup",
        "scheduling.incubator.k8s.io/v1alpha1 PodGroup",
        "networking.istio.io/v1 Gateway",
        "policy.networking.k8s.io/v1alpha1 AdminNetworkPolicy",
        "snapshot.storage.k8s.io/v1 VolumeSnapshot",
    ],
)
def test_a_kind_whose_name_others_use_again(named: str) -> None:
    api_version, _, kind = named.partition(" ")
    (problem,) = validate(f"apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: a}}\n")
    assert problem.severity == "note", problem


@pytest.mark.parametrize("group", ["apigateway.aws.upbound.io", "apigatewayv2.services.k8s.aws"])
def test_a_deployment_of_another_shape_is_somebody_else_s(group: str) -> None:
    (problem,) = validate(
        f"apiVersion: {group}/v1beta1\nkind: Deployment\nmetadata: {{name: a}}\nspec: {{forProvider: {{region: b}}}}\n"
    )
    assert problem.severity == "note", problem
