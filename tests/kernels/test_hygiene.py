"""What is left of warm kernels when their parent ends, however it ends: nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

#: Executes two notebooks, so that there are spares, then one that says who is there and stays.
PARENT = """
import sys, nbformat
from papermill.execute import execute_notebook
folder, marker = sys.argv[1:]
def run(text):
    cell = nbformat.v4.new_code_cell(text)
    kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(cells=[cell], metadata={"kernelspec": kernelspec})
    nbformat.write(notebook, folder + "/in.ipynb")
    execute_notebook(folder + "/in.ipynb", folder + "/out.ipynb", engine_name="wasm-lab", progress_bar=False)
run("pass")
run("pass")
print("two", flush=True)
run(f"import pathlib, time; pathlib.Path({marker!r}).write_text('here'); time.sleep(600)")
"""


@contextmanager
def parent(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], list[psutil.Process], Path]]:
    """A process in the middle of a notebook, all that it has started, and the folder of connection files."""
    folder.mkdir(exist_ok=True)
    runtime = folder / "runtime"
    env = os.environ | {"JUPYTER_RUNTIME_DIR": str(runtime)}
    marker = folder / "marker"
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(folder), str(marker)],
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            wait_until(marker.exists)
            family = psutil.Process(process.pid).children(recursive=True)
            wait_until(lambda: len(list(runtime.glob("kernel-*.json"))) == 2)  # the busy one and a spare
            yield process, family, runtime
        finally:
            process.kill()


def wait_until(condition: object) -> None:
    deadline = time.monotonic() + 60
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def gone(family: list[psutil.Process]) -> bool:
    return not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in family)


@pytest.mark.parametrize(
    "number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name
)
def test_nothing_is_left_of_a_parent_that_is_ended(tmp_path: Path, number: signal.Signals) -> None:
    with parent(tmp_path) as (process, family, runtime):
        assert len(family) == 3  # zygote, busy kernel, spare
        process.send_signal(number)
        process.wait(60)
        wait_until(lambda: gone(family))
        wait_until(lambda: not list(runtime.glob("kernel-*.json")))


@pytest.mark.slow
def test_two_parents_at_once_do_not_meet(tmp_path: Path) -> None:
    with (
        parent(tmp_path / "one") as (first, first_family, first_runtime),
        parent(tmp_path / "two") as (second, second_family, _),
    ):
        assert not {child.pid for child in first_family} & {child.pid for child in second_family}
        first.kill()
        first.wait(60)
        wait_until(lambda: gone(first_family))
        assert not list(first_runtime.glob("kernel-*.json"))
        assert second.poll() is None
        assert all(child.is_running() for child in second_family)


def test_nothing_is_left_of_a_forking_process_that_is_killed(tmp_path: Path) -> None:
    with parent(tmp_path) as (process, family, _):
        zygote = next(child for child in family if child.ppid() == process.pid)
        zygote.kill()
        wait_until(lambda: gone(family))
        assert process.wait(60) == 1  # its notebook has failed


#: A forked child of a process with warm kernels: has kernels of its own, and holds none of its parent's.
FORKING = """
import os, sys, nbformat
from papermill.execute import execute_notebook
from wasm_lab.kernels.pool import POOL
def run(engine="wasm-lab"):
    cell = nbformat.v4.new_code_cell("import os; print(os.getppid())")
    kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(cells=[cell], metadata={"kernelspec": kernelspec})
    done = execute_notebook(notebook, None, engine_name=engine, progress_bar=False)
    return int(done.cells[0].outputs[0].text)
ours = {run(), run()}
assert len(ours) == 1
child = os.fork()
if child == 0:
    assert run() not in ours
    POOL.close()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert run() in ours
"""


def test_a_forked_child_has_kernels_of_its_own(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKING]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
