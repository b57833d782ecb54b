"""The CRI's descriptor: what is kept is what protoc makes of the interface's text."""

import subprocess
import sys

import pytest

from wasm_lab.errors import ContainerError
from wasm_lab.services.cri import Cri
from wasm_lab.services.cri.api import DESCRIPTOR, _calls
from wasm_lab.services.cri.container import nanoseconds


def test_descriptor_is_made_of_the_text_beside_it(tmp_path):
    pytest.importorskip("grpc_tools")
    from google.protobuf.descriptor_pb2 import FileDescriptorSet

    made = tmp_path / "api.binpb"
    folder = DESCRIPTOR.parent
    words = ["grpc_tools.protoc", f"-I{folder}", f"--descriptor_set_out={made}", "api.proto"]
    subprocess.run([sys.executable, "-m", *words], check=True, cwd=folder)

    again = FileDescriptorSet.FromString(made.read_bytes())

    assert again == FileDescriptorSet.FromString(DESCRIPTOR.read_bytes())
    assert len(again.file[0].message_type) > 100


def test_every_call_of_both_services_is_there():
    calls = _calls()

    assert {"RunPodSandbox", "CreateContainer", "ContainerStatus", "ImageStatus"} <= set(calls)
    path, asked, answered = calls["RunPodSandbox"]
    assert path == "/runtime.v1.RuntimeService/RunPodSandbox"
    assert asked(runtime_handler="runc").runtime_handler == "runc"
    assert answered().pod_sandbox_id == ""


def test_nobody_at_the_address(tmp_path):
    with Cri(str(tmp_path / "none.sock")) as cri, pytest.raises(ContainerError) as caught:
        cri.version()

    assert "Version" in caught.value.message
    assert "none.sock" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:01.000000002Z", 1_000_000_002),
        ("1970-01-01T00:00:01.5Z", 1_500_000_000),
        ("1970-01-01T01:00:01.123456789+01:00", 1_123_456_789),
        ("1970-01-01T00:00:02Z", 2_000_000_000),
    ],
)
def test_times_of_a_log_keep_their_nanoseconds(text, expected):
    assert nanoseconds(text) == expected
