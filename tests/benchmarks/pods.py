"""Pods of `wasm-lab kube run`: our clock beside the runtime's own, and scaling beside bare calls of the CRI."""

from __future__ import annotations

import threading
from pathlib import Path

import wasmtime
from tests.benchmarks.pairs import Pair, in_turn

from wasm_lab.scenarios.containers.image import wasm_image
from wasm_lab.scenarios.kubernetes.given import checked_targets
from wasm_lab.scenarios.kubernetes.run import LocalRun
from wasm_lab.services import Containerd
from wasm_lab.services.cri import PodSandbox

TURNS = 15

#: Pods of a scaled Deployment.
PODS = 10

ANNOTATIONS = {"module.wasm.image/variant": "compat-smart"}

SLEEPS = """(module
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (i32.store (i32.const 216) (i32.const 1))
    (i64.store (i32.const 224) (i64.const 3600000000000))
    (drop (call $poll (i32.const 200) (i32.const 300) (i32.const 1) (i32.const 40)))))"""

MANIFEST = """\
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata: {name: wasm}
handler: crun-wasm
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: sleeper}
spec:
  selector: {matchLabels: {app: sleeper}}
  template:
    metadata:
      labels: {app: sleeper}
      annotations: {module.wasm.image/variant: compat-smart}
    spec:
      runtimeClassName: wasm
      terminationGracePeriodSeconds: 0
      containers: [{name: main, image: "localhost/sleeper:1"}]
"""


def _local_run(folder: Path) -> LocalRun:
    module = folder / "sleeper.wasm"
    module.write_bytes(bytes(wasmtime.wat2wasm(SLEEPS)))
    manifest = folder / "sleeper.yaml"
    manifest.write_text(MANIFEST)
    targets, _ = checked_targets([str(manifest)])
    return LocalRun(targets, {"localhost/sleeper:1": module})


def pod_start(folder: Path, divisor: int) -> Pair:
    """From asking for a pod until its container runs: by our clock, and to the runtime's own stamp."""
    starts = []
    with _local_run(folder) as run:
        run.start(replicas=0)
        for _ in range(max(3, TURNS // divisor) + 1):
            run.scale([1])
            starts += run.starts()
            run.scale([0])
    ours = [round(one.start_ms * 1e6) for one in starts[1:]]
    theirs = [round(one.runtime_ms * 1e6) for one in starts[1:]]
    return Pair(
        "pod: started by our clock, against the runtime's stamp", ours, theirs, "within 5 ms", difference=True
    )


def scale(folder: Path, divisor: int) -> Pair:
    """A Deployment from 0 to 10 pods and back, against ten threads that make and remove pods by bare CRI."""
    archive = folder / "bare.tar"
    with _local_run(folder) as run, Containerd() as containerd, containerd.cri() as cri:
        wasm_image((folder / "sleeper.wasm").read_bytes(), name="localhost/bare:1").write_archive(archive)
        containerd.import_image(archive)
        run.start(replicas=0)

        def one(number: int) -> None:
            wanted = PodSandbox(name=f"bare-{number}", annotations=ANNOTATIONS, runtime_handler="crun-wasm")
            pod = cri.run_pod(wanted)
            pod.start(name="main", image="localhost/bare:1", annotations=ANNOTATIONS).status()
            made.append(pod)

        made: list = []

        def bare() -> None:
            for work in (one, lambda number: made[number].remove()):
                threads = [threading.Thread(target=work, args=(number,)) for number in range(PODS)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
            made.clear()

        return in_turn(
            f"kube run: 0 → {PODS} → 0 pods, against bare CRI",
            lambda: run.scale([PODS, 0]),
            bare,
            turns=max(3, TURNS // 3 // divisor),
            asked="(scaling)",
        )
