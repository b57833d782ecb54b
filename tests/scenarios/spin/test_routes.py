"""Routes: precedence and captures as in Spin; the cases are those of Spin's own tests, and more."""

from __future__ import annotations

from itertools import permutations

import pytest

from wasm_lab.scenarios.spin.manifest import HttpTrigger
from wasm_lab.scenarios.spin.routes import Match, RouteError, RouteTable, parse_route


def table(*routes: str | None, base: str = "/") -> RouteTable:
    return RouteTable(
        [
            HttpTrigger(id=f"t{number}", component=route or "private", route=route)
            for number, route in enumerate(routes)
        ],
        base,
    )


def reached(routes: RouteTable, path: str) -> str | None:
    match = routes.match(path)
    return None if match is None else match.trigger.route


@pytest.mark.parametrize(
    ("routes", "path", "expected"),
    [
        (("/foo", "/foo/bar"), "/foo", "/foo"),
        (("/foo", "/foo/bar"), "/foo/bar", "/foo/bar"),
        (("/foo", "/foo/bar"), "/foo/bar/", "/foo/bar"),
        (("/foo",), "/foo/bar", None),
        (("/foo",), "/foobar", None),
        (("/foo",), "/", None),
        (("/",), "/", "/"),
        (("/",), "/x", None),
        (("/...",), "/foo/bar", "/..."),
        (("/...",), "/", "/..."),
        (("/foo/...",), "/foo", "/foo/..."),
        (("/foo/...",), "/foobar", None),
        (("/one", "/..."), "/one", "/one"),
        (("/one/...", "/one/two/...", "/one/two/three/..."), "/one/two/three/four", "/one/two/three/..."),
        (("/one/...", "/one/two/..."), "/one/twofold", "/one/..."),
        (("/users/:id", "/users/me"), "/users/me", "/users/me"),
        (("/users/:id", "/users/me"), "/users/7", "/users/:id"),
        (("/users/:id", "/users/..."), "/users/7", "/users/:id"),
        (("/users/:id", "/users/..."), "/users/7/posts", "/users/..."),
        (("/users/:id/posts", "/users/..."), "/users/7/posts", "/users/:id/posts"),
        (("/a/:x/c", "/a/b/..."), "/a/b/c", "/a/b/..."),
        (("/:name.json", "/:name"), "/data.json", "/:name.json"),
        (("/:name.json", "/:name"), "/data.xml", "/:name"),
        (("/v1.2/x", "/:v/x"), "/v1.2/x", "/v1.2/x"),
        (("/a*",), "/a*", "/a*"),
        (("/old/*",), "/old/x/y", "/old/*"),
    ],
)
def test_precedence_whatever_the_order(routes: tuple[str, ...], path: str, expected: str | None) -> None:
    for order in permutations(routes):
        assert reached(table(*order), path) == expected


def test_a_base_stands_before_every_route() -> None:
    for base in ("/base", "/base/"):
        routes = table("/foo", "bar/...", base=base)
        assert reached(routes, "/base/foo") == "/foo"
        assert reached(routes, "/base/bar/x") == "bar/..."
        assert reached(routes, "/foo") is None
        match = routes.match("/base/foo")
        assert match is not None
        assert match.based_route == "/base/foo"


@pytest.mark.parametrize(
    ("route", "path", "info"),
    [
        ("/...", "/1/2/3", "/1/2/3"),
        ("/1/...", "/1/2/3", "/2/3"),
        ("/test/...", "/test", ""),
        ("/test/...", "/test/", "/"),
        ("/test/...", "/test/hello", "/hello"),
        ("/test/...", "/test/hello/", "/hello/"),
        ("/...", "/", "/"),
        ("/test", "/test/", ""),
        ("/:a/...", "/x/y/z", "/y/z"),
    ],
)
def test_the_rest_of_the_path(route: str, path: str, info: str) -> None:
    match = table(route).match(path)
    assert match is not None
    assert match.path_info == info


def test_named_parts_are_captured() -> None:
    match = table("/1/:two/3").match("/1/2/3")
    assert match is not None
    assert match.captures == {"two": "2"}
    match = table("/:user/f/:file.:kind/...").match("/ada/f/a.txt/x/y")
    assert match is not None
    assert match.captures == {"user": "ada", "file": "a", "kind": "txt"}
    assert match.path_info == "/x/y"
    assert table("/users/:id").match("/users/") is None


def test_private_routes_have_no_path() -> None:
    routes = table("/", None)
    assert reached(routes, "/private") is None
    assert len(routes.routes) == 1


def test_the_last_of_two_equal_routes_answers_and_the_other_is_named() -> None:
    routes = table("/", "/foo", "/foo")
    match = routes.match("/foo")
    assert match is not None
    assert match.trigger.id == "t2"
    assert [(hidden.id, shown.id) for hidden, shown in routes.shadowed] == [("t1", "t2")]


def test_routes_of_another_spelling_hide_one_another() -> None:
    assert [(hidden.id, shown.id) for hidden, shown in table("/a/:x", "/a/:y").shadowed] == [("t1", "t0")]
    assert [(hidden.id, shown.id) for hidden, shown in table("/...", "/*").shadowed] == [("t1", "t0")]
    assert not table("/a", "/A", "/:a").shadowed


def test_headers() -> None:
    match = table("/foo/:userid/...").match("/foo/42/bar")
    assert match is not None
    headers = match.headers(full_url="https://a.dev/foo/42/bar?k=1", client_address="127.0.0.1:8777")
    assert dict(headers) == {
        "spin-path-info": "/bar",
        "spin-full-url": "https://a.dev/foo/42/bar?k=1",
        "spin-matched-route": "/foo/:userid/...",
        "spin-base-path": "/",
        "spin-raw-component-route": "/foo/:userid/...",
        "spin-component-route": "/foo/:userid",
        "spin-client-addr": "127.0.0.1:8777",
        "spin-path-match-userid": "42",
    }
    match = table("/shop/:Item_No", base="/v1").match("/v1/shop/7")
    assert match is not None
    headers = match.headers(full_url="", client_address="")
    assert dict(headers)["spin-matched-route"] == "/v1/shop/:Item_No"
    assert dict(headers)["spin-component-route"] == "/shop/:Item_No"
    assert dict(headers)["spin-path-match-item-no"] == "7"


def test_a_chained_request_has_the_whole_path() -> None:
    trigger = HttpTrigger(id="t", component="c", route=None)
    headers = dict(Match.chained(trigger, "/a/b").headers(full_url="", client_address=""))
    assert (headers["spin-path-info"], headers["spin-matched-route"], headers["spin-component-route"]) == (
        "/a/b",
        "/...",
        "",
    )


@pytest.mark.parametrize("route", ["/a/*/b", "/*rest", "/a/:/b"])
def test_routes_that_cannot_be_read(route: str) -> None:
    with pytest.raises(RouteError) as caught:
        parse_route(route)
    assert caught.value.hint
