"""Run chapters within Binder's limits, one processor and 2 GB, and say what each took.

    .venv/bin/python scripts/binder_chapters.py 00_quickstart 01_rust_cells

Without names, every chapter that Binder has. It needs root and cgroups (version 1 or 2), on a machine that runs
nothing else. A chapter that takes more memory is killed, as Binder's pod would be. The status is 1 if any failed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]

#: What mybinder.org gives a pod at most.
LIMIT_BYTES = 2 * 1024**3

#: Chapters that need what Binder's image does not have (Node.js, root) run too, and say what is missing.
CHAPTERS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))


class Group:
    """A cgroup with a limit of memory."""

    def __init__(self) -> None:
        name = f"wasm-lab-binder-{os.getpid()}"
        v1 = Path("/sys/fs/cgroup/memory")
        self.v2 = not v1.is_dir()
        self.folder = (Path("/sys/fs/cgroup") if self.v2 else v1) / name
        self.folder.mkdir()
        limit = "memory.max" if self.v2 else "memory.limit_in_bytes"
        (self.folder / limit).write_text(str(LIMIT_BYTES))

    def anonymous_bytes(self) -> int:
        """What is in use now and cannot be given back: neither files nor their cache."""
        stat = (self.folder / "memory.stat").read_text()
        fields = dict(line.split() for line in stat.splitlines())
        return int(fields.get("anon") or fields["total_rss"])

    def killed(self) -> bool:
        """Whether the kernel had to kill what took more."""
        events = self.folder / ("memory.events" if self.v2 else "memory.oom_control")
        fields = dict(line.split() for line in events.read_text().splitlines())
        return int(fields.get("oom_kill", 0)) > 0

    def run(self, command: list[str], out: Path) -> tuple[int, int]:
        """The exit status of a command in the group on one processor, and the most anonymous memory seen."""
        enter = 'echo $$ > "$0/cgroup.procs" && exec taskset -c 0 "$@"'
        most = 0
        with out.open("wb") as said:
            process = subprocess.Popen(
                ["sh", "-c", enter, str(self.folder), *command],
                stdout=said,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
            )
            while process.poll() is None:
                most = max(most, self.anonymous_bytes())
                time.sleep(0.1)
        return process.returncode, most

    def close(self) -> None:
        for _ in range(100):
            try:
                self.folder.rmdir()
            except OSError:
                time.sleep(0.1)
            else:
                return


def main(names: list[str]) -> int:
    failed = False
    print(f"{'chapter':28} {'seconds':>8} {'memory MB':>10}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in names or CHAPTERS:
            group = Group()
            try:
                started = time.monotonic()
                words = [
                    sys.executable,
                    "-m",
                    "papermill",
                    "--no-progress-bar",
                    "--cwd",
                    str(ROOT / "notebooks"),
                ]
                words += [str(ROOT / "notebooks" / f"{name}.ipynb"), str(Path(folder) / f"{name}.ipynb")]
                log = Path(folder) / "log"
                status, most = group.run(words, log)
                took = time.monotonic() - started
                print(f"{name:28} {took:8.0f} {most / 1e6:10.0f}", end="", flush=True)
                if group.killed():
                    print("  killed: out of memory", end="")
                if status != 0:
                    failed = True
                    print(f"  failed with status {status}\n{log.read_text()[-2000:]}", end="")
                print(flush=True)
            finally:
                group.close()
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
