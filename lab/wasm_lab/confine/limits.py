"""Limits of the kernel on what one process may use (``setrlimit(2)``). Children inherit them."""

from __future__ import annotations

from dataclasses import dataclass

_PR_SET_DUMPABLE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What each process may use. None stands for no limit. Nothing is enforced where there is no ``prlimit(2)``.

    Attributes:
        memory_bytes: of private memory that can be written to: heap, stacks, what Wasm memories really use.
            Address space that is only reserved does not count (``RLIMIT_DATA``).
        address_bytes: of address space, files in memory included (``RLIMIT_AS``). wasmtime reserves
            gigabytes for each memory of a guest, so it is no limit for an engine.
        cpu_s: seconds of processor time.
        file_bytes: of each file that it writes.
        files: open at once.
    """

    memory_bytes: int | None = None
    address_bytes: int | None = None
    cpu_s: int | None = None
    file_bytes: int | None = None
    files: int | None = None


def limit_process(limits: Limits, pid: int = 0) -> None:
    """Set the limits of a process (0: this one); it cannot raise them again. No core file is written.

    Raises:
        OSError: the process is gone, or is another user's.
    """
    import resource

    if not hasattr(resource, "prlimit"):  # Linux alone has it
        return
    wanted = {
        resource.RLIMIT_DATA: limits.memory_bytes,
        resource.RLIMIT_AS: limits.address_bytes,
        resource.RLIMIT_CPU: limits.cpu_s,
        resource.RLIMIT_FSIZE: limits.file_bytes,
        resource.RLIMIT_NOFILE: limits.files,
        resource.RLIMIT_CORE: 0,
    }
    for kind, value in wanted.items():
        if value is None:
            continue
        _, hard = resource.prlimit(pid, kind)
        most = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.prlimit(pid, kind, (most, most))
