"""Variables of a component through the three interfaces, and services that are refused."""

from __future__ import annotations

import logging

import pytest

from wasm_lab.components import Err
from wasm_lab.scenarios.spin.interfaces import mqtt, mysql, variables


def case(caught) -> tuple[str, str]:
    return type(caught.value.value).__name__, caught.value.value.value


@pytest.fixture
def interfaces(make_context):
    return variables.implement(make_context(variables={"colour": "blue", "token": "geheim"}))


def test_values(interfaces):
    assert interfaces["fermyon:spin/variables@2.0.0"].get("colour") == "blue"
    assert interfaces["fermyon:spin/config"].get_config("token") == "geheim"
    store = interfaces["wasi:config/store@0.2.0-draft-2024-09-27"]
    assert store.get("colour") == "blue"
    assert store.get("none") is None
    assert store.get_all() == [("colour", "blue"), ("token", "geheim")]


def test_a_variable_that_is_not_there(interfaces, caplog):
    with caplog.at_level(logging.WARNING), pytest.raises(Err) as caught:
        interfaces["fermyon:spin/variables@2.0.0"].get("color")
    assert case(caught) == ("Undefined", 'no variable for "guest"."color"')
    assert "Add `color` under [component.guest.variables]" in caplog.text
    assert "geheim" not in caplog.text
    with pytest.raises(Err) as caught:
        interfaces["fermyon:spin/config"].get_config("color")
    assert case(caught)[0] == "Provider"


@pytest.mark.parametrize("name", ["", "Colour", "a-b", "a__b", "_a", "a_", "1a", "ä", "a b"])
def test_what_is_no_name(interfaces, name):
    with pytest.raises(Err) as caught:
        interfaces["fermyon:spin/variables@2.0.0"].get(name)
    assert case(caught)[0] == "InvalidName"
    with pytest.raises(Err):
        interfaces["wasi:config/store@0.2.0-draft-2024-09-27"].get(name)


def test_mysql_and_mqtt_are_refused_with_the_way_out(make_context, caplog):
    context = make_context(allowed=("mysql://x", "mqtt://x"))
    mysql_v2 = mysql.implement(context)["fermyon:spin/mysql@2.0.0"].Connection
    mqtt_v2 = mqtt.implement(context)["fermyon:spin/mqtt@2.0.0"].Connection
    for call in (lambda: mysql_v2.open("mysql://x"), lambda: mqtt_v2.open("mqtt://x", "", "", 1)):
        with pytest.raises(Err) as caught:
            call()
        kind, text = case(caught)
        assert kind == "ConnectionFailed"
        assert "--engine spin" in text
    assert "The embedded host has no MySQL" in caplog.text
    with pytest.raises(Err):
        mysql.implement(context)["fermyon:spin/mysql"].query("mysql://x", "SELECT 1", [])
    for call, address in (
        (lambda: mysql_v2.open("mysql://u:geheim@other"), "mysql://u:geheim@other"),
        (lambda: mqtt_v2.open("mqtt://other?client_id=me", "", "", 1), "mqtt://other?client_id=me"),
    ):
        with pytest.raises(Err) as caught:
            call()
        assert case(caught) == ("ConnectionFailed", f"address {address} is not permitted")
    assert 'Add "mqtt://other"' in caplog.text
    assert "geheim" not in caplog.text
