"""Pods and containers by the CRI, the interface through which a kubelet commands its container runtime.

>>> from wasm_lab.services import Containerd
>>> from wasm_lab.services.cri import PodSandbox
>>> with Containerd() as containerd, containerd.cri() as cri:         # doctest: +SKIP
...     with cri.run_pod(PodSandbox(name="hello", runtime_handler="crun-wasm")) as pod:
...         container = pod.start(name="hello", image="localhost/hello:1")
...         container.wait(10).exit_code
0

``api.proto`` is that of the Go module ``k8s.io/cri-api`` at version 0.34.2 (Apache License 2.0, as its head
says), and ``api.binpb`` is what protoc makes of it: every class is built from that when it is first used, so
that one file serves every version of protobuf.
"""

from __future__ import annotations

from wasm_lab.services.cri.client import Cri, Pod
from wasm_lab.services.cri.container import Container, ContainerStatus, LogLine
from wasm_lab.services.cri.sandbox import PodSandbox

__all__ = ["Container", "ContainerStatus", "Cri", "LogLine", "Pod", "PodSandbox"]
