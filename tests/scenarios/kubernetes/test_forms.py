"""Words of which few are allowed, forms of text, and fields that exclude each other.

What is right and what is wrong here was asked of an API server.
"""

from __future__ import annotations

import pytest

pytest.importorskip("kubernetes_validate")
pytest.importorskip("jsonschema_rs")

from wasm_lab.scenarios.kubernetes import validate

TEMPLATE = "template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: b}]}}"
TERM = "requiredDuringSchedulingIgnoredDuringExecution"
PEER = "ingress: [{from: [{ipBlock: {cidr: '%s'}}]}]"
METRIC = "metrics: [{type: %s, resource: {name: cpu, target: {type: %s, averageUtilization: 50}}}]"


def pod(field: str) -> str:
    return (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n"
        f"  containers: [{{name: a, image: b}}]\n  {field}\n"
    )


def container(field: str) -> str:
    return (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n"
        f"  containers:\n  - {{name: a, image: b, {field}}}\n"
    )


def spec(named: str, field: str, more: str) -> str:
    api_version, _, kind = named.partition(" ")
    return f"apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: a}}\nspec:\n  {more}\n  {field}\n"


def deployment(field: str) -> str:
    return spec("apps/v1 Deployment", field, "selector: {matchLabels: {a: b}}\n  " + TEMPLATE)


def daemons(rolling: str) -> str:
    field = f"updateStrategy: {{rollingUpdate: {{{rolling}}}}}"
    return spec("apps/v1 DaemonSet", field, "selector: {matchLabels: {a: b}}\n  " + TEMPLATE)


def rolling(surge: str, unavailable: str) -> str:
    return deployment(f"strategy: {{rollingUpdate: {{maxSurge: {surge}, maxUnavailable: {unavailable}}}}}")


def cron(schedule: str) -> str:
    job = "{spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: b}]}}}}"
    return spec("batch/v1 CronJob", f"schedule: '{schedule}'", f"jobTemplate: {job}")


def budget(field: str) -> str:
    return spec("policy/v1 PodDisruptionBudget", field, "selector: {matchLabels: {a: b}}")


def policy(field: str) -> str:
    return spec("networking.k8s.io/v1 NetworkPolicy", field, "podSelector: {}")


def scaler(field: str) -> str:
    target = "scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: w}"
    return spec("autoscaling/v2 HorizontalPodAutoscaler", field, target)


def ingress(host: str, path: str = "/") -> str:
    http = f"{{paths: [{{path: '{path}', pathType: Prefix, backend: {{service: {{name: a, port: {{number: 80}}}}}}}}]}}"
    return spec(
        "networking.k8s.io/v1 Ingress", f"rules: [{{host: '{host}', http: {http}}}]", "ingressClassName: a"
    )


def on_nodes(operator: str) -> str:
    term = f"{{matchExpressions: [{{key: a, operator: {operator}, values: ['1']}}]}}"
    return pod(f"affinity: {{nodeAffinity: {{{TERM}: {{nodeSelectorTerms: [{term}]}}}}}}")


def off_pods(operator: str) -> str:
    term = f"{{topologyKey: a, labelSelector: {{matchExpressions: [{{key: a, operator: {operator}, values: [b]}}]}}}}"
    return pod(f"affinity: {{podAntiAffinity: {{{TERM}: [{term}]}}}}")


WRONG = [
    (pod("tolerations: [{key: a, operator: Equals}]"), "Did you mean Equal?"),
    (pod("tolerations: [{key: a, operator: Exists, effect: NoShedule}]"), "Did you mean NoSchedule?"),
    (on_nodes("in"), "Did you mean In?"),
    (off_pods("in"), "Did you mean In?"),
    (off_pods("Gt"), "must be one of In, NotIn"),
    (
        pod("topologySpreadConstraints: [{maxSkew: 1, topologyKey: a, whenUnsatisfiable: ScheduleAny}]"),
        "Did you mean ScheduleAnyway?",
    ),
    (pod("volumes: [{name: a, hostPath: {path: /a, type: Dir}}]"), "must be one of"),
    (pod("volumes: [{name: a, emptyDir: {}, configMap: {name: c}}]"), "`emptyDir` and `configMap`"),
    (container("env: [{name: A, valueFrom: {}}]"), "does not say from where"),
    (container("terminationMessagePolicy: file"), "Did you mean File?"),
    (policy("policyTypes: [ingress]"), "Did you mean Ingress?"),
    (policy("ingress: [{ports: [{protocol: tcp, port: 80}]}]"), "Did you mean TCP?"),
    (policy(PEER % "10.0.0.0/33"), "an address has 32 bits"),
    (policy(PEER % "fd00::/129"), "an address has 128 bits"),
    (policy(PEER % "10.0.0.1"), "10.0.0.1/32"),
    (policy(PEER % "300.0.0.0/8"), "no block of addresses"),
    (scaler("maxReplicas: 3\n  minReplicas: 5"), "at most 3 replicas"),
    (scaler("maxReplicas: 3\n  " + METRIC % ("Resouce", "Utilization")), "Did you mean Resource?"),
    (scaler("maxReplicas: 3\n  " + METRIC % ("Resource", "Utilisation")), "Did you mean Utilization?"),
    (budget("minAvailable: 1\n  maxUnavailable: 1"), "exclude each other"),
    (budget('minAvailable: "25"'), 'Write 25, or "25%".'),
    (rolling("0", "0"), "nothing could change"),
    (rolling('"0%"', "0"), "nothing could change"),
    (rolling('"25"', "1"), 'Write 25, or "25%".'),
    (rolling("0", '"150%"'), "more than all"),
    (daemons("maxUnavailable: 0"), "nothing could change"),
    (cron("61 * * * *"), "from 0 to 59"),
    (cron("* * * * 7"), "Sunday is 0"),
    (cron("*/0 * * * *"), "minute"),
    (cron("10-5 * * * *"), "10-59,0-5"),
    (cron("TZ=UTC 0 * * * *"), "Write timeZone: UTC beside it"),
    (cron("0 0 0 * * *"), "cron has five"),
    (ingress("A_b"), "is no host"),
    (ingress("a.b:80"), "without a port"),
    (ingress("10.0.0.1"), "Without `host`"),
    (ingress("a.b", "x"), "Write path: /x"),
    (
        spec(
            "batch/v1 Job",
            "completionMode: indexed",
            "template: {spec: {restartPolicy: Never, containers: [{name: a, image: b}]}}",
        ),
        "Did you mean Indexed?",
    ),
]


@pytest.mark.parametrize(("text", "says"), WRONG)
def test_what_an_api_server_refuses(text: str, says: str) -> None:
    errors = [each for each in validate(text) if each.severity == "error"]
    assert len(errors) == 1, errors
    assert says in f"{errors[0].message} {errors[0].hint}"
    assert errors[0].line >= 5


@pytest.mark.parametrize(
    "text",
    [
        pod("tolerations: [{operator: Exists}, {key: a, operator: '', effect: ''}]"),
        on_nodes("Gt"),
        off_pods("NotIn"),
        pod("volumes: [{name: a, emptyDir: , configMap: {name: c}}, {name: b}]"),
        policy(PEER % "10.0.0.0/8"),
        policy(PEER % "::/0"),
        scaler("maxReplicas: 3\n  minReplicas: 3\n  " + METRIC % ("Resource", "Utilization")),
        budget("maxUnavailable: 0"),
        budget("minAvailable: 100%"),
        rolling("0", "1"),
        rolling('"150%"', "0"),
        deployment("strategy: {rollingUpdate: {maxSurge: 0}}"),
        deployment("strategy: {rollingUpdate: {maxUnavailable: 0}}"),
        daemons("maxUnavailable: 0, maxSurge: 1"),
        *map(
            cron,
            (
                "@hourly",
                "@every 1h",
                "*/90 * * * *",
                "5/15 * * * *",
                "0 0 * JAN-MAR MON,fri",
                "0 0 ? * ?",
                "0 0,12 1-5/2 */2 *",
                "0 0 31 2 *",
            ),
        ),
        *map(ingress, ("a.b", "*.a.b", "localhost", "", "1.2.3.4.nip.io")),
    ],
)
def test_what_it_accepts(text: str) -> None:
    assert [each for each in validate(text) if each.severity == "error"] == []
