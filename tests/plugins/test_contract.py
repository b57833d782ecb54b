"""What is compared before anything of a plugin runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from wasm_lab.components.wit import read_world
from wasm_lab.errors import BuildError, PluginError, UsageError
from wasm_lab.scenarios.plugins.contract import Contract, Version
from wasm_lab.scenarios.plugins.samples import (
    componentize,
    hostile,
    hostile_names,
    wit_folder,
)

BEFORE_ANYTHING = {
    "next_version": "is made for version 2.0.0 of wasm-lab:plugins/transform; this host takes 1.0.0",
    "wrong_types": "its apply has other types: expected apply: func(input: content, options: "
    "list<tuple<string, string>>) -> result<content, failure>, found apply: func(input: string) -> string",
    "missing_function": "without apply",
    "wants_more": "imports wasm-lab:plugins/secrets@1.0.0, and this host has none",
}


@pytest.mark.parametrize("name", sorted(BEFORE_ANYTHING))
def test_a_plugin_that_does_not_fit_is_refused_by_its_wit(name: str) -> None:
    with pytest.raises(PluginError) as caught:
        Contract().check(read_world(hostile(name), name), name)
    assert BEFORE_ANYTHING[name] in caught.value.message
    assert caught.value.plugin == name
    assert caught.value.hint


@pytest.mark.parametrize("name", sorted(set(hostile_names()) - set(BEFORE_ANYTHING)))
def test_the_other_hostile_ones_look_like_plugins(name: str) -> None:
    assert Contract().check(read_world(hostile(name), name), name) == "wasm-lab:plugins/transform@1.0.0"


def test_a_component_that_is_something_else_is_told_from_a_plugin(tmp_path: Path) -> None:
    (tmp_path / "other.wit").write_text(
        "package a:b@1.0.0; interface c { f: func(); } world plugin { export c; }"
    )
    core = b'(module (func (export "a:b/c@1.0.0#f")))'
    made = componentize(core, tmp_path / "other.wit")
    with pytest.raises(PluginError, match="does not export wasm-lab:plugins/transform, but a:b/c@1.0.0"):
        Contract().check(read_world(made, "other"), "other")


def contract_of(tmp_path: Path, version: str, *, more: str = "") -> Contract:
    """This lab's contract in another version, with further functions."""
    text = (wit_folder() / "plugin.wit").read_text().replace("plugins@1.0.0", f"plugins@{version}")
    text = text.replace("describe: func()", f"{more}\n  describe: func()")
    path = tmp_path / "contract.wit"
    path.write_text(text)
    return Contract(path)


@pytest.mark.parametrize(
    ("host", "taken"), [("1.0.0", True), ("1.0.9", True), ("1.3.0", True), ("2.0.0", False), ("0.9.0", False)]
)
def test_a_host_takes_plugins_of_its_major_version_and_not_newer_ones(
    tmp_path: Path, host: str, taken: bool
) -> None:
    contract, world = contract_of(tmp_path, host), read_world(hostile("impostor"), "impostor")
    if taken:
        assert contract.check(world, "impostor") == "wasm-lab:plugins/transform@1.0.0"
    else:
        with pytest.raises(PluginError, match=f"made for version 1.0.0 .* this host takes {host}"):
            contract.check(world, "impostor")


def test_an_older_plugin_may_lack_what_came_later_and_one_of_this_version_may_not(tmp_path: Path) -> None:
    world = read_world(hostile("impostor"), "impostor")
    newer = contract_of(tmp_path, "1.1.0", more="further: func() -> string;")
    assert newer.check(world, "impostor")
    same = contract_of(tmp_path, "1.0.0", more="further: func() -> string;")
    with pytest.raises(PluginError, match="without further"):
        same.check(world, "impostor")


def test_a_type_of_the_same_name_that_is_another_one_is_found(tmp_path: Path) -> None:
    world = read_world(hostile("impostor"), "impostor")
    text = (wit_folder() / "plugin.wit").read_text().replace("bad-input(string)", "bad-input(u32)")
    (tmp_path / "contract.wit").write_text(text)
    with pytest.raises(
        PluginError, match=r"expected apply: .*bad-input\(u32\).*found apply: .*bad-input\(string\)"
    ):
        Contract(tmp_path / "contract.wit").check(world, "impostor")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("package a:b@1.0.0; world other { }", "has no world plugin"),
        ("package a:b@1.0.0; world plugin { }", "exports nothing"),
        ("package a:b; interface c {} world plugin { export c; }", "exports a:b/c"),
        ("package a:b@1.0.0; world plugin { export f: func(); }", "exports f"),
        ("this is no WIT", "cannot be read"),
    ],
)
def test_a_contract_that_is_none_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "contract.wit").write_text(text)
    with pytest.raises(UsageError, match=message):
        Contract(tmp_path / "contract.wit").export  # noqa: B018


@pytest.mark.parametrize(
    ("host", "plugin", "takes"),
    [
        ("1.4.0", "1.4.9", True),
        ("1.4.0", "1.5.0", False),
        ("2.0.0", "1.9.9", False),
        ("0.2.0", "0.2.5", True),
        ("0.2.0", "0.1.0", False),
        ("0.2.0", "0.3.0", False),
    ],
)
def test_versions_fit_as_cargo_has_it(host: str, plugin: str, takes: bool) -> None:
    assert Version.parse(host).takes(Version.parse(plugin)) is takes


def test_a_version_that_is_none_fits_no_host() -> None:
    with pytest.raises(ValueError, match="no version"):
        Version.parse("latest")


def test_what_no_text_fits_is_refused_with_what_wasm_tools_said() -> None:
    with pytest.raises(BuildError, match="is no plugin of wit"):
        componentize(b"(module)", wit_folder())
