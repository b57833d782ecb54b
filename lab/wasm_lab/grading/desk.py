"""A process that executes clean copies with papermill, one after the other, each on a kernel of its own.

`Desk` is the side of whoever grades; ``python -m wasm_lab.grading.desk`` is the process. They exchange lines of
JSON. The process believes what its kernels show, because the master's code runs there; guests have
processes of their own below them. Whoever grades believes nothing but that a line came, and ends the whole tree
of processes when it does not come in time.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from wasm_lab.errors import WasmLabError

if TYPE_CHECKING:
    from wasm_lab.grading.nouns import Job, Outcome

#: Seconds until a new process must say that it is ready: it imports papermill, on a machine that may be busy.
READY_S = 120.0

#: What every notebook that is judged imports, which its kernel then has before it begins.
JUDGES_IMPORTS = (
    "tree_sitter_rust",
    "wasm_lab.build.pipeline",
    "wasm_lab.grading.judge",
    "wasm_lab.grading.sitting",
    "wasm_lab.live",
    "wasm_lab.magics.cells",
    "wasm_lab.magics.exercises",
    "wasm_lab.runtimes.wasmtime",
    "wasm_lab.views.exercises",
)


class DeskLost(WasmLabError):
    """The process is gone: it died, or it was ended at the deadline (``late``)."""

    def __init__(self, message: str, *, late: bool) -> None:
        super().__init__(message)
        self.late = late


class Desk:
    """A process for grading, started when it is needed and again after it was lost."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._log: IO[bytes] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def execute(self, job: dict[str, Any], deadline_s: float) -> dict[str, Any]:
        """Send a job there; gives what came back.

        Raises:
            DeskLost: nothing came back before the deadline, or the process ended. Its whole tree is gone then.
        """
        process = self._started()
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(job).encode() + b"\n")
            process.stdin.flush()
        except OSError:
            raise self._lost() from None
        answer: dict[str, Any] = self._answer(deadline_s)
        return answer

    def close(self) -> None:
        """End the process and all that it started."""
        process, self._process = self._process, None
        if process is not None:
            end_tree(process.pid)
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream:
                    with contextlib.suppress(OSError):
                        stream.close()
        if self._log:
            self._log.close()
            self._log = None
        if self._folder:
            self._folder.cleanup()
            self._folder = None

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self.close()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self._folder = tempfile.TemporaryDirectory(prefix="wasm-lab-desk-", ignore_cleanup_errors=True)
        self._lines = queue.SimpleQueue()
        # -P: the current folder, where submissions may lie, is no place to import from.
        self._process = process = subprocess.Popen(
            [sys.executable, "-P", "-m", "wasm_lab.grading.desk", self._folder.name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            start_new_session=True,  # Ctrl-C is for whoever grades, who then ends this
        )
        threading.Thread(target=_pass_lines, args=(process.stdout, self._lines), daemon=True).start()
        self._answer(READY_S)
        return process

    def _answer(self, seconds: float) -> Any:
        try:
            line = self._lines.get(timeout=seconds)
        except queue.Empty:
            self.close()
            raise DeskLost(f"It was not done after {seconds:g} s, and was ended.", late=True) from None
        if line is None:
            raise self._lost()
        return json.loads(line)

    def _lost(self) -> DeskLost:
        """What is to be said of a process that is gone."""
        last = b""
        if self._log:
            self._log.seek(0)
            last = self._log.read()[-2000:].strip().rpartition(b"\n")[2]
        self.close()
        said = last.decode("utf-8", "replace")
        return DeskLost(
            f"The process that judged it died.{f' It said last: {said}' if said else ''}", late=False
        )


def _pass_lines(stream: IO[bytes], lines: queue.SimpleQueue[bytes | None]) -> None:
    with contextlib.suppress(OSError, ValueError):
        for line in stream:
            lines.put(line)
    lines.put(None)


def end_tree(number: int) -> None:
    """Kill a process and everything below it, also what has a session of its own."""
    import psutil

    try:
        root = psutil.Process(number)
    except psutil.NoSuchProcess:
        return
    # Stopped first, it starts nothing while its children are looked for. Whoever ends itself must go on.
    if number != os.getpid():
        with contextlib.suppress(psutil.Error):
            root.suspend()
    with contextlib.suppress(psutil.Error):
        for process in root.children(recursive=True):
            with contextlib.suppress(psutil.Error):
                process.kill()
    with contextlib.suppress(psutil.Error):
        root.kill()


def main(folder: Path) -> None:
    """Be the process: a line for each job, a line for each outcome, until the input ends."""
    # What libraries print belongs to the log; the pipe has lines of this protocol alone.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    jobs: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_read_jobs, args=(jobs, folder), daemon=True).start()
    import papermill  # noqa: F401 - once, before the first deadline begins

    from wasm_lab.grading.execute import judge
    from wasm_lab.grading.nouns import Job, from_record, record_of
    from wasm_lab.grading.nursery import open_nursery
    from wasm_lab.kernels.pool import POOL

    _nursery = open_nursery(folder)  # for the guests of all kernels; it ends with this process
    POOL.preloaded = JUDGES_IMPORTS
    _say(answers, {"ready": True})
    while True:
        job: Job = from_record(Job, json.loads(jobs.get()))
        started = time.monotonic_ns()
        outcome: Outcome = judge(job, folder)
        _say(answers, {"outcome": record_of(outcome), "duration_ns": time.monotonic_ns() - started})


def _read_jobs(jobs: queue.SimpleQueue[bytes], folder: Path) -> None:
    for line in sys.stdin.buffer:
        jobs.put(line)
    # Whoever graded is gone, however that came: nothing of this may stay.
    shutil.rmtree(folder, ignore_errors=True)
    end_tree(os.getpid())


def _say(stream: IO[bytes], record: dict[str, Any]) -> None:
    stream.write(json.dumps(record).encode() + b"\n")
    stream.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
