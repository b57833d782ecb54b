"""Each planted mistake is found, at its line, with its mend; and the same manifest without it is right."""

from __future__ import annotations

import textwrap

import pytest

pytest.importorskip("kubernetes_validate")
pytest.importorskip("jsonschema_rs")

from wasm_lab.scenarios.kubernetes import Problem, validate

RIGHT = textwrap.dedent(
    """\
    apiVersion: node.k8s.io/v1
    kind: RuntimeClass
    metadata:
      name: crun-wasm
    handler: crun
    ---
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: hello
    spec:
      replicas: 2
      selector:
        matchLabels:
          app: hello
      template:
        metadata:
          labels:
            app: hello
          annotations:
            module.wasm.image/variant: compat-smart
        spec:
          runtimeClassName: crun-wasm
          containers:
            - name: hello
              image: ghcr.io/me/hello:1
              env:
                - name: MODE
                  value: "yes"
              ports:
                - name: http
                  containerPort: 8080
              readinessProbe:
                httpGet:
                  path: /
                  port: http
              resources:
                requests:
                  cpu: 100m
                  memory: 16Mi
                limits:
                  cpu: 500m
                  memory: 32Mi
    ---
    apiVersion: v1
    kind: Service
    metadata:
      name: hello
    spec:
      selector:
        app: hello
      ports:
        - port: 80
          targetPort: http
    """
)
LINES = RIGHT.splitlines()


def line_of(text: str) -> int:
    (found,) = [number for number, line in enumerate(LINES, 1) if line.strip() == text.strip()]
    return found


def planted(old: str, new: str) -> tuple[str, int]:
    """The right manifest with one line changed, and that line's number. Empty: the line goes."""
    at = line_of(old) - 1
    indent = LINES[at][: len(LINES[at]) - len(LINES[at].lstrip())]
    changed = [indent + line for line in new.split("\n")] if new else []
    return "\n".join([*LINES[:at], *changed, *LINES[at + 1 :]]) + "\n", at + 1


def only(text: str, severity: str = "error") -> Problem:
    problems = validate(text, file="a.yaml")
    chosen = [problem for problem in problems if problem.severity == severity]
    assert len(chosen) == 1, "\n".join(map(str, problems))
    return chosen[0]


def test_the_right_one_is_right() -> None:
    assert validate(RIGHT) == []
    assert validate(RIGHT, versions=["all"]) == []


FIELDS = [
    ("replicas: 2", "replica: 2", "`replicas`"),
    ("image: ghcr.io/me/hello:1", "Image: ghcr.io/me/hello:1", "`image`"),
    ("containerPort: 8080", "containerport: 8080", "`containerPort`"),
    ("runtimeClassName: crun-wasm", "runtimeClass: crun-wasm", "`runtimeClassName`"),
    ("readinessProbe:", "readynessProbe:", "`readinessProbe`"),
    ("matchLabels:", "matchLables:", "`matchLabels`"),
    ("targetPort: http", "target_port: http", "`targetPort`"),
    ("resources:", "resource:", "`resources`"),
]


@pytest.mark.parametrize(("old", "new", "meant"), FIELDS)
def test_misspelt_field(old: str, new: str, meant: str) -> None:
    text, line = planted(old, new)
    problems = [each for each in validate(text, file="a.yaml") if each.message.startswith("unknown field")]
    assert [(each.line, each.severity) for each in problems] == [(line, "error")]
    assert meant in problems[0].hint


def test_a_field_at_the_wrong_level_is_told_where_it_belongs() -> None:
    text, line = planted("replicas: 2", "replicas: 2\ncontainers: []")
    problem = only(text)
    assert (problem.line, problem.column) == (line + 1, 3)
    assert "`spec.template.spec`" in problem.hint


TYPES = [
    ("replicas: 2", 'replicas: "2"', "without quotes: 2"),
    ("replicas: 2", "replicas: two", ""),
    ('value: "yes"', "value: yes", 'in quotes: "yes"'),
    ('value: "yes"', "value: 8080", 'in quotes: "8080"'),
    ('value: "yes"', "value: true", 'in quotes: "true"'),
    ("containerPort: 8080", 'containerPort: "8080"', "without quotes: 8080"),
    ("name: MODE", "name: on", 'in quotes: "on"'),
]


@pytest.mark.parametrize(("old", "new", "mend"), TYPES)
def test_wrong_type(old: str, new: str, mend: str) -> None:
    at = [number for number, line in enumerate(LINES) if line.strip().lstrip("- ") == old][-1]
    lines = [*LINES]
    lines[at] = lines[at].replace(old, new)
    problem = only("\n".join(lines) + "\n")
    assert problem.line == at + 1
    assert "must be" in problem.message
    assert mend in problem.hint


def test_a_mapping_in_the_place_of_a_list() -> None:
    text, line = planted("- name: MODE", "name: MODE")
    problem = only(text.replace('    value: "yes"', '  value: "yes"'))
    assert "a list" in problem.message
    assert "dash" in problem.hint
    assert problem.line == line


def test_missing_selector() -> None:
    text = RIGHT.replace("  selector:\n    matchLabels:\n      app: hello\n", "")
    problem = only(text)
    assert problem.line == line_of("spec:") if LINES.count("spec:") == 1 else problem.path == "spec.selector"
    assert 'app: "hello"' in problem.hint


def test_empty_selector() -> None:
    text = RIGHT.replace("  selector:\n    matchLabels:\n      app: hello\n", "  selector: {}\n")
    assert "empty" in only(text).message


@pytest.mark.parametrize("label", ["app: helo", "app: Hello", "application: hello"])
def test_label_mismatch(label: str) -> None:
    text = RIGHT.replace("        app: hello\n      annotations", f"        {label}\n      annotations")
    problem = only(text)
    assert problem.line == 15
    assert problem.path == "spec.selector.matchLabels.app"
    assert len(validate(text)) == 1, "the Service looks for what the Deployment's selector says: it is right"


def test_a_condition_that_the_labels_do_not_meet() -> None:
    text = RIGHT.replace(
        "    matchLabels:\n      app: hello\n",
        "    matchExpressions:\n      - {key: app, operator: In, values: [bye]}\n",
    )
    assert "condition" in only(text).message


def test_service_that_finds_nothing() -> None:
    text = RIGHT.replace("  selector:\n    app: hello\n", "  selector:\n    app: other\n")
    problem = only(
        text.replace("kind: Service\nmetadata:\n  name: hello", "kind: Service\nmetadata:\n  name: web"),
        "warning",
    )
    assert LINES[problem.line - 1].strip() == "app: hello"
    assert "Deployment `hello`" in problem.hint


def test_runtime_class_without_handler() -> None:
    text, _ = planted("handler: crun", "")
    problem = only(text)
    assert (problem.line, problem.path) == (1, "handler")
    below, _ = planted("handler: crun", "spec:\n  runtimeHandler: crun")
    assert any(problem.path == "handler" for problem in validate(below))


def test_handler_that_is_a_type_of_a_shim() -> None:
    text, line = planted("handler: crun", "handler: io.containerd.spin.v2")
    problem = only(text)
    assert problem.line == line
    assert "`spin`" in problem.hint


def test_runtime_class_that_nobody_creates() -> None:
    text, line = planted("runtimeClassName: crun-wasm", "runtimeClassName: crun-wasn")
    problem = only(text, "warning")
    assert problem.line == line
    assert "`crun-wasm`" in problem.hint


def test_annotation_on_the_deployment() -> None:
    text = RIGHT.replace("      annotations:\n        module.wasm.image/variant: compat-smart\n", "")
    text = text.replace(
        "  name: hello\nspec:\n  replicas",
        "  name: hello\n  annotations:\n    module.wasm.image/variant: compat-smart\nspec:\n  replicas",
    )
    problem = only(text)
    assert text.splitlines()[problem.line - 1].strip().startswith("module.wasm.image")
    assert "spec.template.metadata.annotations" in problem.hint


def test_annotation_on_both_levels_works() -> None:
    text = RIGHT.replace(
        "  name: hello\nspec:\n  replicas",
        "  name: hello\n  annotations:\n    module.wasm.image/variant: compat-smart\nspec:\n  replicas",
    )
    assert validate(text) == []


@pytest.mark.parametrize("kind", ["RuntimeClass", "Service"])
def test_annotation_on_another_object(kind: str) -> None:
    name = "crun-wasm" if kind == "RuntimeClass" else "hello"
    head = f"kind: {kind}\nmetadata:\n"
    text = RIGHT.replace(head, f"{head}  annotations: {{module.wasm.image/variant: compat}}\n")
    assert kind in only(text).message
    assert name in text


def test_annotation_among_the_labels() -> None:
    text = RIGHT.replace("      annotations:\n        module", "        module")
    problem = only(text)
    assert "labels" in problem.message


def test_annotation_of_crun_given_to_runwasi() -> None:
    text, _ = planted("handler: crun", "handler: wasmtime")
    problem = only(text, "warning")
    assert "runwasi" in problem.message
    assert LINES[problem.line - 1].strip() == "module.wasm.image/variant: compat-smart"


def test_a_name_is_not_taken_for_knowledge_of_the_node() -> None:
    text, _ = planted("handler: crun", "handler: wasmedge")
    problem = only(text, "warning")
    assert "by its name" in problem.message
    assert "containerd configuration" in problem.hint


@pytest.mark.parametrize("handler", ["crun-wasmedge", "wasmtime-crun", "youki-wasmtime"])
def test_handlers_that_read_the_annotations_of_crun(handler: str) -> None:
    text, _ = planted("handler: crun", f"handler: {handler}")
    assert validate(text) == []


def test_the_other_annotation_of_crun_given_to_a_shim() -> None:
    text, _ = planted("handler: crun", "handler: spin")
    problem = only(
        text.replace("module.wasm.image/variant: compat-smart", "run.oci.handler: wasm-smart"), "warning"
    )
    assert "`run.oci.handler`" in problem.message


@pytest.mark.parametrize("group", ["runtime.kwasm.sh/v1alpha1", "runtime.spinkube.dev/v1alpha1"])
def test_a_shim_brings_its_runtime_class(group: str) -> None:
    """Its operator makes the RuntimeClass, so that nobody writes one."""
    _, _, rest = RIGHT.partition("---\n")
    shim = f"apiVersion: {group}\nkind: Shim\nmetadata: {{name: s}}\nspec:\n  runtimeClass: {{name: crun-wasm, handler: crun}}\n"
    problems = validate(f"{shim}---\n{rest}")
    assert not [each for each in problems if "RuntimeClass" in each.message]
    assert [each for each in validate(rest) if "RuntimeClass `crun-wasm`" in each.message]


def test_annotation_with_a_value_that_crun_does_not_know() -> None:
    text, line = planted("module.wasm.image/variant: compat-smart", "module.wasm.image/variant: compat_smart")
    problem = only(text)
    assert (problem.line, problem.column) == (line, 36)
    assert "compat-smart" in problem.hint


def test_misspelt_annotation() -> None:
    text, line = planted("module.wasm.image/variant: compat-smart", "module.wasm.image/varient: compat-smart")
    problem = only(text)
    assert problem.line == line
    assert "`module.wasm.image/variant`" in problem.hint


UNITS = [
    ("32MB", "32M"),
    ("32MiB", "32Mi"),
    ('"32 Mi"', "32Mi"),
    ("32mi", "32Mi"),
    ("32MI", "32Mi"),
    ("32mb", "32M"),
    ("32K", "32k"),
    ("0x20Mi", "A number"),
    ("32Megabytes", "32M"),
    ('"1,5Gi"', "1.5Gi"),
]


@pytest.mark.parametrize(("word", "meant"), UNITS)
def test_memory_unit(word: str, meant: str) -> None:
    text, line = planted("memory: 32Mi", f"memory: {word}")
    problem = only(text)
    assert problem.line == line
    assert problem.column == 23
    assert "no quantity" in problem.message
    assert meant in problem.hint


@pytest.mark.parametrize(
    ("word", "meant"), [("32m", "32Mi"), ("128", "128Mi"), ("32k", "32Mi"), ("0.5", "whole")]
)
def test_memory_that_is_almost_none(word: str, meant: str) -> None:
    text, line = planted("memory: 32Mi", f"memory: {word}")
    problems = [each for each in validate(text) if each.line == line]
    assert [each.severity for each in problems] == ["error"]
    assert meant in problems[0].hint


def test_requests_above_limits() -> None:
    text, line = planted("memory: 16Mi", "memory: 64Mi")
    problem = only(text)
    assert problem.line == line
    assert f"line {line_of('memory: 32Mi')}" in problem.message


@pytest.mark.parametrize(
    ("old", "new", "severity"),
    [
        ("cpu: 500m", "cpu: 500", "warning"),
        ("cpu: 500m", "cpu: 500Mi", "error"),
        ("cpu: 100m", "cpu: 0.5m", "warning"),
        ("cpu: 500m", "cpu: 0.5cores", "error"),
    ],
)
def test_cpu_unit(old: str, new: str, severity: str) -> None:
    text, line = planted(old, new)
    assert only(text, severity).line == line


def test_tab() -> None:
    text = RIGHT.replace("  replicas: 2", "\treplicas: 2")
    problem = only(text)
    assert (problem.line, problem.column) == (12, 1)
    assert "tab" in problem.message
    deep = RIGHT.replace("          image:", "        \timage:")
    problem = only(deep)
    assert (problem.line, problem.column) == (26, 9)


def test_a_tab_that_is_no_indentation_is_right() -> None:
    assert validate(RIGHT.replace("replicas: 2", "replicas:\t2")) == []
    config = (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  makefile: |\n    all:\n    \techo\n"
    )
    assert validate(config) == []


def test_duplicate_key() -> None:
    text, line = planted("replicas: 2", "replicas: 2\nreplicas: 3")
    problem = only(text)
    assert problem.line == line + 1
    assert f"line {line}" in problem.message


def test_a_missing_separator_shows_as_duplicate_keys() -> None:
    text = RIGHT.replace("---\napiVersion: v1\n", "apiVersion: v1\n")
    problems = validate(text)
    assert any("`---`" in problem.hint for problem in problems)


VERSIONS = [
    ("apps/v2", "Deployment is in apps/v1"),
    ("app/v1", "Deployment is in apps/v1"),
    ("Apps/v1", "Deployment is in apps/v1"),
    ("apps/V1", "Deployment is in apps/v1"),
    ("v1", "Deployment is in apps/v1"),
    ("apps", "Deployment is in apps/v1"),
    ("extensions/v1beta1", "apps/v1"),
    ("apps/v1beta1", "apps/v1"),
    ("node.k8s.oi/v1", "node.k8s.io"),
    ("core.spinkube.dv/v1alpha1", "core.spinkube.dev"),
    ("core.spinkube.dev/v1", "core.spinkube.dev/v1alpha1"),
    ("apps.k8s.io/v1", "apps/v1"),
]


@pytest.mark.parametrize(("word", "meant"), VERSIONS)
def test_unknown_api_version(word: str, meant: str) -> None:
    text, line = planted("apiVersion: apps/v1", f"apiVersion: {word}")
    problem = only(text)
    assert (problem.line, problem.column) == (line, 13)
    assert meant in problem.hint


def test_a_kind_that_is_not_there() -> None:
    text, line = planted("kind: Deployment", "kind: Deploymnet")
    problem = only(text)
    assert problem.line == line
    assert "`Deployment`" in problem.hint


def test_removed_says_since_when() -> None:
    text, _ = planted("apiVersion: apps/v1", "apiVersion: extensions/v1beta1")
    assert "removed in Kubernetes 1.16" in only(text).message


PODS = [
    ("port: http", "port: htpp", "`http`"),
    ("port: http", 'port: "8080"', "without quotes"),
    ("port: http", "port: 80800", ""),
    ("- name: http", "- name: Http_Port", "Such as http"),
    ("containerPort: 8080", "containerPort: 0", ""),
    ("path: /", "path: /\n  port: 80", None),
]


@pytest.mark.parametrize(("old", "new", "meant"), PODS)
def test_ports_and_probes(old: str, new: str, meant: str | None) -> None:
    at = next(number for number, line in enumerate(LINES) if line.strip() == old)
    lines = [*LINES]
    lines[at] = lines[at].replace(old, new)
    problems = validate("\n".join(lines) + "\n")
    assert [each for each in problems if each.severity == "error"], problems
    if meant is not None:
        assert any(meant in each.hint for each in problems)
        assert problems[0].line in (at + 1, line_of("port: http") if "name" in old else at + 1)


def test_names() -> None:
    text = RIGHT.replace("  name: hello\nspec:\n  replicas", "  name: Hello_World\nspec:\n  replicas")
    problem = only(text)
    assert (problem.line, problem.column) == (10, 9)
    assert "hello-world" in problem.hint


def test_a_selector_that_changes() -> None:
    other = RIGHT.split("---\n")[1].replace("app: hello", "app: bye")
    problems = validate(RIGHT + "---\n" + other)
    assert [each.message.partition(" differs")[0] for each in problems if each.severity == "error"] == [
        "the selector of Deployment `hello`"
    ]


def test_every_mistake_of_a_file_is_told_at_once() -> None:
    text = RIGHT.replace("replicas: 2", 'replicas: "2"').replace("memory: 32Mi", "memory: 32MB")
    text = text.replace("handler: crun", "").replace("image: ghcr", "imagee: ghcr")
    assert len([each for each in validate(text) if each.severity == "error"]) == 4


OTHERS = [
    ("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n", 1, "has no spec"),
    (
        "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {selector: {a: b}, ports: []}\n",
        4,
        "no ports",
    ),
    ("apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata:\n  a: plain text\n", 5, "Base64"),
    ("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n    -\n", 6, "empty entry"),
    (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers: []\n",
        5,
        "at least one container",
    ),
    (
        "apiVersion: batch/v1\nkind: Job\nmetadata: {name: a}\nspec:\n  template:\n"
        "    spec:\n      containers: [{name: a, image: b}]\n",
        6,
        "restartPolicy: Never",
    ),
    (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  volumes:\n"
        "    - {name: s, secret: {secretName: s, defaultMode: 644}}\n"
        "  containers: [{name: a, image: b, volumeMounts: [{name: s, mountPath: /s}]}]\n",
        6,
        "permissions",
    ),
    (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n"
        "  containers: [{name: a, image: b, volumeMounts: [{name: x, mountPath: /s}]}]\n",
        5,
        "mounts the volume `x`",
    ),
    (
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: a}\n"
        'rules:\n  - apiGroups: [""]\n    resources: [pods]\n',
        5,
        "has no `verbs`",
    ),
    (
        "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: a}\n"
        "spec:\n  accessModes: [ReadWriteOnce]\n  resources:\n    requests:\n      storge: 1Gi\n",
        8,
        "does not say how much",
    ),
    (
        "apiVersion: core.spinkube.dev/v1alpha1\nkind: SpinApp\nmetadata: {name: a}\n"
        "spec:\n  image: a\n  replicas: 1\n  enableAutoscaling: true\n",
        6,
        "exclude each other",
    ),
]


@pytest.mark.parametrize(("text", "line", "says"), OTHERS)
def test_other_mistakes(text: str, line: int, says: str) -> None:
    problem = only(text)
    assert problem.line in (line, line - 1) if "does not say" in says else problem.line == line
    assert says in problem.message


def test_a_selector_with_nothing_in_it_is_missing() -> None:
    text = RIGHT.replace("  selector:\n    matchLabels:\n      app: hello\n", "  selector:\n")
    assert only(text).path == "spec.selector"


def test_a_number_that_is_too_large() -> None:
    text, line = planted("replicas: 2", "replicas: 8589934592")
    assert only(text).line == line


def test_annotation_in_a_container() -> None:
    text = RIGHT.replace("      annotations:\n        module.wasm.image/variant: compat-smart\n", "")
    text = text.replace(
        "          env:\n",
        "          annotations:\n            module.wasm.image/variant: compat\n          env:\n",
    )
    problem = only(text)
    assert text.splitlines()[problem.line - 1].strip() == "annotations:"
    assert "`spec.template.metadata`" in problem.hint


def test_what_else_is_wrong_below_a_removed_name_is_told_too() -> None:
    text, line = planted("image: ghcr.io/me/hello:1", "imagee: ghcr.io/me/hello:1")
    text = text.replace("apiVersion: apps/v1", "apiVersion: extensions/v1beta1")
    text = text.replace("  selector:\n    matchLabels:\n      app: hello\n  template", "  template")
    problems = [each for each in validate(text, file="a.yaml") if each.severity == "error"]
    assert "removed in Kubernetes 1.16" in problems[0].message
    assert any("has no `selector`" in each.message for each in problems)
    assert any(each.line == line - 3 and "`image`" in each.hint for each in problems)


def test_a_removed_name_alone_is_one_mistake_and_its_pods_are_found() -> None:
    for old, new, name in (
        ("apiVersion: apps/v1", "apiVersion: apps/v1beta2", "apps/v1"),
        ("apiVersion: node.k8s.io/v1", "apiVersion: node.k8s.io/v1beta1", "node.k8s.io/v1"),
    ):
        text, line = planted(old, new)
        (problem,) = validate(text, file="a.yaml")
        assert (problem.line, problem.hint) == (line, f"Write apiVersion: {name}.")


def test_a_removed_name_whose_fields_changed_is_not_checked_by_the_new_ones() -> None:
    text = "apiVersion: extensions/v1beta1\nkind: Ingress\nmetadata: {name: a}\n"
    text += "spec: {backend: {serviceName: a, servicePort: 80}}\n"
    assert "spec.defaultBackend" in only(text).hint


def test_a_controller_that_would_find_no_pod() -> None:
    text = "apiVersion: v1\nkind: ReplicationController\nmetadata: {name: a}\nspec:\n  template:\n"
    text += "    spec: {containers: [{name: a, image: b}]}\n"
    assert only(text).line == 5
    assert validate(text.replace("    spec:", "    metadata: {labels: {app: a}}\n    spec:")) == []


def test_a_policy_of_the_scheduler_is_a_file_and_no_object() -> None:
    text = '{"kind": "Policy", "apiVersion": "v1", "predicates": [{"name": "NoDiskConflict"}]}'
    assert "scheduler" in only(text, "note").message
    assert only("kind: Policy\napiVersion: v1\nmetadata: {name: a}\n").message == "v1 has no kind `Policy`."


def test_what_an_api_server_sends_to_webhooks_is_no_slip_of_the_pen() -> None:
    (problem,) = validate("apiVersion: admission.k8s.io/v1\nkind: AdmissionReview\nrequest: {uid: a}\n")
    assert (problem.severity, problem.message) == ("note", "a file for webhooks, which no cluster gets.")


@pytest.mark.parametrize(
    "named",
    [
        "autoscaling.k8s.io/v1 VerticalPodAutoscaler",
        "externaldns.k8s.io/v1alpha1 DNSEndpoint",
        "metrics.k8s.io/v1beta1 PodMetrics",
        "app.k8s.io/v1beta1 Application",
        "scheduling.x-k8s.io/v1alpha1 PodGroup",
        "node.k8s.iot/v1 Toaster",
    ],
)
def test_groups_of_other_projects_that_sound_like_kubernetes_own(named: str) -> None:
    api_version, _, kind = named.partition(" ")
    (problem,) = validate(f"apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: a}}\n")
    assert problem.severity == "note", problem
    assert "its fields are not checked" in problem.message


def test_a_misspelt_group_of_a_kind_that_it_has() -> None:
    for named, meant in (
        ("networking.k8s.oi/v1 Ingress", "networking.k8s.io/v1"),
        ("networkng.k8s.io/v1 NetworkPolicy", "networking.k8s.io/v1"),
        ("node.k8.io/v1 RuntimeClas", "node.k8s.io/v1"),
        ("apps.k8s.io/v1 Deployment", "apps/v1"),
    ):
        api_version, _, kind = named.partition(" ")
        problem = only(f"apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: a}}\n")
        assert meant in problem.hint, named
