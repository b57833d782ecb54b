"""Machine: what a number was measured on, and what makes this machine a noisy place to measure."""

from __future__ import annotations

import functools
import hashlib
import os
import platform
import re
from dataclasses import dataclass
from pathlib import Path

#: Of the processor time in use by others, how much is said to be a disturbance.
_BUSY = 0.25


@dataclass(frozen=True, kw_only=True)
class Machine:
    """The machine that measures. ``name`` stands in every sample.

    The name ends in four digits of a hash, which tells two machines of the same make apart without
    giving away what either is called. In a new container of the same machine they may differ: then
    a comparison over time warns once too often rather than once too seldom.
    """

    name: str
    cpu: str
    cores: int  #: that this process may use
    memory_bytes: int  #: that this process may use
    system: str
    python: str
    virtual: str  #: ``virtual machine``, ``container``, both, or empty for bare metal as far as can be seen
    noise: tuple[str, ...]  #: sentences on what disturbs measuring here, when it was looked at first

    def __str__(self) -> str:
        kind = f", {self.virtual}" if self.virtual else ""
        return f"{self.name}{kind}, Python {self.python}"


@functools.cache
def machine() -> Machine:
    """This machine, looked at once.

    Example:
        >>> machine().cores >= 1
        True
    """
    cpu, cores, memory = _cpu(), usable_cores(), _memory_bytes()
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    size = f"{memory / 2**30:.1f} GiB"
    return Machine(
        name=f"{cpu}, {cores} core{'s' * (cores != 1)}, {size}, {system} ({_mark()})",
        cpu=cpu,
        cores=cores,
        memory_bytes=memory,
        system=system,
        python=platform.python_version(),
        virtual=_virtual(),
        noise=noise(),
    )


def noise() -> tuple[str, ...]:
    """What disturbs measuring here now, a sentence for each; looks anew at every call."""
    import psutil

    found = []
    governor = _read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
    if governor and governor != "performance":
        found.append(f"The frequency governor is {governor}: clock frequency follows the load.")
    cores = usable_cores()
    try:
        load = os.getloadavg()[0]
    except (AttributeError, OSError):  # Windows has none
        load = 0.0
    if load > _BUSY * cores:
        found.append(f"The load of the last minute is {load:.1f} on {cores} cores: others compete for them.")
    if "virtual machine" in _virtual():
        found.append("This is a virtual machine: its neighbours take time that is not seen from within.")
    battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    if battery is not None and battery.power_plugged is False:
        found.append("The machine runs on its battery and may save power.")
    return tuple(found)


def _read(path: str) -> str:
    try:
        return Path(path).read_text(errors="replace").strip()
    except OSError:
        return ""


def _cpu() -> str:
    match = re.search(r"^(?:model name|Hardware|Model)\s*:\s*(.+)$", _read("/proc/cpuinfo"), re.MULTILINE)
    name = match[1] if match else platform.processor() or platform.machine() or "unknown processor"
    return " ".join(re.sub(r"\((?:R|TM|C)\)|\bCPU\b", " ", name, flags=re.IGNORECASE).split())


def usable_cores() -> int:
    """How many processors this process may use: a container has its share, not all of its machine.

    Example:
        >>> usable_cores() >= 1
        True
    """
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, _, period = _read("/sys/fs/cgroup/cpu.max").partition(" ")
    if quota.isdigit() and period.isdigit() and int(period):
        usable = min(usable, max(1, int(quota) // int(period)))
    return usable


def _memory_bytes() -> int:
    import psutil

    limit = _read("/sys/fs/cgroup/memory.max")
    total = int(psutil.virtual_memory().total)
    return min(total, int(limit)) if limit.isdigit() and int(limit) else total


def _virtual() -> str:
    kinds = []
    if re.search(r"^flags\s*:.*\bhypervisor\b", _read("/proc/cpuinfo"), re.MULTILINE):
        kinds.append("virtual machine")
    marks = ("/.dockerenv", "/run/.containerenv")
    if any(Path(mark).exists() for mark in marks) or "KUBERNETES_SERVICE_HOST" in os.environ:
        kinds.append("container")
    return ", ".join(kinds)


def _mark() -> str:
    identity = f"{_read('/etc/machine-id')}\n{platform.node()}"
    return hashlib.sha256(identity.encode(errors="replace")).hexdigest()[:4]
