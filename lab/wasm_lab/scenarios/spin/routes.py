"""Which component answers a path, and what it is told of the route.

The precedence is that of Spin, which sorts routes with the crate routefinder: segment by segment a
literal comes before ``:name``, and ``:name`` before the trailing ``/...``; the rest keep their order.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wasm_lab.scenarios.spin.manifest import HttpTrigger

#: Paths that Spin answers itself.
WELL_KNOWN = "/.well-known/spin/"

EXACT, PARAM, WILDCARD, SLASH, DOT = "exact", "param", "wildcard", "slash", "dot"
RANK = {EXACT: 3, PARAM: 2, WILDCARD: 1, SLASH: 0, DOT: 0}


class RouteError(ValueError):
    """A route cannot be read; ``hint`` is what to write instead."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class Segment(NamedTuple):
    """One piece of a route."""

    kind: str
    text: str = ""


def parse_route(route: str) -> list[Segment]:
    """Split a route into segments, as routefinder does: at each slash, and at each dot.

    Raises:
        RouteError: a wildcard stands before the end, or a ``:`` has no name.

    Example:
        >>> [segment.kind for segment in parse_route("/user/:id/...")]
        ['exact', 'slash', 'param', 'slash', 'wildcard']
    """
    if route.endswith("/..."):
        route = route[:-3] + "*"
    segments: list[Segment] = []
    before = ""
    for section, delimiter in re.findall(r"([^./]*)([./]|$)", route.strip("/")):
        segment = _segment(section)
        if before == ".":
            if segments and segments[-1].kind == EXACT:
                segments[-1] = Segment(EXACT, segments[-1].text + ".")
            else:
                segments.append(Segment(DOT))
        if segment:
            if before == "/":
                segments.append(Segment(SLASH))
            segments.append(segment)
        before = delimiter
        if not delimiter:
            break
    if any(segment.kind == WILDCARD for segment in segments[:-1]):
        raise RouteError(
            "* may stand only at the end", "For one part of a path write :name, as in /user/:id/posts."
        )
    return segments


def _segment(section: str) -> Segment | None:
    if section == "*":
        return Segment(WILDCARD)
    if section.startswith("*"):
        raise RouteError(f"`{section}`: the wildcard has no name", "Write /... at the end.")
    if section == ":":
        raise RouteError("a `:` needs a name", "Such as /user/:id.")
    if section.startswith(":"):
        return Segment(PARAM, section[1:])
    return Segment(EXACT, section) if section else None


def _pattern(segments: Sequence[Segment]) -> re.Pattern[str]:
    parts = []
    for number, segment in enumerate(segments):
        following = segments[number + 1].kind if number + 1 < len(segments) else ""
        if segment.kind == EXACT:
            parts.append(re.escape(segment.text))
        elif segment.kind == PARAM:
            parts.append(r"(?=.)([^./]*)(?=\.)" if following == DOT else "(?=.)([^/]*)")
        elif segment.kind == WILDCARD:
            parts.append("(.*)")
        elif segment.kind == SLASH:
            parts.append(r"(?:/|\Z)" if following == WILDCARD else "/")
        else:
            parts.append(r"\.")
    return re.compile("".join(parts), re.DOTALL)


def _goes_before(one: Sequence[Segment], other: Sequence[Segment]) -> bool:
    for mine, theirs in zip(one, other, strict=False):
        if (
            DOT in (mine.kind, theirs.kind)
            and mine.kind != theirs.kind
            and SLASH not in (mine.kind, theirs.kind)
        ):
            return mine.kind == DOT
        if RANK[mine.kind] != RANK[theirs.kind]:
            return RANK[mine.kind] > RANK[theirs.kind]
    dots = [sum(segment.kind == DOT for segment in segments) for segments in (one, other)]
    return dots[0] > dots[1] if dots[0] != dots[1] else len(one) < len(other)


@dataclass(frozen=True, slots=True)
class Match:
    """A path and the trigger that answers it."""

    trigger: HttpTrigger
    based_route: str  #: the route as written, behind the application's base
    path_info: str  #: what the trailing ``/...`` took, with its leading slash
    captures: Mapping[str, str]  #: what each ``:name`` took
    raw_route: str = "/..."  #: the route as written
    base: str = "/"

    @classmethod
    def chained(cls, trigger: HttpTrigger, path: str) -> Match:
        """The match of a request that another component sent to this one, without any route."""
        return cls(trigger, "/...", path, {})

    def headers(self, *, full_url: str, client_address: str) -> list[tuple[str, str]]:
        """Give the ``spin-*`` headers that a component sees.

        Args:
            full_url: the whole URL of the request, with its query.
            client_address: ``ip:port``.
        """
        fixed = [
            ("spin-path-info", self.path_info),
            ("spin-full-url", full_url),
            ("spin-matched-route", self.based_route),
            ("spin-base-path", self.base),
            ("spin-raw-component-route", self.raw_route),
            ("spin-component-route", self.raw_route.removesuffix("/...")),
            ("spin-client-addr", client_address),
        ]
        named = [
            (f"spin-path-match-{name.lower().replace('_', '-')}", value)
            for name, value in self.captures.items()
        ]
        return fixed + named


class _Route(NamedTuple):
    trigger: HttpTrigger
    based: str
    raw: str
    segments: list[Segment]
    pattern: re.Pattern[str]
    names: tuple[str, ...]
    wildcard: bool


class RouteTable:
    """The public routes of an application.

    Args:
        triggers: in the file's order; private ones are left out.
        base: stands before every route.

    Raises:
        RouteError: a route cannot be read.

    Example:
        >>> from wasm_lab.scenarios.spin.manifest import HttpTrigger
        >>> table = RouteTable([HttpTrigger(id="a", component="a", route="/user/:id/...")])
        >>> match = table.match("/user/7/posts")
        >>> match.captures["id"], match.path_info
        ('7', '/posts')
    """

    def __init__(self, triggers: Sequence[HttpTrigger], base: str = "/") -> None:
        self._base = base
        #: Triggers whose route never answers, each with the trigger that answers instead.
        self.shadowed: list[tuple[HttpTrigger, HttpTrigger]] = []
        by_route: dict[str, HttpTrigger] = {}
        for trigger in triggers:
            if trigger.route is None:
                continue
            if trigger.route in by_route:  # the same text: the last one counts
                self.shadowed.append((by_route[trigger.route], trigger))
            by_route[trigger.route] = trigger
        self._routes: list[_Route] = []
        seen: dict[tuple[Segment, ...], HttpTrigger] = {}
        for raw, trigger in by_route.items():
            route = self._route(raw, trigger)
            shape = tuple(
                Segment(segment.kind, "" if segment.kind == PARAM else segment.text)
                for segment in route.segments
            )
            if shape in seen:  # the same paths by another text: the first one counts
                self.shadowed.append((trigger, seen[shape]))
            seen.setdefault(shape, trigger)
            place = next(
                (
                    number
                    for number, other in enumerate(self._routes)
                    if _goes_before(route.segments, other.segments)
                ),
                len(self._routes),
            )
            self._routes.insert(place, route)

    def _route(self, raw: str, trigger: HttpTrigger) -> _Route:
        based = self._base.removesuffix("/") + ("/" + raw.removeprefix("/")).removesuffix("/")
        segments = parse_route(based)
        names = tuple(segment.text for segment in segments if segment.kind == PARAM)
        wildcard = bool(segments) and segments[-1].kind == WILDCARD
        return _Route(trigger, based, raw, segments, _pattern(segments), names, wildcard)

    @property
    def routes(self) -> list[tuple[str, HttpTrigger]]:
        """Each route behind its base, and its trigger, in the order in which they are tried."""
        return [(route.based or "/", route.trigger) for route in self._routes]

    def match(self, path: str) -> Match | None:
        """Find the trigger for the path of a URL (without query); None when there is none."""
        trimmed = path.strip("/")
        for route in self._routes:
            found = route.pattern.fullmatch(trimmed)
            if found is None:
                continue
            taken = found.groups()
            info = ""
            if route.wildcard:
                rest, taken = taken[-1], taken[:-1]
                slash = "/" if path.endswith("/") else ""
                info = f"/{rest}{slash}" if rest else slash
            captures = dict(zip(route.names, taken, strict=True))
            return Match(route.trigger, route.based, info, captures, route.raw, self._base)
        return None
