"""Manifests: what is right is read, what is wrong is said at its line with the mend."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from wasm_lab.errors import ManifestError
from wasm_lab.scenarios.spin.manifest import (
    HttpTrigger,
    LocalSource,
    OtherTrigger,
    RedisTrigger,
    RegistrySource,
    RemoteSource,
    load_manifest,
)
from wasm_lab.scenarios.spin.reading import parse_manifest

if TYPE_CHECKING:
    from wasm_lab.scenarios.spin.manifest import Manifest, Problem

MANIFESTS = Path(__file__).parent / "manifests"

#: A manifest that is right, whose lines the tests below exchange. Line 1 is the version.
RIGHT = """\
spin_manifest_version = 2
[application]
name = "shop"
version = "1.0.0"
[variables]
token = { required = true, secret = true }
[[trigger.http]]
route = "/..."
component = "pages"
[component.pages]
source = "pages.wasm"
allowed_outbound_hosts = ["https://api.example.com"]
key_value_stores = ["default"]
[component.pages.build]
command = "make"
"""


def read(text: str, **options: bool) -> Manifest:
    return parse_manifest(text, Path("/nowhere/spin.toml"), **options)


def problems(text: str) -> list[Problem]:
    with pytest.raises(ManifestError) as caught:
        read(text)
    return [problem for problem in caught.value.problems if problem.level == "error"]


@pytest.mark.parametrize("path", sorted((MANIFESTS / "right").glob("*.toml")), ids=lambda path: path.stem)
def test_what_is_right_is_read(path: Path) -> None:
    manifest = load_manifest(path)
    assert not [problem for problem in manifest.notes if problem.level != "note"]
    assert manifest.components
    assert all(trigger.id for trigger in manifest.triggers)


def test_everything_is_read() -> None:
    app = load_manifest(MANIFESTS / "right" / "everything.toml")
    assert (app.name, app.version, app.authors) == (
        "everything",
        "2.10.3-rc.1+build.7",
        ("Ada <ada@example.com>", "Bob"),
    )
    assert app.variables["redis_host"].default == "localhost"
    assert app.variables["api_token"].secret
    assert app.variables["api_token"].default is None
    shop = app.components["shop"]
    assert shop.source == LocalSource(
        path=app.folder / "target/wasm32-wasip1/release/shop.wasm",
        written="target/wasm32-wasip1/release/shop.wasm",
    )
    assert shop.variables == {"token": "{{ api_token }}", "cache": "redis://{{redis_host}}"}
    assert shop.environment == {"LANG": "C", "odd.name": "yes"}
    assert [(mount.source, mount.destination) for mount in shop.files] == [
        ("assets/**/*.png", None),
        ("robots.txt", None),
        ("static/pages", "/"),
    ]
    assert shop.exclude_files == ("**/*.bak",)
    assert len(shop.allowed_outbound_hosts) == 8
    assert shop.key_value_stores == ("default", "price-cache", "price_cache")
    assert shop.ai_models == ("llama2-chat", "all-minilm-l6-v2")
    assert shop.build is not None
    assert shop.build.commands == ("npm install", "npm run build")
    assert shop.build.workdir == app.folder / "shop"
    assert shop.line == 46
    assert isinstance(app.components["ledger"].source, RemoteSource)
    front, private, health, orders, returns = app.triggers
    assert isinstance(front, HttpTrigger)
    assert (front.id, front.route, front.component, front.private, front.line) == (
        "front-door",
        "/shop/:item/...",
        "shop",
        False,
        23,
    )
    assert isinstance(private, HttpTrigger)
    assert private.private
    assert isinstance(health, HttpTrigger)
    assert health.static_response == {
        "status_code": 200,
        "headers": {"content-type": "text/plain"},
        "body": "well",
    }
    assert isinstance(orders, RedisTrigger)
    assert (orders.channel, orders.address) == ("orders-{{ level_2 }}", "redis://{{ redis_host }}:6379")
    assert isinstance(returns, RedisTrigger)
    assert returns.address == "redis://:{{ api_token }}@other.example.com:6380"
    inline = app.components[returns.component].source
    assert isinstance(inline, LocalSource)
    assert inline.written == "inline.wasm"


def test_triggers_get_the_ids_that_spin_gives_them() -> None:
    text = RIGHT + '[[trigger.http]]\nroute = "/b"\ncomponent = "pages"\n'
    assert [trigger.id for trigger in read(text).triggers] == ["pages-http-trigger", "http-trigger2"]


def test_other_kinds_of_triggers_are_accepted_with_a_note() -> None:
    app = load_manifest(MANIFESTS / "right" / "other_triggers.toml")
    cron = app.triggers[0]
    assert isinstance(cron, OtherTrigger)
    assert (cron.kind, cron.config) == ("cron", {"cron_expression": "0 */5 * * * *"})
    assert [note.line for note in app.notes] == [14, 18, 23, 26]


def test_odd_layout_is_read() -> None:
    app = load_manifest(MANIFESTS / "right" / "layout.toml")
    assert app.name == 'odd "layout"'
    assert app.version == "1.0.0"
    late = app.components["late"]
    assert late.build is not None
    assert late.build.commands == ('make "all"',)
    assert late.variables == {"greeting": "{{ who }}"}
    assert app.variables["who"].default == "wörld"


def test_http_hosts_of_version_1_become_outbound_hosts() -> None:
    app = load_manifest(MANIFESTS / "right" / "wagi.toml")
    assert app.components["cgi"].allowed_outbound_hosts == (
        "http://example.com",
        "https://example.com",
        "http://localhost:8080",
        "https://localhost:8080",
        "http://self",
    )


def test_a_package_of_a_registry() -> None:
    app = load_manifest(MANIFESTS / "right" / "dependencies.toml")
    assert app.components["main"].source == RegistrySource(
        package="acme:main", version="1.4.0", registry="registry.example.com"
    )
    assert "middleware" in app.http_triggers[0].dependencies


def test_a_profile_replaces_what_it_names() -> None:
    path = MANIFESTS / "right" / "everything.toml"
    shop = load_manifest(path, profile="debug").components["shop"]
    assert isinstance(shop.source, LocalSource)
    assert shop.source.written.endswith("debug/shop.wasm")
    assert shop.environment == {"LANG": "C", "odd.name": "yes", "LOG": "all"}
    assert shop.build is not None
    assert shop.build.commands == ("cargo build",)
    with pytest.raises(ManifestError, match="no component has a profile `relaese`"):
        load_manifest(path, profile="relaese")


#: What stands in RIGHT, what a writer puts in its place, the line it is said at, what is said, the mend.
MISTAKES = [
    ("spin_manifest_version = 2", "", 2, "`spin_manifest_version` is missing", "spin_manifest_version = 2"),
    ("= 2", '= "2"', 1, "must be the number 2, and is text", "without quotes"),
    ("= 2", "= 3", 1, "there is no version 3", "spin_manifest_version = 2"),
    ('name = "shop"', "", 2, "`name` is missing in [application]", 'name = "my-app"'),
    ('name = "shop"', "nmae = 'shop'", 3, "unknown key `nmae`", "`name`"),
    ('name = "shop"', "name = 5", 3, "must be text in quotes, and is a number", 'name = "5"'),
    ("[application]", "name = 'a'\n[application]", 2, "unknown key `name` at the top", "[application]"),
    ("[application]", "version = '1'\n[application]", 2, "unknown key `version` at the top", "[application]"),
    ('version = "1.0.0"', 'authors = "me"', 4, "`authors` must be a list", 'authors = ["me"]'),
    ('version = "1.0.0"', 'author = "me"', 4, "unknown key `author`", "authors = ["),
    (
        'version = "1.0.0"',
        'trigger = { type = "http", base = "/" }',
        4,
        "is version 1's form",
        "[[trigger.http]]",
    ),
    (
        'version = "1.0.0"',
        '[application.trigger.http]\nroute = "/"',
        5,
        "unknown key `route`",
        "[[trigger.http]]",
    ),
    ("[variables]", "[variable]", 5, "unknown key `variable`", "`variables`"),
    ("{ required = true, secret = true }", '"abc"', 6, "must be a table, and is text", "{ default = "),
    ("{ required = true, secret = true }", "{ default = 12 }", 6, "must be text in quotes", "default = "),
    ("{ required = true, secret = true }", "{}", 6, "no default and is not required", "{ required = true }"),
    ("required = true,", 'required = true, default = "x",', 6, "exclude each other", "one of the two"),
    ("required = true", 'required = "true"', 6, "must be true or false", "required = true"),
    ("token =", "Token =", 6, "no name of a variable", "`token`"),
    ("token =", "api-token =", 6, "joined by '_', not '-'", "`api_token`"),
    ("[[trigger.http]]", "[trigger.http]", 7, "must be a list of tables", "[[trigger.http]]"),
    ("[[trigger.http]]", "[[triger.http]]", 7, "unknown key `triger`", "`trigger`"),
    ('route = "/..."', "", 7, "`route` is missing", "/hello"),
    ('route = "/..."', 'rout = "/..."', 8, "unknown key `rout`", "`route`"),
    ('route = "/..."', 'path = "/..."', 8, "unknown key `path`", "`route`"),
    ('route = "/..."', "route = { private = false }", 8, "must be { private = true }", "{ private = true }"),
    ('route = "/..."', "route = true", 8, "must be text or { private = true }", "/hello"),
    ('route = "/..."', 'route = "/a/*/b"', 8, "only at the end", ":name"),
    ('route = "/..."', 'route = "/a/:/b"', 8, "needs a name", "/user/:id"),
    ('component = "pages"', "", 7, "`component` is missing", "my-id"),
    ('route = "/..."', 'route = "/..."\nexecutor = {}', 9, "`type` is missing", '"spin"'),
    ('component = "pages"', 'component = "page"', 9, "there is no component `page`", "`pages`"),
    (
        'component = "pages"',
        'component = "pages"\nexecutor = { type = "wage" }',
        10,
        "no executor `wage`",
        '"wagi"',
    ),
    ("[component.pages]", "[component]", 10, "lacks the component's id", "[component.my-id]"),
    ("[component.pages]", "[[component]]\nid = 'pages'", 10, "version 1's form", "[component.pages]"),
    ("[component.pages]", "[components.pages]", 10, "unknown key `components`", "`component`"),
    ('source = "pages.wasm"', "", 10, "`source` is missing", "source = "),
    ('source = "pages.wasm"', "source = 5", 11, "must be a path or a table", "digest"),
    (
        'source = "pages.wasm"',
        'source = { url = "https://example.com/a.wasm" }',
        11,
        "`digest` is missing",
        "sha256:",
    ),
    (
        'source = "pages.wasm"',
        'source = { url = "https://example.com/a.wasm", digest = "abc" }',
        11,
        "must begin with sha256:",
        "64 digits",
    ),
    ('source = "pages.wasm"', 'source = "a.wasm"\nid = "x"', 12, "unknown key `id`", "header"),
    (
        'source = "pages.wasm"',
        'source = "a.wasm"\nroute = "/"',
        12,
        "unknown key `route`",
        "[[trigger.http]]",
    ),
    ('source = "pages.wasm"', 'source = "a.wasm"\nenv = {}', 12, "unknown key `env`", "`environment`"),
    (
        'source = "pages.wasm"',
        'source = "a.wasm"\nenvironment = { PORT = 80 }',
        12,
        "must be text in quotes",
        'PORT = "80"',
    ),
    (
        'source = "pages.wasm"',
        'source = "a.wasm"\nfiles = { source = "a", destination = "/" }',
        12,
        "`files` must be a list",
        "files = [{",
    ),
    (
        'source = "pages.wasm"',
        'source = "a.wasm"\nfiles = [{ source = "a" }]',
        12,
        "`destination` is missing",
        "destination",
    ),
    ('source = "pages.wasm"', 'source = "a.wasm"\nfiles = ["assets/."]', 12, "ends in a folder", "**/*"),
    (
        'source = "pages.wasm"',
        'source = "a.wasm"\nvariables = { t = "{{ tokn }}" }',
        12,
        "`tokn` is not declared",
        "`token`",
    ),
    (
        'source = "pages.wasm"',
        'source = "a.wasm"\nvariables = { t = "{{ token" }',
        12,
        "`{{` has no `}}`",
        "{{ name }}",
    ),
    ('["https://api.example.com"]', '["api.example.com"]', 12, "has no scheme", '"https://api.example.com"'),
    (
        '["https://api.example.com"]',
        '["redis://localhost:6379/0"]',
        12,
        "has a path",
        '"redis://localhost:6379"',
    ),
    (
        '["https://api.example.com"]',
        '["https://{{ host }}"]',
        12,
        "`host` is not declared",
        "[variables] host",
    ),
    ('["https://api.example.com"]', '["insecure:allow-all"]', 12, "version 1's", '"*://*:*"'),
    ('["https://api.example.com"]', '"https://api.example.com"', 12, "must be a list", '["https://api.exa'),
    ("allowed_outbound_hosts", "allowed_outbound_host", 12, "unknown key", "`allowed_outbound_hosts`"),
    ('["default"]', "{ default = true }", 13, "must be a list, and is a table", '["default"]'),
    ('["default"]', '[{ name = "default" }]', 13, "must be text in quotes", '["default"]'),
    (
        'version = "1.0.0"',
        'key_value_stores = ["x"]',
        4,
        "unknown key `key_value_stores`",
        "[component.<id>]",
    ),
    ('route = "/..."', 'route = "/"\nfiles = ["x"]', 9, "unknown key `files`", "[component.<id>]"),
    ('["default"]', '"default"', 13, "must be a list, and is text", '["default"]'),
    ('["default"]', '["my store"]', 13, "is no label", '"my-store"'),
    ("key_value_stores =", "key_value_store =", 13, "unknown key", "`key_value_stores`"),
    ('command = "make"', "", 14, "`command` is missing", "cargo build"),
    ('command = "make"', 'comand = "make"', 15, "unknown key `comand`", "`command`"),
    ('command = "make"', "command = 1", 15, "must be text or a list", "cargo build"),
    ("[component.pages.build]", "[component.pages.bulid]", 14, "unknown key `bulid`", "`build`"),
    ('command = "make"', 'command = "make"\n[server]\nport = 80', 16, "unknown key `server`", "application"),
]


@pytest.mark.parametrize(
    ("text", "line", "hint"),
    [
        ("a = [", 1, "The list lacks its closing ]"),
        ("a = [\n[b]\nc = 1", 2, "The list that begins in line 1 lacks its closing ]"),
        ('a = [ "x"\nb = 1', 2, "The list that begins in line 1 lacks its closing ]"),
        ('a = ["x" "y"]', 1, "stands a comma"),
        ("a = [x]", 1, "Each text in a list stands in quotes"),
        ("a = [“x”]", 1, "typographic quotes"),
        ("a = [\"[\", '['] # [\nb = x", 2, 'Text stands in quotes: b = "x"'),
        ("[[trigger.http]]\na = x", 2, 'Text stands in quotes: a = "x"'),
        ("[[a]\nb = 1", 1, "A table's header is [name], and one of many is [[name]]"),
        ("a =", 1, "The value is missing"),
    ],
)
def test_what_is_no_toml_gets_a_hint_that_mends_it(text: str, line: int, hint: str) -> None:
    (found,) = problems(text)
    assert found.line == line
    assert hint in found.hint


@pytest.mark.parametrize(
    ("was", "becomes", "line", "message", "hint"),
    MISTAKES,
    ids=[f"{row[1] or row[0]:.40}" for row in MISTAKES],
)
def test_a_mistake_is_said_at_its_line_with_the_mend(
    was: str, becomes: str, line: int, message: str, hint: str
) -> None:
    assert was in RIGHT
    found = problems(RIGHT.replace(was, becomes, 1))
    assert [problem for problem in found if problem.line == line and message in problem.message], found
    said = next(problem for problem in found if problem.line == line and message in problem.message)
    assert hint in said.hint


def test_one_mistake_is_said_once() -> None:
    for was, becomes in (
        ('component = "pages"', 'componnet = "pages"'),
        ('source = "pages.wasm"', 'sorce = "pages.wasm"'),
        ('route = "/..."', 'rout = "/..."'),
        ("[[trigger.http]]", "[trigger.http]"),
        ("[[trigger.http]]", "[[triger.http]]"),
        ('name = "shop"', "name = 5"),
        ('["default"]', "{ default = true }"),
    ):
        assert len(problems(RIGHT.replace(was, becomes, 1))) == 1, becomes


def test_places_count_characters() -> None:
    text = RIGHT.replace('component = "pages"', 'component = { source = "ü", sorce = 1 }', 1)
    found = problems(text)
    assert [(problem.line, problem.column) for problem in found] == [(9, 29)]


def test_all_mistakes_are_found_at_once_in_the_order_of_the_file() -> None:
    text = RIGHT.replace('"pages.wasm"', "5").replace("/...", "/*/a").replace("= 2", "= '2'")
    assert [problem.line for problem in problems(text)] == [1, 8, 11]


def test_the_message_names_file_line_and_mend() -> None:
    with pytest.raises(ManifestError) as caught:
        read(RIGHT.replace('source = "pages.wasm"', "sorce = 1"))
    assert "/nowhere/spin.toml:11:1: error: unknown key `sorce`" in str(caught.value)
    assert "Did you mean `source`?" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "place", "message", "hint"),
    [
        ("a = 1\na = 2\n", (2, 1), "`a` stands here for the second time; the first is in line 2", "once"),
        ("[a]\nb = 1\n[a]\n", (3, 2), "`a` stands here for the second time; the first is in line 2", "once"),
        (
            "[[a]]\nb = 1\n[a]\nc = 1\n",
            (3, 2),
            "`a` stands here for the second time; the first is in line 2",
            "once",
        ),
        (
            "[a]\nb = 1\n[[a]]\n",
            (3, 3),
            "`a` stands here for the second time; the first is in line 2",
            "once",
        ),
        (
            "[a]\nb = 1\n[a.b]\n",
            (3, 4),
            "`a.b` stands here for the second time; the first is in line 3",
            "once",
        ),
        ("a = { b = 1, b = 2 }\n", (1, 14), "`a.b` stands here for the second time", "once"),
        ("a = hello\n", (1, 5), "invalid value", 'a = "hello"'),
        ("a = True\n", (1, 5), "invalid value", "lower case"),
        ("a = “b”\n", (1, 5), "invalid value", "straight"),
        ('a = "b\nc = 1\n', (1, 7), "this is no TOML", "closing quote"),
        ("a: 1\n", (1, 2), "this is no TOML", "key = value"),
        ("a = [1, 2\n", (1, 10), "unclosed array", "]"),
        ("a = { b = 1,\n c = 2 }\n", (1, 13), "this is no TOML", "one line"),
        ("a = { b = 1, }\n", (1, 14), "this is no TOML", "comma"),
        ("[a\n", (1, 3), "this is no TOML", "[name]"),
        ("<<<<<<< ours\n", (1, 1), "this is no TOML", "git"),
        ("a =\n", (1, 4), "invalid value", "missing"),
    ],
)
def test_bad_toml_is_explained(text: str, place: tuple[int, int], message: str, hint: str) -> None:
    (found,) = problems("spin_manifest_version = 2\n" + text)
    assert (found.line - 1, found.column) == place
    assert message in found.message
    assert hint in found.hint


def test_line_ends_and_marks_of_other_systems(tmp_path: Path) -> None:
    file = tmp_path / "spin.toml"
    file.write_bytes(b"\xef\xbb\xbf" + RIGHT.replace("\n", "\r\n").encode())
    assert load_manifest(file).components["pages"].line == 10


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\0asm\x01\0\0\0", "WebAssembly file"),
        (b"a\0b", "no text"),
        ("spin".encode("utf-16"), "UTF-16"),
        (b"a = 1\nb = '\xff'", "no UTF-8"),
        (b"", "nothing of a manifest of the Spin framework"),
        (b'[package]\nname = "of another tool"\n', "nothing of a manifest of the Spin framework"),
        (b"component_manifest_version = 1\n[component]\nname = 'x'\n", "manifest of one component"),
    ],
)
def test_files_that_are_no_manifest(tmp_path: Path, data: bytes, message: str) -> None:
    file = tmp_path / "spin.toml"
    file.write_bytes(data)
    with pytest.raises(ManifestError, match=message):
        load_manifest(file)


def test_a_folder_means_its_manifest(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="There is no file"):
        load_manifest(tmp_path)
    (tmp_path / "spin.toml").write_text(RIGHT)
    assert load_manifest(tmp_path).path == tmp_path / "spin.toml"


def test_routes_that_never_answer_are_warned_of() -> None:
    for first, second, reached in (("/a", "/a", 2), ("/a", "/a/", 1), ("/:x", "/:y", 1)):
        text = RIGHT.replace("/...", first) + f'[[trigger.http]]\nroute = "{second}"\ncomponent = "pages"\n'
        (warning,) = read(text).notes
        assert (warning.level, warning.line) == ("warning", 17)
        hidden = first if reached == 2 else second
        assert f'the route "{hidden}"' in warning.message
    (warning,) = read(RIGHT.replace("/...", "/.well-known/spin/health")).notes
    assert "answers everything" in warning.message
    (warning,) = read(RIGHT.replace("/...", "/a...")).notes
    assert "wildcard only as the whole last part" in warning.message


def test_dependencies_are_checked() -> None:
    def with_dependency(entry: str) -> list[Problem]:
        return problems(f"{RIGHT}[component.pages.dependencies]\n{entry}\n")

    for entry, message in (
        ('"a:b" = 5', "must be a version or a table"),
        ('"a:b" = { digest = "sha256:0" }', "no url"),
        ('"a:b" = { url = "https://a" }', "`digest` is missing"),
        ('"a:b" = { path = "a.wasm", export = "x" }', "one interface only"),
        ('plain = "1.0.0"', "which package"),
        ('"a:b/C_d" = "1.0.0"', "no name of a dependency"),
        ('"a:b" = "new"', "no requirement"),
        ('"a:b" = "1.0.0"\n"a:b/c" = "1.0.0"', "overlap"),
        ('"a:b" = { component = "other" }', "no component `other`"),
        ('"a:b" = { component = "pages" }', "no rights of its own"),
        ('"a:b" = { path = "a.wasm", inherit = true }', "unknown key `inherit`"),
    ):
        assert any(message in problem.message for problem in with_dependency(entry)), entry


def test_files_are_asked_for_when_sources_are_wanted(tmp_path: Path) -> None:
    file = tmp_path / "spin.toml"
    file.write_text(
        RIGHT.replace(
            '"pages.wasm"', '"pages.wasm"\nfiles = ["a.txt", "b*", { source = "c", destination = "/" }]'
        )
    )
    assert load_manifest(file)
    with pytest.raises(ManifestError) as caught:
        load_manifest(file, sources=True)
    assert [problem.line for problem in caught.value.problems] == [11, 12, 12]
    assert "wasm-lab spin build" in caught.value.problems[0].hint
    for name in ("a.txt", "c"):
        (tmp_path / name).touch()
    (tmp_path / "pages.wasm").write_bytes(b"version https://git-lfs.github.com/spec/v1")
    with pytest.raises(ManifestError, match="no Wasm file"):
        load_manifest(file, sources=True)
    (tmp_path / "pages.wasm").write_bytes(b"\0asm\x01\0\0\0")
    assert load_manifest(file, sources=True)


def test_a_default_that_may_be_secret_is_never_shown() -> None:
    for written in ('"s3cr3t"', '{ default = "s3cr3t", secrt = true }', "{ default = 53737, secret = true }"):
        with pytest.raises(ManifestError) as caught:
            read(RIGHT.replace("{ required = true, secret = true }", written))
        assert "s3cr3t" not in str(caught.value)
        assert "53737" not in str(caught.value)
    app = read(RIGHT.replace("{ required = true, secret = true }", '{ default = "s3cr3t", secret = true }'))
    assert "s3cr3t" not in repr(app)


def test_every_list_of_mistakes_indents_its_hints_alike() -> None:
    from wasm_lab.scenarios.kubernetes.problems import Problem as OfKubernetes
    from wasm_lab.scenarios.spin.problems import Problem

    spin = str(Problem(3, 1, "unknown key", "first\nsecond")).splitlines()
    assert spin[1:] == ["    first", "    second"]
    with_hint = OfKubernetes(file="a.yaml", line=3, column=1, message="unknown field", hint="first\nsecond")
    assert str(with_hint).splitlines()[1:] == spin[1:]
