"""What the tests of samples share: where the samples are, and running one through the lab."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from wasm_lab.capabilities import Capabilities
from wasm_lab.files import artifact_of, rust_source
from wasm_lab.session import Session
from wasm_lab.source import Profile, Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasm_lab.artifact import Artifact
    from wasm_lab.run import Run
    from wasm_lab.source import Source
    from wasm_lab.testing import TestReport

SAMPLES = Path(__file__).parents[2] / "wasm_samples"


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of the samples."""
    return SAMPLES


@pytest.fixture(scope="session")
def artifact() -> Callable[..., Artifact]:
    """``artifact(path, profile="release", target="wasm32-wasip1")``: a sample, built."""

    def build(path: Path | str, **options: Any) -> Artifact:
        return artifact_of(Session(), SAMPLES / path, _options(options))

    return build


@pytest.fixture(scope="session")
def source() -> Callable[..., Source]:
    """``source(path, test=False)``: a sample, parsed."""

    def parse(path: Path | str, *, test: bool = False, **options: Any) -> Source:
        return rust_source(SAMPLES / path, _options(options), test=test)

    return parse


@pytest.fixture(scope="session")
def run(artifact: Callable[..., Artifact]) -> Callable[..., Run]:
    """``run(path, *args, audit=False, profile=…, target=…, **capabilities)``: a sample, run."""

    def execute(path: Path | str, *args: str, audit: bool = False, **options: Any) -> Run:
        built = {name: options.pop(name) for name in ("profile", "target", "edition") if name in options}
        capabilities = replace(Capabilities(), args=args, **options)
        return Session().run(artifact(path, **built), capabilities, audit=audit)

    return execute


@pytest.fixture(scope="session")
def run_tests(source: Callable[..., Source]) -> Callable[..., TestReport]:
    """``run_tests(path)``: the ``#[test]`` functions of a sample, each in its own instance."""

    def execute(path: Path | str, **options: Any) -> TestReport:
        return Session().test(source(path, test=True), **options)

    return execute


def _options(options: dict[str, Any]) -> dict[str, Any]:
    defaults = {"profile": Profile.RELEASE, "target": Target.WASIP1, "edition": None}
    assert set(options) <= set(defaults), options
    return defaults | options
