"""Variables: where values come from, and that secret ones are never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from wasm_lab.errors import UsageError
from wasm_lab.scenarios.spin.dotenv import read_dotenv
from wasm_lab.scenarios.spin.ids import as_id, why_not_an_id
from wasm_lab.scenarios.spin.manifest import ComponentManifest, LocalSource, Manifest, Variable
from wasm_lab.scenarios.spin.templates import TemplateError, fill, split_template
from wasm_lab.scenarios.spin.variables import HIDDEN, Variables, given_variables


def application(folder: Path) -> Manifest:
    declared = [
        Variable(name="greeting", default="hello"),
        Variable(name="token", required=True, secret=True),
        Variable(name="pin", default="0000", secret=True),
    ]
    return Manifest(name="app", path=folder / "spin.toml", variables={each.name: each for each in declared})


def test_the_first_source_that_has_a_value_gives_it(tmp_path: Path) -> None:
    app = application(tmp_path)
    assert Variables(app, environment={}).value("greeting") == "hello"
    (tmp_path / ".env").write_text("SPIN_VARIABLE_GREETING=from the file\n")
    assert Variables(app, environment={}).value("greeting") == "from the file"
    environment = {"SPIN_VARIABLE_GREETING": "", "SPIN_VARIABLE_TOKEN": "t"}
    assert Variables(app, environment=environment).value("greeting") == ""
    given = Variables(app, given={"greeting": "given"}, environment=environment)
    assert given.value("greeting") == "given"


def test_a_required_value_that_is_missing_is_asked_for(tmp_path: Path) -> None:
    variables = Variables(application(tmp_path), environment={})
    assert variables.missing() == ("token",)
    with pytest.raises(UsageError, match="`token` has no value") as caught:
        variables.fill("{{ token }}")
    assert "SPIN_VARIABLE_TOKEN" in caught.value.hint
    with pytest.raises(UsageError, match="declares no variable `other`"):
        variables.value("other")
    with pytest.raises(UsageError, match="declares no variable `tokn`"):
        Variables(application(tmp_path), given={"tokn": "s3cr3t"})


def test_secrets_are_never_shown(tmp_path: Path) -> None:
    variables = Variables(application(tmp_path), given={"token": "s3cr3t"}, environment={})
    assert variables.value("token") == "s3cr3t"
    assert variables.shown() == {"greeting": "hello", "token": HIDDEN, "pin": HIDDEN}
    assert "s3cr3t" not in repr(variables)
    assert "0000" not in repr(variables)
    assert variables.redact("a s3cr3t of 0000") == f"a {HIDDEN} of {HIDDEN}"


def test_a_component_gets_its_own_variables(tmp_path: Path) -> None:
    component = ComponentManifest(
        id="c",
        source=LocalSource(path=tmp_path / "c.wasm", written="c.wasm"),
        variables={"url": "https://{{greeting}}/{{ token }}", "plain": "x"},
    )
    variables = Variables(application(tmp_path), given={"token": "t"}, environment={})
    assert variables.of(component) == {"url": "https://hello/t", "plain": "x"}


def test_templates() -> None:
    assert split_template("") == []
    assert split_template("a-{{ b }}-c{{d}}") == [("a-", False), ("b", True), ("-c", False), ("d", True)]
    assert fill("{{ a }}{{ a }}", {"a": "{{ a }}"}.__getitem__) == "{{ a }}{{ a }}"  # filled once
    assert split_template("a } b") == [("a } b", False)]
    with pytest.raises(TemplateError):
        split_template("{{ a }} {{ b")


def test_values_of_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"x": "1"}')
    (tmp_path / "b.toml").write_text('y = "2"')
    (tmp_path / "key.pem").write_text("--- a key\n")
    words = ["a=b=c", "@a.json", "@b.toml", "empty=", "key=@key.pem"]
    assert given_variables(words, tmp_path) == {
        "a": "b=c",
        "x": "1",
        "y": "2",
        "empty": "",
        "key": "--- a key\n",
    }
    (tmp_path / "bad.json").write_text('{"x": 5}')
    (tmp_path / "worse.toml").write_text("x = \n")
    for word in ("novalue", "=x", "@missing.json", "@bad.json", "@worse.toml", "@key.pem", "key=@none"):
        with pytest.raises(UsageError):
            given_variables([word], tmp_path)


def test_dotenv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FROM_OUTSIDE", "outside")
    file = tmp_path / ".env"
    file.write_text(
        "# a comment\n\nA=plain value # a comment\nexport B = two\nC='$A # as it is'\n"
        'D="line\\nbreak ${A}"\nE=a#b\nF=\nA=second\nG="over\ntwo lines"\nH=$FROM_OUTSIDE/x\n'
    )
    assert read_dotenv(file) == {
        "A": "plain value",
        "B": "two",
        "C": "$A # as it is",
        "D": "line\nbreak plain value",
        "E": "a#b",
        "F": "",
        "G": "over\ntwo lines",
        "H": "outside/x",
    }
    assert read_dotenv(tmp_path / "none") == {}
    file.write_text("A=1\nPASSWORD s3cr3t\n")
    with pytest.raises(UsageError, match=r"Line 2 of \.env") as caught:
        read_dotenv(file)
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize("name", ["a", "abc", "a1", "a-1", "my-app", "MY-app", "a-2b"])
def test_ids(name: str) -> None:
    assert not why_not_an_id(name)


@pytest.mark.parametrize("name", ["", "a_b", "1a", "-a", "a-", "a--b", "aB", "a.b", "ä", "a b"])
def test_names_that_are_no_ids(name: str) -> None:
    assert why_not_an_id(name)
    assert not why_not_an_id(as_id(name)) or not name


@pytest.mark.parametrize("name", ["aX", "1bc", "_x", "x.y", "x_", "a__b", "x-y", "ABC", ""])
def test_names_that_are_no_variables(name: str) -> None:
    assert why_not_an_id(name, "_", lower=True)
