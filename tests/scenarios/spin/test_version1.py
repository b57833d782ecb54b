"""Version 1 manifests are explained, and written as version 2."""

from __future__ import annotations

from pathlib import Path

import pytest

from wasm_lab.errors import ManifestError
from wasm_lab.scenarios.spin.manifest import HttpTrigger, RedisTrigger, load_manifest
from wasm_lab.scenarios.spin.outbound import RuleError
from wasm_lab.scenarios.spin.reading import parse_manifest
from wasm_lab.scenarios.spin.version1 import outbound_for_http_hosts

VERSION1 = Path(__file__).parent / "manifests" / "version1"


def refused(path: Path) -> ManifestError:
    with pytest.raises(ManifestError) as caught:
        load_manifest(path)
    return caught.value


def test_each_place_that_differs_is_named() -> None:
    error = refused(VERSION1 / "http.toml")
    assert [problem.line for problem in error.problems] == [1, 4, 5, 12, 21]
    assert "version 1" in error.problems[0].message
    assert "spin_manifest_version = 2" in error.problems[0].hint
    assert "[component.old-pages]" in error.problems[3].hint


def test_the_version_2_text_is_the_same_application() -> None:
    app = parse_manifest(refused(VERSION1 / "http.toml").version2, Path("/nowhere/spin.toml"))
    assert (app.name, app.version, app.description) == ("old-shop", "1.0.0", "Pages and an API")
    assert app.variables["token"].required
    pages, api = app.triggers
    assert isinstance(pages, HttpTrigger)
    assert isinstance(api, HttpTrigger)
    assert (pages.route, pages.component) == ("/shop/...", "old-pages")
    assert (api.route, api.component) == ("/shop/api", "API")
    component = app.components["API"]
    assert component.variables == {"colour": "{{ colour }}", "token": "{{token}}"}
    assert component.allowed_outbound_hosts == (
        "http://api.example.com:8443",
        "https://api.example.com:8443",
        "http://self",
    )
    assert component.build is not None
    assert component.build.watch == ("src/*",)


def test_redis_settings_move() -> None:
    app = parse_manifest(refused(VERSION1 / "redis.toml").version2, Path("/nowhere/spin.toml"))
    (trigger,) = app.triggers
    assert isinstance(trigger, RedisTrigger)
    assert (trigger.channel, trigger.address) == ("messages", "redis://localhost:6379")
    assert app.components["listener"].allowed_outbound_hosts == (
        "redis://localhost:6379",
        "http://*:*",
        "https://*:*",
        "http://self",
    )


def test_what_is_wrong_as_version_1_too_gets_no_text() -> None:
    error = refused(VERSION1 / "unfinished.toml")
    assert not error.version2
    assert any("no `source`" in problem.message for problem in error.problems if problem.level == "note")


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("http://example.com", ["http://example.com", "https://example.com"]),
        ("https://example.com/", ["http://example.com", "https://example.com"]),
        ("example.com:7777", ["http://example.com:7777", "https://example.com:7777"]),
        ("localhost", ["http://localhost", "https://localhost"]),
        ("192.168.1.1:3002", ["http://192.168.1.1:3002", "https://192.168.1.1:3002"]),
        ("http://[::1]:8001", ["http://[::1]:8001", "https://[::1]:8001"]),
        ("self", ["http://self"]),
        ("insecure:allow-all", ["http://*:*", "https://*:*", "http://self"]),
    ],
)
def test_http_hosts(entry: str, expected: list[str]) -> None:
    assert outbound_for_http_hosts([entry]) == expected


@pytest.mark.parametrize(
    "entry", ["http://example.com/a", "example.com:6666/a/b", "ftp://example.com", "a b", ""]
)
def test_http_hosts_that_are_refused(entry: str) -> None:
    with pytest.raises(RuleError):
        outbound_for_http_hosts([entry])
