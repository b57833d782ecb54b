"""Running one container for real, as a pod of Kubernetes would run it, and saying how it ended."""

from __future__ import annotations

import contextlib
import math
import re
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.errors import ContainerError, ServiceError, UsageError
from wasm_lab.scenarios.containers.image import COMPAT_SMART, VARIANT, Image
from wasm_lab.services import Containerd
from wasm_lab.services.cri import PodSandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from wasm_lab.services.cri import Container, ContainerStatus, LogLine, Pod

#: Handlers, in the order in which one is chosen.
HANDLERS = ("crun-wasm", "crun", "runc")

#: What crun needs to be told of a container, to run its program as a module.
WASM_ANNOTATIONS = {VARIANT: COMPAT_SMART}

#: Seconds between two looks at a container that runs.
LOOK_S = 0.02

#: Bytes of its log at which a container is ended: it lies on this machine's disk.
OUTPUT_BYTES = 64 << 20

#: Suffixes of quantities, as Kubernetes has them.
_UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}

#: Less than this and a runtime cannot start anything in the group: runc and crun refuse it.
LEAST_BYTES = 6 << 20


@dataclass(frozen=True, kw_only=True)
class ContainerRun:
    """One container, from its start to its end. Times are in nanoseconds."""

    image: str
    handler: str
    runtime: str  #: name and version of the container runtime
    output: tuple[LogLine, ...]
    status: ContainerStatus
    started_ns: (
        int  #: from asking for the container to the runtime's stamp on its first words; 0 without words
    )
    memory_limit_bytes: int | None
    memory_wall: str  #: what kept the limit, such as ``cgroup v1``
    timed_out: bool  #: whether it was ended because its time was over
    output_exceeded: bool  #: whether it was ended because it wrote more than `OUTPUT_BYTES`
    most_pss_bytes: int  #: the largest proportional size that was seen; 0 when it ended too soon to be seen

    @property
    def text(self) -> str:
        """What it wrote."""
        return "".join(line.text for line in self.output)

    @property
    def killed_for_memory(self) -> bool:
        """Whether it was ended because it passed its limit."""
        return self.status.reason == "OOMKilled"


def quantity(text: str) -> int:
    """A size as Kubernetes writes it, in bytes.

    Raises:
        UsageError: it is none; with the units that there are.

    Example:
        >>> quantity("32Mi"), quantity("1.5G")
        (33554432, 1500000000)
    """
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)(k|M|G|Ki|Mi|Gi)?", text.strip())
    if match is None:
        hint = "Such as 32Mi. Units: k, M, G of a thousand, Ki, Mi, Gi of 1024."
        if text.strip().endswith("m"):
            hint = f"The unit m is a thousandth of a byte. {hint}"
        raise UsageError(f"{text!r} is no size.", hint=hint)
    return round(float(match[1]) * _UNITS[match[2] or ""])


def run_container(
    image: Image | Path,
    *,
    handler: str = "",
    args: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    memory_limit_bytes: int | None = None,
    annotations: Mapping[str, str] | None = None,
    timeout_s: float | None = None,
    on_line: Callable[[LogLine], None] | None = None,
    containerd: Containerd | None = None,
) -> ContainerRun:
    """Run an image in a pod of its own until it ends, or is ended after ``timeout_s`` seconds.

    Args:
        image: an image of the lab's, or the path of an OCI image archive.
        handler: ``crun-wasm``, ``crun`` or ``runc``; by default the first for a module, else the next that is
            here.
        args: in place of the image's own.
        env: variables beside the image's own.
        memory_limit_bytes: of the container; it is killed when it takes more.
        annotations: of the pod and the container; by default what crun needs for a module under crun-wasm.
        on_line: called with each line that it writes.
        containerd: one that runs already; by default one is started for this container.

    Raises:
        ServiceError: containers cannot run here, or not under that handler; with how to get what is missing.
        ContainerError: the runtime refused the image, the limit or the container.
        UsageError: a limit below what a container needs to start.

    Example:
        >>> run_container(Path("hello.tar"), memory_limit_bytes=quantity("32Mi")).status.exit_code  # doctest: +SKIP
        0
    """
    if memory_limit_bytes is not None and memory_limit_bytes < LEAST_BYTES:
        raise UsageError(
            f"{memory_limit_bytes} bytes are too few to start any container.",
            hint=f"Give it {LEAST_BYTES >> 20}Mi or more.",
        )
    handler = handler or _handler_for(image)
    why = Containerd.missing_handler(handler)
    if why:
        raise ServiceError(f"No container can run under {handler} here.", hint=why)
    if annotations is None:
        annotations = WASM_ANNOTATIONS if handler == "crun-wasm" else {}
    with ExitStack() as stack:
        runtime = containerd or stack.enter_context(Containerd())
        name = runtime.import_image(_archive(image, stack))
        cri = stack.enter_context(runtime.cri())
        sandbox = PodSandbox(name="run", annotations=annotations, runtime_handler=handler)
        pod = stack.enter_context(cri.run_pod(sandbox))
        container = pod.start(
            name="run",
            image=name,
            args=args,
            env=env,
            memory_limit_bytes=memory_limit_bytes,
            annotations=annotations,
        )
        seen = _followed(pod, container, timeout_s, on_line)
        lines = tuple(seen.lines)
        return ContainerRun(
            image=name,
            handler=handler,
            runtime=cri.version(),
            output=lines,
            status=seen.status,
            started_ns=lines[0].time_ns - container.asked.create_ns if lines else 0,
            memory_limit_bytes=memory_limit_bytes,
            memory_wall=runtime.memory_wall if memory_limit_bytes else "",
            timed_out=seen.timed_out,
            output_exceeded=seen.output_exceeded,
            most_pss_bytes=seen.most_pss_bytes,
        )


def _handler_for(image: Image | Path) -> str:
    """The handler that an image asks for by itself, if that is here."""
    module = image.form != "files" if isinstance(image, Image) else _holds_module(image)
    if module:
        return "crun-wasm"
    return next((each for each in HANDLERS[1:] if not Containerd.missing_handler(each)), "runc")


def _holds_module(archive: Path) -> bool:
    from wasm_lab.scenarios.containers.inspecting import inspect_image

    return any(image.form == "compat" for image in inspect_image(archive).images)


def _archive(image: Image | Path, stack: ExitStack) -> Path:
    if isinstance(image, Path):
        return image
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="wasm-lab-"))
    path = Path(folder) / "image.tar"
    image.write_archive(path)
    return path


@dataclass
class _Followed:
    """What was seen of a container while it ran."""

    lines: list[LogLine]
    status: ContainerStatus
    timed_out: bool = False
    output_exceeded: bool = False
    most_pss_bytes: int = 0


def _followed(
    pod: Pod, container: Container, timeout_s: float | None, on_line: Callable[[LogLine], None] | None
) -> _Followed:
    """Pass on what it writes and weigh it now and then, until it has ended or is ended."""
    deadline = math.inf if timeout_s is None else time.monotonic() + timeout_s
    offset = 0
    seen = _Followed([], container.status())
    while True:
        status = container.status()  # before the log is read: what was written before the end is then there
        new, offset = container.log_since(offset)
        for line in new:
            seen.lines.append(line)
            if on_line:
                on_line(line)
        if status.state == "exited":
            seen.status = status
            return seen
        if offset > OUTPUT_BYTES:
            seen.output_exceeded = True
        elif time.monotonic() > deadline:
            seen.timed_out = True
        if seen.output_exceeded or seen.timed_out:
            container.stop(0)
            deadline = math.inf
            continue
        with contextlib.suppress(ContainerError):
            seen.most_pss_bytes = max(seen.most_pss_bytes, pod.pss)
        time.sleep(LOOK_S)
