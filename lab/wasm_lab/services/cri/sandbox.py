"""What a pod is to be, as the CRI wants it told."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


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
            "linux": {"security_context": {"namespace_options": {"network": "NODE"}}},
        }
