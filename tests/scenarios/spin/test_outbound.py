"""``allowed_outbound_hosts``: the cases are those of Spin's own tests, and more."""

from __future__ import annotations

import pytest

from wasm_lab.errors import UsageError
from wasm_lab.scenarios.spin.outbound import Destination, OutboundRules, RuleError, destination, parse_rule


@pytest.mark.parametrize(
    ("rule", "scheme", "host", "first", "last"),
    [
        ("http://example.com", "http", "example.com", 80, 80),
        ("http://example.com/", "http", "example.com", 80, 80),
        (" https://example.com ", "https", "example.com", 443, 443),
        ("https://example.com:5555", "https", "example.com", 5555, 5555),
        ("http://example.com:4444/", "http", "example.com", 4444, 4444),
        ("http://example.com:4444..5555", "http", "example.com", 4444, 5554),
        ("*://example.com:7777", None, "example.com", 7777, 7777),
        ("http://*.example.com", "http", ".example.com", 80, 80),
        ("http://localhost:3001", "http", "localhost", 3001, 3001),
        ("http://192.168.1.1", "http", "192.168.1.1", 80, 80),
        ("http://[::1]:8001", "http", "[::1]", 8001, 8001),
        ("http://self", "http", "self", 80, 80),
        ("http://self.alt", "http", "self", 80, 80),
        ("redis://a", "redis", "a", 6379, 6379),
        ("postgres://a", "postgres", "a", 5432, 5432),
        ("mysql://a", "mysql", "a", 3306, 3306),
        ("mqtt://a", "mqtt", "a", 1883, 1883),
        ("no://no:0000", "no", "no", 0, 0),
        ("https://*", "https", None, 443, 443),
    ],
)
def test_rules(rule: str, scheme: str | None, host: str | None, first: int, last: int) -> None:
    parsed = parse_rule(rule)
    assert (parsed.scheme, parsed.host) == (scheme, host)
    assert parsed.ports is not None
    assert (parsed.ports[0], parsed.ports[-1]) == (first, last)


def test_a_rule_may_be_a_network_and_everything() -> None:
    assert str(parse_rule("*://127.0.0.1/24:80").host) == "127.0.0.0/24"
    assert str(parse_rule("*://ff00::/8:80").host) == "ff00::/8"
    everything = parse_rule("*://*:*")
    assert (everything.scheme, everything.host, everything.ports) == (None, None, None)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("example.com", "no scheme"),
        ("example.com:80", "no scheme"),
        ("localhost:3001", "no scheme"),
        ("self", "no scheme"),
        ("*", "no scheme"),
        ("", "no scheme"),
        ("http://example.com/a", "has a path"),
        ("http://example.com:6666/a/b", "has a path"),
        ("http://*.example.com/a", "has a path"),
        ("redis://localhost:6379/0", "has a path"),
        ("http://[::1]", "no port"),
        ("*://127.0.0.0/24", "no port"),
        ("tcp://example.com", "no port"),
        ("http://example.com:http", "is no port"),
        ("http://example.com:70000", "is no port"),
        ("http://example.com:80..x", "is no port"),
        ("http://example.com:90..80", "is empty"),
        ("http://a.*.com", "first part only"),
        ("http://*.*.com", "first part only"),
        ("http://ex*mple.com", "first part only"),
        ("{http,https}://example.com", "no lists of schemes"),
        ("http://{a,b}", "no lists of hosts"),
        ("http://a:{80,81}", "no lists of ports"),
        ("ht-tp://example.com", "letters only"),
        ("https://:80", "has no host"),
        ("insecure:allow-all", "version 1's"),
    ],
)
def test_rules_that_are_refused(rule: str, message: str) -> None:
    with pytest.raises(RuleError, match=message) as caught:
        parse_rule(rule)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("rules", "url", "allowed"),
    [
        (["*://a.dev:443", "http://example.com:8383"], "http://example.com:8383/foo/bar", True),
        (["*://a.dev:443", "http://example.com:8383"], "https://a.dev", True),
        (["*://a.dev:443", "http://example.com:8383"], "https://a.dev/", True),
        (["*://a.dev:443", "http://example.com:8383"], "http://example.com/", False),
        (["*://a.dev:443", "http://example.com:8383"], "http://other.com/", False),
        (["*://a.dev:443"], "a.dev:443", True),
        (["https://my.api.com/"], "https://my.api.com", True),
        (["http://*.example.com", "http://*.example2.com:8383"], "http://a.example.com/foo", True),
        (["http://*.example.com"], "http://a.b.example.com/foo", True),
        (["http://*.example2.com:8383"], "http://a.b.example2.com:8383/foo", True),
        (["http://*.example2.com:8383"], "http://a.b.example2.com/foo", False),
        (["http://*.example.com"], "http://example.com/foo", False),
        (["http://*.example.com"], "http://myexample.com/foo", False),
        (["http://*.example.com"], "http://a.example.com:8080/", False),
        (["http://*.example.com"], "https://a.example.com/", False),
        (["*://127.0.0.1/24:63551"], "tcp://127.0.0.1:63551", True),
        (["*://127.0.0.1/24:63551"], "tcp://127.0.1.1:63551", False),
        (["*://ff00::/8:80"], "http://[ff00::1]/", True),
        (["http://localhost:8000..9000"], "http://localhost:8000", True),
        (["http://localhost:8000..9000"], "http://localhost:8999", True),
        (["http://localhost:8000..9000"], "http://localhost:9000", False),
        (["*://*:*"], "anything://anywhere:1", True),
        (["https://*"], "https://anywhere", True),
        (["https://*"], "https://anywhere:8443", False),
        (["http://middle.spin.internal"], "http://middle.spin.internal/x", True),
        (["http://*.spin.internal"], "http://back.spin.internal", True),
        ([], "http://example.com", False),
        # How a URL is read: as Spin reads it, so that no spelling leads elsewhere than was checked.
        (["https://example.com"], "HTTPS://EXAMPLE.com", True),
        (["https://example.com"], "https://user:pass#word@example.com/file@0.1.0.json", True),
        (["https://example.com"], "https://example.com@evil.com/", False),
        (["https://example.com"], "https://evil.com\\@example.com", False),
        (["https://example.com"], "https://evil.com#@example.com", True),
        (["https://*.example.com"], "https://evil.com/.example.com", False),
        (["https://*.example.com"], "https://evil.com?.example.com", False),
        (["https://*.example.com"], "https://evil.com#.example.com", False),
        (["http://127.0.0.1"], "http://2130706433/", True),
        (["http://127.0.0.1"], "http://0x7f.1/", True),
        (["http://127.0.0.1"], "http://127.0.0.1.evil.com/", False),
        (["http://10.0.0.0/8:80"], "http://10.1.2.3.evil.com", False),
        (["https://xn--mnchen-3ya.example"], "https://münchen.example/", True),
        (["http://a"], "http://a:80", True),
        (["http://a"], "http://a:99999", False),
        (["http://a"], "http://", False),
        (["http://a"], "", False),
    ],
)
def test_what_is_allowed(rules: list[str], url: str, allowed: bool) -> None:
    assert OutboundRules(tuple(rules)).allows(url) is allowed


def test_a_url_without_scheme_is_of_the_service_that_asks() -> None:
    rules = OutboundRules(("redis://cache:6379", "mysql://db"))
    assert rules.allows("cache:6379", "redis")
    assert not rules.allows("cache:6379", "postgres")
    assert rules.allows("user%3Apass%23word@db", "mysql")
    assert rules.allows("mysql://user:pass#word@db", "mysql")
    assert not rules.allows("redis://cache:6380")


@pytest.mark.parametrize(
    ("rules", "allowed"),
    [
        (["http://self"], True),
        (["https://self.alt"], True),
        (["*://self:*"], True),
        (["http://*:*"], True),
        (["redis://*:*"], False),
        (["http://example.com"], False),
        ([], False),
    ],
)
def test_the_application_itself(rules: list[str], allowed: bool) -> None:
    own = OutboundRules(tuple(rules))
    assert own.allows_self() is allowed
    assert own.allows("/path") is allowed
    assert own.allows("http://self.alt/path") is allowed
    assert not OutboundRules(("http://self",)).allows("http://self/path")  # a host of that name
    assert not OutboundRules(("http://self",)).allows("//example.com/")


def test_destinations() -> None:
    assert destination("http://api.spin.internal/x") == Destination("http", "api.spin.internal", 80)
    there = destination("http://api.spin.internal:99")
    assert there is not None
    assert there.component == "api"
    outside = destination("http://spin.internal")
    assert outside is not None
    assert outside.component is None
    assert destination("https://[::FFFF:1]:1") == Destination("https", "[::ffff:1]", 1)
    assert destination("http://exa mple.com") is None
    assert destination("unix:///tmp/x", "redis") is None


def test_templates_are_filled_and_no_value_is_shown() -> None:
    values = {"host": "db.example.com", "odd": "https://a/s3cr3t"}
    rules = OutboundRules.resolve(["postgres://{{ host }}:5432"], values.__getitem__)
    assert rules.allowed == ("postgres://db.example.com:5432",)
    with pytest.raises(UsageError) as caught:
        OutboundRules.resolve(["{{ odd }}"], values.__getitem__)
    assert "s3cr3t" not in str(caught.value)


def test_a_refusal_names_the_entry_that_is_missing() -> None:
    rules = OutboundRules(("https://example.com",))
    assert 'Add "redis://localhost:6380"' in rules.refusal("localhost:6380", "api", "redis")
    assert 'Add "redis://localhost"' in rules.refusal("redis://localhost:6379", "api")
    assert 'Add "http://self"' in rules.refusal("/api", "api")
    assert "[component.api]" in rules.refusal("/api", "api")
