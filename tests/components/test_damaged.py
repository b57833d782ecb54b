"""Components with bytes changed at random: refused, or stopped, and nothing else happens."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from tests.components.guests import passing_on
from tests.components.test_resources import WAT, WIT, component_of
from tests.components.test_values import ECHOES, OTHERS, TYPES

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

#: In a process of its own: what is damaged must not end it.
_TRY_ALL = """
import collections, random, sys
from pathlib import Path
from types import SimpleNamespace
from wasm_lab.components import Component
from wasm_lab.errors import WasmLabError

class Anything:
    def __init__(self, *values):
        pass
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(self) if name[0].isupper() else lambda *values: values[0] if values else None

seen = collections.Counter()
for file in sys.argv[2:]:
    whole = Path(file).read_bytes()
    chance = random.Random(file[-1] + sys.argv[1])
    for _ in range(120):
        damaged = bytearray(whole)
        for _ in range(chance.choice([1, 1, 2, 4])):
            damaged[chance.randrange(8, len(damaged))] = chance.choice([0, 1, 0x7F, 0xFF, chance.randrange(256)])
        try:
            component = Component.load(bytes(damaged))
            with component.instantiate({name: Anything() for name in component.world.imports}) as instance:
                for name in dir(instance):
                    function = getattr(instance, name)
                    if callable(function):
                        try:
                            function(1)
                        except (TypeError, ValueError, OverflowError, AttributeError):
                            pass
            seen["fine"] += 1
        except WasmLabError as error:
            seen[type(error).__name__] += 1
print(dict(seen))
"""


@pytest.mark.parametrize("seed", ["1", "2"])
def test_damaged_components_do_no_harm(tmp_path: Path, seed: str) -> None:
    files = [tmp_path / "resources", tmp_path / "values"]
    files[0].write_bytes(component_of(WIT, WAT))
    files[1].write_bytes(passing_on(TYPES, ECHOES + OTHERS))
    done = subprocess.run(
        [sys.executable, "-c", _TRY_ALL, seed, *map(str, files)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={"WASM_LAB_CACHE": str(tmp_path / "cache"), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    assert "LoadError" in done.stdout
    assert "fine" in done.stdout
