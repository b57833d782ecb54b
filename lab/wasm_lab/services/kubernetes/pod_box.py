"""One container of a pod over all its starts, and how the API writes what it is doing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wasm_lab.services.cri import Container
    from wasm_lab.services.kubernetes.probes import Prober


@dataclass
class Box:
    """One container of the pod over all its starts."""

    spec: Mapping[str, Any]
    container: Container | None = None
    state: dict[str, Any] = field(default_factory=lambda: {"waiting": {"reason": "ContainerCreating"}})
    last: dict[str, Any] = field(default_factory=dict)
    restarts: int = 0
    ready: bool = False
    started: bool = False
    not_before: float = 0.0  #: by the monotonic clock
    back_off_s: float = 0.0  #: the next wait
    probers: list[Prober] = field(default_factory=list)
    condemned: str = ""  #: why a probe wants it ended
    done: bool = False  #: ended, and not to be started again
    unwell: set[str] = field(default_factory=set)  #: probes whose failing was told

    @property
    def name(self) -> str:
        return str(self.spec["name"])

    @property
    def running(self) -> bool:
        return "running" in self.state

    def silence(self) -> None:
        """Ask no more probes."""
        for prober in self.probers:
            prober.stop()
        self.probers.clear()

    def status(self) -> dict[str, Any]:
        """Its ``ContainerStatus``."""
        identifier = f"containerd://{self.container.id}" if self.container else ""
        return {
            "name": self.name,
            "image": self.spec["image"],
            "imageID": "",
            "ready": self.ready,
            "started": self.started,
            "restartCount": self.restarts,
            "state": dict(self.state),
            "lastState": dict(self.last),
            **({"containerID": identifier} if identifier else {}),
        }


def rfc3339(ns: int) -> str:
    """Nanoseconds since 1970 as the API writes a time: to the second."""
    return datetime.fromtimestamp(ns // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def not_ready_reason(name: str, value: bool, phase: str) -> dict[str, str]:
    """The reason of a condition, as a kubelet gives it."""
    if value or name not in {"Ready", "ContainersReady"}:
        return {}
    return {"reason": "PodCompleted" if phase == "Succeeded" else "ContainersNotReady"}


def is_latest(image: str) -> bool:
    """Whether an image's tag is ``latest``, written or meant."""
    name = image.rsplit("/", 1)[-1]
    return "@" not in name and (":" not in name or name.endswith(":latest"))
