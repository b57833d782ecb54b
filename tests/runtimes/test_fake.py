"""The fake runtime keeps to the interface that it stands in for."""

from __future__ import annotations

import pytest

from wasm_lab.artifact import Artifact
from wasm_lab.capabilities import Capabilities
from wasm_lab.errors import LoadError, UnsupportedError
from wasm_lab.runtimes.fake import FakeRuntime, finished

GUEST = Artifact(wasm=b"", label="guest")


def test_it_answers_as_told_and_remembers():
    runtime = FakeRuntime(
        program=lambda artifact, capabilities: finished(stdout=b"out", stderr=b"err", exit_status=3)
    )
    seen = []
    result = runtime.run(GUEST, Capabilities(args=("a",)), output=lambda *piece: seen.append(piece))
    assert (result.exit_status, result.ok) == (3, False)
    assert seen == [("stdout", b"out"), ("stderr", b"err")]
    assert runtime.runs == [(GUEST, Capabilities(args=("a",)))]


def test_an_audit_only_when_asked():
    runtime = FakeRuntime(program=lambda artifact, capabilities: finished(audit=()))
    assert runtime.run(GUEST, Capabilities()).audit is None
    assert runtime.run(GUEST, Capabilities(), audit=True).audit == ()


@pytest.mark.parametrize(
    ("cannot", "asked", "audit"),
    [
        (("hosts",), {"hosts": ("a:1",)}, False),
        (("clock",), {"clock": "frozen"}, False),
        (("audit",), {}, True),
    ],
)
def test_it_refuses_what_it_says_it_cannot(cannot, asked, audit):
    runtime = FakeRuntime(cannot=cannot)
    with pytest.raises(UnsupportedError, match=cannot[0]):
        runtime.run(GUEST, Capabilities(**asked), audit=audit)
    with pytest.raises(UnsupportedError, match=cannot[0]):
        runtime.instantiate(GUEST, Capabilities(**asked), audit=audit)
    assert FakeRuntime(cannot=()).run(GUEST, Capabilities(**asked), audit=audit).ok


def test_its_instances():
    instance = FakeRuntime(functions={"double": lambda x: 2 * x}).instantiate(GUEST, Capabilities())
    assert instance.function("double")(4) == 8
    instance.view(3, 2)[:] = b"ab"
    assert instance.read(2, 4) == b"\0ab\0"
    for wrong in (lambda: instance.function("triple"), lambda: instance.read(65536, 1)):
        with pytest.raises(LoadError):
            wrong()
