"""One table for all: the same programs under every runtime, with the same outcome or a stated reason."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from tests.runtimes.conformance import CASES, DEVIATIONS, FOLDER, PAGE, REFERENCE, ROOT, Case, Outcome, page

from wasm_lab.build import build
from wasm_lab.capabilities import Capabilities, ClockMode, Directory, RandomMode
from wasm_lab.confine.landlock import landlock_version
from wasm_lab.errors import LoadError, UnsupportedError
from wasm_lab.files import artifact_of
from wasm_lab.runtimes import NAMES, get_runtime
from wasm_lab.runtimes.base import Enforcement
from wasm_lab.session import Session
from wasm_lab.source import Kind, Profile, Source, Target

#: Their engine is fetched for the tests (scripts/test_tools.py), and compiling ahead takes seconds.
SLOW = ("wasmedge", "wasmedge-aot")

OTHERS = [
    pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else [])
    for name in NAMES
    if name != REFERENCE
]


def usable(name):
    """The runtime; where it is missing, the slow tests fail and the others say what they skip."""
    runtime = get_runtime(name)
    why = runtime.missing()
    if why:
        (pytest.fail if name in SLOW else pytest.skip)(f"{name}: {why}")
    return runtime


@pytest.fixture
def folder(tmp_path):
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "note.txt").write_text("a note\n")
    (inner / "link").symlink_to("/etc/passwd")
    (tmp_path / "outside.txt").write_text("not for guests\n")
    return inner


def artifact_for(case: Case):
    if "fn main" in case.sample:
        return build(Source(code=case.sample, kind=Kind.PROGRAM, label="program.rs"))
    options = {"profile": Profile.RELEASE, "target": Target.WASIP1, "edition": None}
    return artifact_of(Session(), ROOT / "wasm_samples" / case.sample, options)


def outcome(runtime, case: Case, folder: Path) -> Outcome:
    dirs = (Directory(folder, str(folder), case.folder == "rw"),) if case.folder else ()
    args = tuple(word.replace(FOLDER, str(folder)) for word in case.args)
    capabilities = replace(Capabilities(), args=args, dirs=dirs, **case.limits)
    (folder / "new.txt").unlink(missing_ok=True)
    try:
        run = runtime.run(artifact_for(case), capabilities)
    except (LoadError, UnsupportedError) as refused:
        return Outcome(type(refused).__name__)
    assert (folder / "note.txt").read_text() == "a note\n"
    assert (folder.parent / "outside.txt").read_text() == "not for guests\n"
    # Which error a refusal is, each engine decides for itself.
    stdout = re.sub(rb"[^:\n]* \(os error \d+\)", b" an error", run.stdout)
    stdout = stdout if case.whole_output else stdout[:1000]
    if run.trap:
        assert run.exit_status is None
        return Outcome(run.trap.kind, stdout)
    assert run.exit_status is not None
    return Outcome(run.exit_status, stdout)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", OTHERS)
def test_it_ends_as_in_wasmtime(name, case, folder):
    runtime = usable(name)
    expected = outcome(get_runtime(REFERENCE), CASES[case], folder)
    found = outcome(runtime, CASES[case], folder)
    deviation = DEVIATIONS.get((case, name))
    if deviation is None:
        assert found == expected
    elif deviation.ended is None:
        assert found.ended == expected.ended
        assert found.stdout != expected.stdout, "the deviation is no more: take it out of the table"
    else:
        assert found.ended == deviation.ended
        assert found.ended != expected.ended, "the deviation is no more: take it out of the table"


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_every_runtime_is_here(name):
    assert get_runtime(name).missing() == ""


#: A value for each capability that some runtime may be unable to enforce.
ASKED = {
    "hosts": {"hosts": ("example.org:80",)},
    "clock": {"clock": ClockMode.FROZEN},
    "frozen_ns": {"frozen_ns": 5},
    "random": {"random": RandomMode.SEEDED},
    "seed": {"seed": 5},
    "fuel": {"fuel": 10_000},
    "memory_bytes": {"memory_bytes": 1 << 26},
    "output_bytes": {"output_bytes": 10},
    "program": {"program": "other"},
}


@pytest.mark.parametrize("name", [REFERENCE, *OTHERS])
def test_what_it_cannot_enforce_it_refuses(name, folder):
    runtime = usable(name)
    fields = {*Capabilities.__dataclass_fields__, "audit"}
    assert set(runtime.enforces()) == fields
    artifact = artifact_for(CASES["hello"])
    for capability, how in runtime.enforces().items():
        if how is not Enforcement.NO:
            continue
        asked = ASKED | {"dirs": {"dirs": (Directory(folder, str(folder)),)}, "audit": {}}
        capabilities = replace(Capabilities(), **asked[capability])
        with pytest.raises(UnsupportedError, match=capability):
            runtime.run(artifact, capabilities, audit=capability == "audit")


@pytest.mark.parametrize("name", [REFERENCE, *OTHERS])
def test_output_comes_as_it_is_written_and_whole(name):
    pieces: list[tuple[str, bytes]] = []
    runtime = usable(name)
    run = runtime.run(
        artifact_for(CASES["a panic"]),
        Capabilities(),
        output=lambda stream, data: pieces.append((stream, data)),
    )
    for stream, whole in (("stdout", run.stdout), ("stderr", run.stderr)):
        assert b"".join(data for which, data in pieces if which == stream) == whole
    assert b"the larder holds 3 eggs" in run.stderr
    assert run.trap
    assert run.trap.message == "the larder holds 3 eggs, 12 are needed"


def test_the_page_says_what_the_code_says():
    if not landlock_version():
        pytest.skip("the page is made on Linux with Landlock, which decides what can be enforced")
    assert PAGE.read_text(encoding="utf-8") == page(), "run: .venv/bin/python -m tests.runtimes.conformance"
