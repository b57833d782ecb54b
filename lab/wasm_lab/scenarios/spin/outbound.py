"""``allowed_outbound_hosts``: which addresses a component may reach.

The grammar and its meaning are Spin's (crate ``outbound-networking-config``): a rule is
``scheme://host[:port]``, each part may be ``*``, a host may be ``*.domain`` or a network such as
``10.0.0.0/8``, a port may be a range whose end is not part of it. Without a port the scheme's own port is meant.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote

from wasm_lab.errors import UsageError
from wasm_lab.scenarios.spin.templates import TemplateError, fill

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

#: Schemes whose port need not be written.
PORTS = {"http": 80, "https": 443, "redis": 6379, "postgres": 5432, "mysql": 3306, "mqtt": 1883}

#: Names under which a component reaches its own application through the front door.
SELF_HOSTS = ("self", "self.alt")

#: ``http://<component>.spin.internal`` reaches a component of the same application directly.
INTERNAL_DOMAIN = ".spin.internal"

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class RuleError(ValueError):
    """An entry of ``allowed_outbound_hosts`` is wrong; ``hint`` is what to write instead."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a URL leads. What connects must use these values, not parse the URL once more."""

    scheme: str
    host: str  #: an IPv6 address has its brackets
    port: int | None  #: None where neither the URL nor its scheme says one

    @property
    def component(self) -> str | None:
        """The component that ``http://<component>.spin.internal`` means; else None."""
        name, dot, rest = self.host.partition(".")
        return name if dot and "." + rest == INTERNAL_DOMAIN else None


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry, parsed. ``None`` stands for ``*``."""

    scheme: str | None
    host: str | Network | None  #: ``self`` for the application itself; ``.domain`` for ``*.domain``
    ports: range | None

    def allows(self, to: Destination) -> bool:
        """Say whether the rule lets ``to`` through."""
        if self.scheme not in (None, to.scheme) or self.host == "self":
            return False
        if self.ports is not None and to.port not in self.ports:
            return False
        if isinstance(self.host, str):
            return to.host.endswith(self.host) if self.host.startswith(".") else to.host == self.host
        if self.host is None:
            return True
        try:
            return ipaddress.ip_address(to.host.strip("[]")) in self.host
        except ValueError:
            return False


def parse_rule(text: str) -> Rule:
    """Read one entry without templates.

    Raises:
        RuleError: it is wrong; the message says why.

    Example:
        >>> parse_rule("redis://cache.example.com").ports
        range(6379, 6380)
    """
    text = text.strip()
    if text == "insecure:allow-all":
        raise RuleError(
            "`insecure:allow-all` is version 1's and is refused in version 2",
            'To allow everything, write "*://*:*"; better, name the hosts: "https://api.example.com".',
        )
    scheme, separator, rest = text.partition("://")
    if not separator:
        if text in ("*", ":", "", "?"):
            hint = 'To allow everything, write "*://*:*"; better, name the hosts: "https://api.example.com".'
        elif text.startswith("self"):
            hint = 'Write "http://self".'
        else:
            known = _scheme_of(text)
            hint = (
                f'Write "{known}://{text.rstrip("/")}" (or another scheme; "*://" is any, and needs a port).'
            )
        raise RuleError(f"`{text}` has no scheme", hint)
    host, colon, port = rest.rpartition(":")
    if not colon:
        host, port = rest, ""
    port, _, path = port.partition("/")
    if path:
        raise RuleError(_has_path(text), f'Write "{scheme}://{host}:{port}".')
    return Rule(_scheme(scheme), _host(host, text), _ports(port, scheme, text))


def _scheme_of(text: str) -> str:
    port = text.rpartition(":")[2]
    return next((name for name, known in PORTS.items() if port == str(known)), "https")


def _has_path(text: str) -> str:
    return f"`{text}` has a path: a rule allows a host, and cannot allow only a part of it"


def _scheme(text: str) -> str | None:
    if text == "*":
        return None
    if text.startswith("{"):
        raise RuleError(f"`{text}://`: Spin has no lists of schemes", "Write one entry for each scheme.")
    if not text.isalpha():
        raise RuleError(
            f"`{text}` is no scheme: it is letters only", 'Such as "https://", "redis://" or "*://".'
        )
    return text


def _host(text: str, rule: str) -> str | Network | None:
    text = text.strip()
    if text == "*":
        return None
    if text.rstrip("/") in SELF_HOSTS:
        return "self"
    if text.startswith("{"):
        raise RuleError(f"`{rule}`: Spin has no lists of hosts", "Write one entry for each host.")
    if "/" in text:
        try:
            return ipaddress.ip_network(text, strict=False)
        except ValueError:
            pass
        name, _, path = text.partition("/")
        if path.strip("/"):
            raise RuleError(_has_path(rule), f'Write "{rule[: rule.index("://") + 3]}{name}".')
        text = name
    if not text:
        raise RuleError(f"`{rule}` has no host", 'Write the host, or * for any: "https://*".')
    if text.startswith("*.") and "*" not in text[2:]:
        return text[1:]
    if "*" in text:
        raise RuleError(
            f"`{rule}`: * may stand for the whole host or for its first part only",
            'Such as "https://*" or "https://*.example.com".',
        )
    return text


def _ports(text: str, scheme: str, rule: str) -> range | None:
    if not text:
        if scheme in PORTS:
            return range(PORTS[scheme], PORTS[scheme] + 1)
        known = ", ".join(PORTS)
        raise RuleError(
            f"`{rule}` has no port, and `{scheme}` has none of its own (only {known} have)",
            f'Write the port, or * for any: "{rule.rstrip("/")}:*".',
        )
    if text == "*":
        return None
    if text.startswith("{"):
        raise RuleError(
            f"`{rule}`: Spin has no lists of ports", "Write one entry for each port, or a range: 8000..9000."
        )
    first, dots, end = text.partition("..")
    try:
        numbers = [_port(first), _port(end)] if dots else [_port(first), _port(first) + 1]
    except ValueError:
        hint = "Square brackets need a port behind them." if "]" in text else "Such as 8080, 8000..9000 or *."
        raise RuleError(f"`{rule}`: `{text}` is no port", hint) from None
    if numbers[0] >= numbers[1]:
        raise RuleError(
            f"`{rule}`: the range {text} is empty: its end is not part of it", "Such as 8000..9000."
        )
    return range(*numbers)


def _port(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > 65535:
        raise ValueError(text)
    return int(text)


@dataclass(frozen=True, slots=True)
class OutboundRules:
    """The rules of one component.

    Args:
        allowed: the entries, with their templates filled in.

    Raises:
        RuleError: an entry is wrong.

    Example:
        >>> rules = OutboundRules(("https://*.example.com", "redis://localhost"))
        >>> rules.allows("https://api.example.com/v1"), rules.allows("https://example.com")
        (True, False)
    """

    allowed: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rules", tuple(parse_rule(text) for text in self.allowed))

    @classmethod
    def resolve(cls, texts: Iterable[str], value_of: Callable[[str], str]) -> OutboundRules:
        """Fill the templates in ``texts`` and parse them.

        Raises:
            UsageError: an entry is wrong once its variables have values.
        """
        filled = []
        for text in texts:
            try:
                entry = fill(text, value_of)
                parse_rule(entry)
            except (TemplateError, RuleError) as error:
                shown = (
                    f"The entry `{text}` of allowed_outbound_hosts is wrong once its variables are filled in"
                )
                secret = "{{" in text  # a value may be secret: it is not shown
                raise UsageError(
                    shown + ("." if secret else f": {error}."),
                    hint="A filled entry reads scheme://host:port, such as https://api.example.com.",
                ) from None
            filled.append(entry)
        return cls(tuple(filled))

    def allows(self, url: str, scheme: str = "https") -> bool:
        """Say whether ``url`` may be reached; its path does not matter.

        A URL without host (``/path``), or of the host ``self.alt``, is the application itself.

        Args:
            url: a URL, or ``host:port``.
            scheme: what is assumed where ``url`` has none.
        """
        if url.startswith("/") and not url.startswith("//"):
            return self.allows_self()
        to = destination(url, scheme)
        if to is None:
            return False
        return self.allows_self() if to.host == "self.alt" else self.reaches(to)

    def reaches(self, to: Destination) -> bool:
        """Say whether a destination may be reached."""
        return any(rule.allows(to) for rule in self.rules)

    def allows_self(self, schemes: tuple[str, ...] = ("http", "https")) -> bool:
        """Say whether the component may send requests to its own application."""
        return any(
            rule.host in (None, "self") and (rule.scheme is None or rule.scheme in schemes)
            for rule in self.rules
        )

    def refusal(self, url: str, component: str, scheme: str = "https") -> str:
        """Say why ``url`` is refused and which entry would allow it."""
        to = destination(url, scheme)
        if url.startswith("/") or (to is not None and to.host == "self.alt"):
            entry = "http://self"
        elif to is None:
            return f"{url!r} is no address."
        else:
            port = "" if PORTS.get(to.scheme) == to.port or to.port is None else f":{to.port}"
            entry = f"{to.scheme}://{to.host}{port}"
        has = ", ".join(f'"{text}"' for text in self.allowed) or "nothing"
        return (
            f"Component `{component}` may not reach {entry}: allowed_outbound_hosts holds {has}. "
            f'Add "{entry}" to allowed_outbound_hosts under [component.{component}].'
        )


#: Schemes that the URL standard treats in a way of their own.
SPECIAL = ("http", "https", "ws", "wss", "ftp")


def destination(url: str, scheme: str = "https") -> Destination | None:
    """Read where ``url`` leads, as browsers and Spin read it; None when it leads nowhere.

    Source: the URL standard (url.spec.whatwg.org), as far as scheme, host and port go.

    Example:
        >>> destination("http://user:pa#ss@EXAMPLE.com:8080/x")
        Destination(scheme='http', host='example.com', port=8080)
        >>> destination("cache:6379", "redis")
        Destination(scheme='redis', host='cache', port=6379)
    """
    url = re.sub(r"[\t\r\n]", "", url.strip("".join(map(chr, range(33)))))
    return _with_scheme(url) if "://" in url else _with_scheme(url) or _with_scheme(f"{scheme}://{url}")


def _with_scheme(url: str) -> Destination | None:
    match = re.match(r"([A-Za-z][A-Za-z0-9+.-]*):", url)
    if match is None:
        return None
    scheme, rest = match[1].lower(), url[match.end() :]
    if scheme in SPECIAL:
        rest = rest.lstrip("/\\")
        ends = r"[/\\?#]"
    elif rest.startswith("//"):
        rest, ends = rest[2:], r"[/?#]"
    else:
        return None
    # A password may hold ? or #, as Spin allows, so what stands before an @ is cut off first.
    before_path = re.split(r"[/\\]" if scheme in SPECIAL else "/", rest, maxsplit=1)[0]
    rest = before_path.rpartition("@")[2] if "@" in before_path else rest
    authority = re.split(ends, rest, maxsplit=1)[0].rpartition("@")[2]
    found = re.fullmatch(r"(\[[^\]]*\]|[^:]*)(?::([0-9]*))?", authority)
    if found is None or (found[2] and int(found[2]) > 65535):
        return None
    host = _url_host(found[1], special=scheme in SPECIAL)
    return Destination(scheme, host, int(found[2]) if found[2] else PORTS.get(scheme)) if host else None


def _url_host(host: str, *, special: bool) -> str:
    """Spell a host as the URL standard does; empty when it is none."""
    if host.startswith("["):
        try:
            return f"[{ipaddress.IPv6Address(host[1:-1]).compressed}]"
        except ValueError:
            return ""
    if not special:
        return "" if re.search(r"[\s<>^|\\]", host) else host
    try:
        host = unquote(host, errors="strict")
        host = host.lower() if host.isascii() else host.encode("idna").decode("ascii").lower()
    except (UnicodeError, ValueError):
        return ""
    if not host or re.search(r"[\x00-\x20#%/:<>?@\[\\\]^|\x7f]", host):
        return ""
    if re.fullmatch(r"[0-9]+|0x[0-9a-f]*", host.rstrip(".").rpartition(".")[2]):
        return _ipv4(host)
    return host


def _ipv4(host: str) -> str:
    """Spell an address of 1 to 4 decimal, octal or hexadecimal numbers as four decimal ones."""
    parts = host.removesuffix(".").split(".")
    try:
        numbers = [
            int(part[2:] or "0", 16)
            if part.startswith("0x")
            else int(part, 8 if len(part) > 1 and part[0] == "0" else 10)
            for part in parts
        ]
    except ValueError:
        return ""
    *front, last = numbers
    if len(numbers) > 4 or any(number > 255 for number in front) or last >= 256 ** (5 - len(numbers)):
        return ""
    value = last + sum(number << (8 * (3 - place)) for place, number in enumerate(front))
    return str(ipaddress.IPv4Address(value))
