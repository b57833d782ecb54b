"""What a pod is to be, as the CRI wants it told."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


#: What a kubelet hides of /proc from a container, and what it lets it only read (``DefaultMaskedPaths`` and
#: ``DefaultReadonlyPaths`` of Kubernetes).
MASKED = (
    "/proc/asound",
    "/proc/acpi",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/firmware",
    "/sys/devices/virtual/powercap",
)
READ_ONLY = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")


def seccomp() -> dict[str, Any]:
    """The runtime's own filter of system calls, where the kernel can filter."""
    filters = "Seccomp:" in Path("/proc/self/status").read_text()
    return {"profile_type": "RuntimeDefault" if filters else "Unconfined"}


def container_security() -> dict[str, Any]:
    """The ``security_context`` of every container: root within, and no more rights than a kubelet would give."""
    return {
        "namespace_options": {"network": "NODE", "pid": "CONTAINER"},
        "no_new_privs": True,
        "seccomp": seccomp(),
        "masked_paths": list(MASKED),
        "readonly_paths": list(READ_ONLY),
    }


@dataclass(frozen=True)
class PodSandbox:
    """A pod before it runs. It shares the network of the machine."""

    name: str
    namespace: str = "default"
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    runtime_handler: str = ""  #: such as ``crun-wasm``; empty for the runtime's own default
    uid: str = field(default_factory=lambda: uuid.uuid4().hex)

    def as_config(self, log_directory: str) -> dict[str, Any]:
        """Its ``PodSandboxConfig``."""
        return {
            "metadata": {"name": self.name, "namespace": self.namespace, "uid": self.uid},
            "labels": dict(self.labels),
            "annotations": dict(self.annotations),
            "log_directory": log_directory,
            "linux": {"security_context": {"namespace_options": {"network": "NODE"}, "seccomp": seccomp()}},
        }
