"""Interrupting guests in a real ipykernel: the guest stops, the kernel and its state stay."""

from __future__ import annotations

import time
from importlib import util

import pytest

pytest.importorskip("ipykernel", reason="notebooks are an extra")

SETUP = """
import sys
from pathlib import Path
from wasm_lab.artifact import Artifact
from wasm_lab.capabilities import Capabilities
from wasm_lab.runtimes import get_runtime

runtime, state = get_runtime(), 42
command = Artifact(wasm=Path({command!r}).read_bytes(), label="command")
library = Artifact(wasm=Path({library!r}).read_bytes(), label="library")

def show(name, data):
    sys.stdout.write(data.decode())
    sys.stdout.flush()

def run(*args):
    runtime.run(command, Capabilities(args=args, deadline_s=None), output=show)

run("hello")
"""

#: Seconds that anything may take on a busy machine.
PATIENCE_S = 30


class Kernel:
    def __init__(self, manager):
        self.manager = manager
        self.client = manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def execute(self, code, *, interrupt_when=None):
        """What a cell printed, the error it raised, and seconds from the interrupt to its end."""
        request, printed, error, since = self.client.execute(code), "", None, time.monotonic()
        while True:
            message = self.client.get_iopub_msg(timeout=PATIENCE_S)
            if message["parent_header"].get("msg_id") != request:
                continue
            content = message["content"]
            if message["msg_type"] == "stream":
                printed += content["text"]
                if interrupt_when and interrupt_when in printed:
                    interrupt_when, since = None, time.monotonic()
                    self.manager.interrupt_kernel()
            elif message["msg_type"] == "error":
                error = content["ename"]
            elif message["msg_type"] == "status" and content["execution_state"] == "idle":
                return printed, error, time.monotonic() - since


@pytest.fixture(scope="module")
def kernel(probe, library, tmp_path_factory):
    from jupyter_client.manager import KernelManager

    folder = tmp_path_factory.mktemp("kernel")
    for artifact in (probe, library):
        (folder / artifact.label).write_bytes(artifact.wasm)
    manager = KernelManager(kernel_name="python3", connection_file=str(folder / "connection.json"))
    manager.start_kernel()
    try:
        kernel = Kernel(manager)
        setup = SETUP.format(command=str(folder / "probe"), library=str(folder / "library"))
        assert kernel.execute(setup)[:2] == ("hello\n", None)
        yield kernel
    finally:
        kernel.client.stop_channels()
        manager.shutdown_kernel(now=True)


@pytest.mark.parametrize(
    ("code", "sign"),
    [
        ("run('loop')", "looping"),
        ("run('sleep', '60000')", "sleeping"),
        ("print('calling', flush=True); runtime.instantiate(library, Capabilities(deadline_s=None)).function('spin')()",
         "calling"),
    ],
    ids=["busy", "asleep", "call"],
)  # fmt: skip
def test_interrupt(kernel, code, sign):
    printed, error, seconds = kernel.execute(code, interrupt_when=sign)
    assert sign in printed
    assert error == "KeyboardInterrupt"
    assert seconds < 2
    assert kernel.execute("print(state); run('hello')")[:2] == ("42\nhello\n", None)


def test_output_streams_into_the_running_cell(kernel):
    printed, error, seconds = kernel.execute("run('loop')", interrupt_when="looping")
    assert (printed, error) == ("looping\n", "KeyboardInterrupt")
    assert seconds < 2


@pytest.mark.parametrize(
    "name",
    [
        "wasmtime-worker",
        pytest.param(
            "wasmer",
            marks=pytest.mark.skipif(
                util.find_spec("wasmer_sdk") is None, reason="wasmer-sdk has no wheel for this system"
            ),
        ),
    ],
)
@pytest.mark.parametrize(
    ("code", "sign"), [("run('loop')", "looping"), ("run('sleep', '60000')", "sleeping")]
)
def test_interrupt_of_a_worker(kernel, name, code, sign):
    assert kernel.execute(f"runtime = get_runtime({name!r}); run('hello')")[:2] == ("hello\n", None)
    try:
        printed, error, seconds = kernel.execute(code, interrupt_when=sign)
        assert sign in printed
        assert error == "KeyboardInterrupt"
        assert seconds < 2
        assert kernel.execute("print(state); run('hello')")[:2] == ("42\nhello\n", None)
    finally:
        kernel.execute("runtime = get_runtime()")
