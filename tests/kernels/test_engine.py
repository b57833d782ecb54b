"""Notebooks by papermill on warm kernels: as on fresh ones, only sooner."""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_core.utils import ensure_event_loop
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.exceptions import PapermillExecutionError
from papermill.execute import execute_notebook

from wasm_lab.kernels.pool import POOL


def execute(
    folder: Path, *cells: str, engine: str | None = "wasm-lab", **options: Any
) -> nbformat.NotebookNode:
    """Execute cells as a notebook; its outputs are in the result and in out.ipynb."""
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    folder.mkdir(exist_ok=True)
    path = folder / f"in-{threading.get_ident()}.ipynb"
    nbformat.write(notebook, path)
    return execute_notebook(
        str(path), str(path.with_name("out.ipynb")), engine_name=engine, progress_bar=False, **options
    )


def printed(notebook: nbformat.NotebookNode) -> str:
    return "".join(output.text for output in notebook.cells[-1].outputs if output.output_type == "stream")


#: What a notebook can see of the process that it runs in.
PROBE = """
import asyncio, gc, json, logging, os, resource, signal, sys, threading, warnings
import __main__
connection = sys.argv[sys.argv.index("-f") + 1]
def plain(text):
    return text.replace(connection, "CONNECTION").replace(str(os.getpid()), "PID")
found = {
    "cwd": os.getcwd(), "path": sys.path, "argv": [plain(word) for word in sys.argv],
    "orig_argv": [plain(word) for word in sys.orig_argv], "executable": sys.executable,
    "flags": repr(sys.flags), "main": sorted(name for name in vars(__main__) if not name.startswith("_i")),
    "main_is": __main__.__dict__ is globals(), "file": getattr(__main__, "__file__", None),
    "env": {name: value for name, value in os.environ.items() if name != "JPY_PARENT_PID"},
    "signals": {int(number): repr(signal.getsignal(number)).split(" at ")[0] for number in signal.valid_signals()},
    "mask": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
    "threads": sorted(thread.name.split("-")[0] for thread in threading.enumerate()),
    "main_thread": threading.current_thread() is threading.main_thread(),
    "umask": os.umask(os.umask(0)), "limits": resource.getrlimit(resource.RLIMIT_NOFILE),
    "leads": os.getpgrp() == os.getpid() == os.getsid(0),
    "stdin": os.read(0, 10).decode(), "loop": type(asyncio.get_running_loop()).__name__,
    "root": [type(handler).__name__ for handler in logging.getLogger().handlers],
    "gc": (gc.isenabled(), gc.get_threshold()), "history": get_ipython().history_manager.hist_file,
    "dirs": _dh, "starting": get_ipython().starting_dir, "backend": os.environ.get("MPLBACKEND"),
    "niceness": os.nice(0), "processors": sorted(os.sched_getaffinity(0)),
    "filters": [repr(entry) for entry in warnings.filters], "connection": os.path.exists(connection),
    "files": sorted(
        os.readlink(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd")
        if int(number) > 0 and os.path.isfile(f"/proc/self/fd/{number}")
    ),
}
print(json.dumps(found, default=str))
"""


def test_a_notebook_finds_what_it_finds_on_a_fresh_kernel(tmp_path: Path) -> None:
    options: dict[str, Any] = {"cwd": tmp_path, "extra_arguments": ["--IPKernelApp.log_level=ERROR"]}
    fresh = json.loads(printed(execute(tmp_path, PROBE, engine=None, **options)))
    for _ in range(3):  # the zygote's first, one that it forked, one that had waited
        assert json.loads(printed(execute(tmp_path, PROBE, **options))) == fresh
    assert fresh["cwd"] == str(tmp_path)
    assert POOL.state().idle


def test_a_kernel_that_waited_begins_in_any_folder(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    fresh = json.loads(printed(execute(tmp_path, PROBE, engine=None, cwd=other)))
    for _ in range(2):
        execute(tmp_path, "pass", cwd=tmp_path)
    waiting = POOL.state().idle
    cell = PROBE.replace("print(", "found['pid'] = os.getpid(); print(")
    warm = json.loads(printed(execute(tmp_path, cell, cwd=other)))
    assert warm.pop("pid") in waiting
    assert warm == fresh
    assert fresh["dirs"] == [str(other)]


def test_startup_files_run_in_the_notebooks_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "first.py").write_text("import os; seen = os.getcwd()")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    for name in ("a", "a", "b", "a"):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        assert printed(execute(tmp_path, "print(seen)", cwd=folder)) == f"{folder}\n"


def test_each_notebook_has_a_kernel_of_its_own(tmp_path: Path) -> None:
    cell = """
import os, random, secrets, tempfile, uuid
import numpy
before = globals().get("before", 0) + 1
print(before, *map(str, [os.getpid(), random.random(), secrets.token_hex(8), uuid.uuid1(), uuid.uuid4(),
    tempfile.mktemp(), numpy.random.random(), numpy.random.default_rng().random(), get_ipython().kernel.session.session]))
"""
    runs = [printed(execute(tmp_path, cell)).split() for _ in range(4)]
    assert [run[0] for run in runs] == ["1"] * 4
    for column in zip(*(run[1:] for run in runs), strict=True):
        assert len(set(column)) == len(column)


def test_what_a_notebook_does_to_its_process_is_gone_with_it(tmp_path: Path) -> None:
    disturb = """
import os, signal, sys
os.environ["DISTURBED"] = "yes"
os.chdir("/")
os.umask(0o777)
sys.path.insert(0, "/nowhere")
signal.signal(signal.SIGTERM, signal.SIG_IGN)
del sys.modules["json"]
"""
    before = (os.environ.copy(), Path.cwd())
    for _ in range(2):
        execute(tmp_path, disturb)
    assert (os.environ.copy(), Path.cwd()) == before
    seen = "import os, signal, sys; print(os.environ.get('DISTURBED'), os.getcwd() == '/', '/nowhere' in sys.path, signal.getsignal(15))"
    assert printed(execute(tmp_path, seen)).split() == ["None", "False", "False", "0"]


def test_exit_handlers_run_and_open_files_are_written(tmp_path: Path) -> None:
    cell = f"""
import atexit, pathlib, subprocess, tempfile
folder = tempfile.TemporaryDirectory(dir={str(tmp_path)!r}, prefix="left-")
left = open({str(tmp_path / "left.txt")!r}, "w")
left.write("not flushed")
atexit.register(lambda: pathlib.Path({str(tmp_path / "bye.txt")!r}).write_text("bye"))
"""
    execute(tmp_path, cell)
    assert (tmp_path / "left.txt").read_text() == "not flushed"
    assert (tmp_path / "bye.txt").read_text() == "bye"
    assert not list(tmp_path.glob("left-*"))


def test_a_changed_environment_reaches_the_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cell = "import os, time; print(os.environ.get('LAB_COLOUR'), time.tzname[0])"
    assert printed(execute(tmp_path, cell)).startswith("None ")
    monkeypatch.setenv("LAB_COLOUR", "green")
    monkeypatch.setenv("TZ", "XYZ+3")
    assert printed(execute(tmp_path, cell)) == "green XYZ\n"
    assert printed(execute(tmp_path, cell)) == "green XYZ\n"
    assert len(POOL.state().idle) <= POOL.most


def test_parameters_and_what_papermill_writes(tmp_path: Path) -> None:
    cells = ("print(n * 2); n * 3",)
    results = []
    for engine in (None, "wasm-lab"):
        with (tmp_path / f"{engine}.txt").open("w") as stream:
            results.append(execute(tmp_path, *cells, engine=engine, parameters={"n": 21}, stdout_file=stream))
        assert (tmp_path / f"{engine}.txt").read_text() == "42\n"
    plain, warm = results
    assert [cell.get("outputs") for cell in warm.cells] == [cell.get("outputs") for cell in plain.cells]
    assert [cell.get("execution_count") for cell in warm.cells] == [1, 2]
    assert warm.metadata.language_info == plain.metadata.language_info
    assert {cell.metadata.papermill.status for cell in warm.cells} == {"completed"}
    assert nbformat.read(tmp_path / "out.ipynb", as_version=4).cells[-1].outputs == warm.cells[-1].outputs


def test_a_cell_that_fails_and_one_that_takes_too_long(tmp_path: Path) -> None:
    with pytest.raises(PapermillExecutionError, match="ZeroDivisionError"):
        execute(tmp_path, "1 / 0")
    with pytest.raises(CellTimeoutError):
        execute(tmp_path, "import time; time.sleep(60)", execution_timeout=1)
    assert not POOL.state().busy


@pytest.mark.parametrize(
    "end", ["os._exit(3)", "os.kill(os.getpid(), 9)", "import ctypes; ctypes.string_at(0)"]
)
def test_a_kernel_that_dies_is_one_loss(tmp_path: Path, end: str) -> None:
    with pytest.raises(DeadKernelError):
        execute(tmp_path, f"import os; {end}")
    assert printed(execute(tmp_path, "print('next')")) == "next\n"
    assert not POOL.state().busy


def test_the_loss_of_the_forking_process_is_one_loss(tmp_path: Path) -> None:
    with pytest.raises(DeadKernelError):
        execute(
            tmp_path, "import os, signal; os.kill(os.getppid(), signal.SIGKILL); import time; time.sleep(60)"
        )
    assert printed(execute(tmp_path, "print('next')")) == "next\n"


def test_notebooks_in_threads_at_once(tmp_path: Path) -> None:
    said: dict[int, str] = {}

    def one(number: int) -> None:
        said[number] = printed(execute(tmp_path / str(number), f"import os; print({number}, os.getpid())"))
        ensure_event_loop().close()  # nbclient makes one for each thread, and leaves it

    for turn in range(2):
        threads = [threading.Thread(target=one, args=(turn * 4 + number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(int(text.split()[0]) for text in said.values()) == list(range(8))
    assert len({text.split()[1] for text in said.values()}) == 8
    state = POOL.state()
    assert 1 <= len(state.idle) <= POOL.most
    assert not state.busy
    assert 10_000_000 < state.memory_bytes < 1_000_000_000


@pytest.mark.parametrize("kind", ["wrapped", "provisioned", "elsewhere"])
def test_other_kernels_are_started_as_ever(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    interpreter = [sys.executable]
    metadata: dict[str, Any] = {}
    if kind == "wrapped":
        interpreter = ["env", "LAB_WRAPPED=1", sys.executable]
    elif kind == "provisioned":
        metadata = {"kernel_provisioner": {"provisioner_name": "local-provisioner"}}
    else:
        link = tmp_path / "python-elsewhere"
        link.symlink_to(sys.executable)
        interpreter = [str(link)]
        monkeypatch.setenv(
            "PYTHONPATH", os.pathsep.join(word for word in sys.path if "site-packages" in word)
        )
    folder = tmp_path / "jupyter" / "kernels" / "lab-test"
    folder.mkdir(parents=True)
    argv = [*interpreter, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": "t", "language": "python", "metadata": metadata}
    (folder / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    with caplog.at_level(logging.INFO):
        result = execute(tmp_path, "import sys; print(sys.argv[0])", kernel_name="lab-test")
    assert printed(result).endswith("ipykernel_launcher.py\n")
    assert ("is started as ever" in caplog.text) == (kind != "provisioned")


def test_a_kernelspecs_own_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "jupyter" / "kernels" / "lab-test"
    folder.mkdir(parents=True)
    argv = [sys.executable, "-X", "utf8", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": "t", "language": "python", "env": {"LAB_SPEC": "its own"}}
    (folder / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    cell = "import os, sys; print(os.environ['LAB_SPEC'], sys.flags.utf8_mode)"
    assert printed(execute(tmp_path, cell, kernel_name="lab-test")) == "its own 1\n"


def test_a_pool_that_is_closed_leaves_nothing_and_can_be_used_again(tmp_path: Path) -> None:
    for _ in range(2):
        execute(tmp_path, "pass")
    state = POOL.state()
    assert state.idle
    POOL.close()
    for pid in (*state.zygotes, *state.idle):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert printed(execute(tmp_path, "print('again')")) == "again\n"


def test_a_cell_is_interrupted(tmp_path: Path) -> None:
    cell = "import time\ntry:\n    time.sleep(60)\nexcept KeyboardInterrupt:\n    print('interrupted')"
    assert printed(execute(tmp_path, cell, execution_timeout=1, interrupt_on_timeout=True)) == "interrupted\n"


def test_modules_that_every_notebook_imports_are_there_already(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(POOL, "preloaded", ("wasm_lab.session", "colorsys"))
    cell = "import sys; print('wasm_lab.session' in sys.modules, 'colorsys' in sys.modules, 'colorsys' in globals())"
    assert printed(execute(tmp_path, cell)) == "True True False\n"


def test_a_module_that_starts_a_thread_is_not_imported_before_a_fork(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "lab_with_thread.py").write_text(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(POOL, "preloaded", ("lab_with_thread",))
    with caplog.at_level(logging.INFO):
        assert printed(execute(tmp_path, "print('as ever')")) == "as ever\n"
    assert "is started as ever" in caplog.text
