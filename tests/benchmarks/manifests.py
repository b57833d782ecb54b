"""``wasm-lab kube validate`` of a hundred manifests, against three versions of Kubernetes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.benchmarks.pairs import Pair, in_turn

from wasm_lab.scenarios.kubernetes import render

#: One object each; a hundred files are made of them in turn, after those that the lab renders.
KINDS = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: NAME, labels: {app: NAME}}
data:
  one: "1"
  text: |
    several
    lines
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: NAME}
spec:
  serviceName: NAME
  replicas: 3
  selector: {matchLabels: {app: NAME}}
  template:
    metadata: {labels: {app: NAME}}
    spec:
      containers:
        - name: db
          image: example.com/db:1
          ports: [{name: db, containerPort: 5432}]
          volumeMounts: [{name: data, mountPath: /data}]
  volumeClaimTemplates:
    - metadata: {name: data}
      spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: NAME}
spec:
  schedule: "0 3 * * *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers: [{name: a, image: "example.com/a:1", env: [{name: A, value: "1"}]}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: NAME}
spec:
  rules:
    - host: example.com
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: NAME, port: {number: 80}}}}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: NAME}
spec: {podSelector: {}, policyTypes: [Ingress], ingress: [{from: [{podSelector: {matchLabels: {app: a}}}]}]}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: NAME}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: NAME}
  minReplicas: 1
  maxReplicas: 10
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: NAME}
rules: [{apiGroups: [""], resources: [pods], verbs: [get, list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: NAME}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: NAME}
subjects: [{kind: ServiceAccount, name: NAME, namespace: default}]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: NAME}
spec: {minAvailable: 1, selector: {matchLabels: {app: NAME}}}
"""


def hundred(folder: Path) -> list[Path]:
    """A hundred files, as a project may have them."""
    texts = [render(f"example.com/app-{number}:1", way="crun") for number in range(40)]
    texts += [render(f"example.com/spin-{number}:1", way="spinkube") for number in range(15)]
    kinds = KINDS.split("---\n")
    texts += [kinds[number % len(kinds)].replace("NAME", f"a-{number}") for number in range(45)]
    files = [folder / f"{number:03}.yaml" for number in range(len(texts))]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text)
    return files


def validate(folder: Path, thin: int) -> Pair:
    """The whole command, three versions and all rules; ``kubernetes-validate --strict`` for one version beside it."""
    files = [str(file) for file in hundred(folder)]
    programs = Path(sys.executable).parent
    theirs = [sys.executable, programs / "kubernetes-validate", "--strict", "--quiet", "--no-warn", *files]
    return in_turn(
        "wasm-lab kube validate, 100 manifests",
        lambda: subprocess.run(
            [programs / "wasm-lab", "kube", "validate", *files], check=True, capture_output=True
        ),
        lambda: subprocess.run(theirs, check=True, capture_output=True),
        turns=max(3, 12 // thin),
        asked="ours ≤ 2 s",
    )
