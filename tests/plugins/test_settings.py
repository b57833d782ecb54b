"""What each plugin may do, read from a file that the host names."""

from __future__ import annotations

from pathlib import Path

import pytest

from wasm_lab.capabilities import MIB, ClockMode, RandomMode
from wasm_lab.errors import UsageError
from wasm_lab.scenarios.plugins.settings import PLUGIN_DEFAULTS, read_settings

TEXT = """
[defaults]
timeout = "500ms"

[plugin.image-resize]
memory = "256MiB"
max-output = "1MiB"
env = { QUALITY = "high" }
dir-ro = ["icons::/icons"]
dir = ["made::/made"]
clock = "real"
random = "seed=7"
"""


def settings_file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "settings.toml"
    path.write_text(text)
    return path


def test_nothing_is_granted_by_default() -> None:
    assert not PLUGIN_DEFAULTS.dirs
    assert not PLUGIN_DEFAULTS.env
    assert not PLUGIN_DEFAULTS.hosts
    assert PLUGIN_DEFAULTS.clock is ClockMode.FROZEN
    assert PLUGIN_DEFAULTS.random is RandomMode.SEEDED
    assert None not in (
        PLUGIN_DEFAULTS.deadline_s,
        PLUGIN_DEFAULTS.memory_bytes,
        PLUGIN_DEFAULTS.output_bytes,
    )


def test_a_plugin_has_its_own_table_and_the_defaults_for_the_rest(tmp_path: Path) -> None:
    for name in ("icons", "made"):
        (tmp_path / name).mkdir()
    settings = read_settings(settings_file(tmp_path, TEXT))
    resize, other = settings.of("image-resize"), settings.of("markdown")
    assert resize.memory_bytes == 256 * MIB
    assert resize.output_bytes == MIB
    assert resize.env == {"QUALITY": "high"}
    assert [(each.host, each.guest, each.writable) for each in resize.dirs] == [
        (tmp_path / "icons", "/icons", False),
        (tmp_path / "made", "/made", True),
    ]
    assert (resize.clock, resize.random, resize.seed) == (ClockMode.REAL, RandomMode.SEEDED, 7)
    assert resize.deadline_s == other.deadline_s == 0.5
    assert other.memory_bytes == PLUGIN_DEFAULTS.memory_bytes
    assert not other.dirs


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[plugins.x]\n", r"'plugins' is no table of plugin settings"),
        ("plugin = 3\n", r"'plugin' is no table of plugin settings"),
        ("[plugin]\nx = 3\n", r"\[plugin.x\] is no table"),
        ("[plugin.x]\nmemroy = '1MiB'\n", r"\[plugin.x\]: there is no setting 'memroy'"),
        ("[plugin.x]\nmemory = 1\n", r"\[plugin.x\], memory: 1 is no text"),
        ("[plugin.x]\nmemory = 'much'\n", r"\[plugin.x\], memory: 'much' is no size"),
        ("[defaults]\ntimeout = 'soon'\n", r"\[defaults\], timeout: 'soon' is no duration"),
        ("[plugin.x]\nenv = ['A=b']\n", r"env: .* is no table of texts"),
        ("[plugin.x]\ndir = 'here'\n", r"dir: 'here' is no list"),
        ("[plugin.x]\ndir = ['absent::/']\n", r"dir: .*absent.* does not exist"),
        ("[plugin.x\n", r"is no TOML"),
    ],
)
def test_a_mistake_is_told_with_its_table(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_settings(settings_file(tmp_path, text))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_settings(tmp_path / "absent.toml")
