"""The plugins of the samples, built for real: what they do, and that languages agree."""

from __future__ import annotations

import base64
import json
import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from wasm_lab.components import Err
from wasm_lab.errors import PluginError, UsageError
from wasm_lab.scenarios.plugins import samples
from wasm_lab.scenarios.plugins.host import PluginHost
from wasm_lab.scenarios.plugins.pipe import Pipe
from wasm_lab.scenarios.plugins.samples import GOOD, fill, hostile_names, plugins_folder

Put = Callable[[str], Path]

MARKDOWN = "# A title\n\nText with *weight* and `code`.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"


def pnm(width: int, height: int) -> bytes:
    """A picture of noise, the same each time."""
    pixels = np.random.default_rng(7).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return b"P6\n# noise\n%d %d\n255\n" % (width, height) + pixels.tobytes()


def pixels_of(picture: bytes) -> np.ndarray:
    width, height, start = _header(picture)
    return np.frombuffer(picture[start:], np.uint8).reshape(height, width, 3)


def _header(picture: bytes) -> tuple[int, int, int]:
    found = re.match(rb"P6\s+(\d+)\s+(\d+)\s+255\s", picture)
    assert found, picture[:20]
    return int(found[1]), int(found[2]), found.end()


def test_every_sample_is_in_the_readme() -> None:
    text = (plugins_folder() / "README.md").read_text()
    for name in (*GOOD, samples.SNOOPER, "image-resize-c", "image-resize-js", *hostile_names()):
        assert f"`{name}`" in text, name


def test_an_unknown_sample_is_told_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no sample plugin markup") as caught:
        fill(tmp_path, ["markup"])
    assert "markdown" in caught.value.hint


def test_the_bindings_in_c_are_of_todays_wit() -> None:
    """Generated code names every function of the WIT by its whole name and version."""
    wit = (plugins_folder() / "wit" / "plugin.wit").read_text()
    version = re.search(r"package wasm-lab:plugins@([\d.]+);", wit)
    assert version
    code = (plugins_folder() / "c" / "plugin.c").read_text()
    assert set(re.findall(r"wasm-lab:plugins/\w+@([\d.]+)", code)) == {version[1]}
    header = (plugins_folder() / "c" / "plugin.h").read_text()
    fields = re.findall(r"^    ([\w-]+): (?:string|list<string>),$", wit, re.MULTILINE)
    assert len(fields) >= 6
    for field in fields:
        assert re.search(rf"plugin_\w*string_t   {field};", header), field


@pytest.fixture
def host(folder: Path, put_sample: Put) -> PluginHost:
    for name in GOOD:
        put_sample(name)
    return PluginHost(folder)


@pytest.mark.slow
def test_markdown_becomes_html(host: PluginHost) -> None:
    with host:
        plain = host.apply("markdown", MARKDOWN)
        assert isinstance(plain, str)
        assert host.apply("markdown", MARKDOWN.encode()) == plain
        assert plain.startswith("<h1>A title</h1>\n<p>Text with <em>weight</em> and <code>code</code>.</p>\n")
        assert "<table>" not in plain
        assert "<table>" in host.apply("markdown", MARKDOWN, flavour="github")


@pytest.mark.slow
def test_json_goes_through_a_query(host: PluginHost) -> None:
    orders = [{"who": "Ada", "total": 30}, {"who": "Bob", "total": 5}, {"who": "Ada", "total": 12}]
    query = "group_by(.who) | map({who: .[0].who, total: map(.total) | add}) | .[] | select(.total > 10)"
    with host:
        lines = host.apply("json-query", json.dumps(orders), query=query).splitlines()
        assert [json.loads(line) for line in lines] == [{"who": "Ada", "total": 42}]
        assert host.apply("json-query", '{"b": 1, "a": [true, null]}') == '{"b":1,"a":[true,null]}\n'


#: 16 × 8 pixels of red.
JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAFA3PEY8MlBGQUZaVVBfeMiCeG5uePWvuZHI////////////////////////////////"
    "////////////////////2wBDAVVaWnhpeOuCguv//////////////////////////////////////////////////////////////"
    "///////////wAARCAAIABADASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAP/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/8QAFQ"
    "EBAQAAAAAAAAAAAAAAAAAAAgT/xAAUEQEAAAAAAAAAAAAAAAAAAAAA/9oADAMBAAIRAxEAPwCQAKH/2Q=="
)


def png(width: int, height: int) -> bytes:
    """A black picture (W3C, PNG specification, second edition, 5 and 11.2)."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(height * (b"\0" + bytes(3 * width)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def bmp(width: int, height: int) -> bytes:
    """A black picture with a header of 40 bytes (Microsoft, BITMAPINFOHEADER)."""
    pixels = bytes(height * ((3 * width + 3) // 4 * 4))
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, len(pixels), 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(pixels), 0, 0, 54) + header + pixels


def jpeg_size(picture: bytes) -> tuple[int, int]:
    """Width and height in the frame header (ITU-T T.81, B.2.2)."""
    at = 2
    while picture[at + 1] not in (0xC0, 0xC1, 0xC2):
        at += 2 + int.from_bytes(picture[at + 2 : at + 4], "big")
    height, width = struct.unpack(">HH", picture[at + 5 : at + 9])
    return width, height


@pytest.mark.slow
@pytest.mark.parametrize(
    ("given", "begins", "size"),
    [
        (png(16, 8), b"\x89PNG", lambda made: struct.unpack(">II", made[16:24])),
        (bmp(16, 8), b"BM", lambda made: struct.unpack("<ii", made[18:26])),
        (pnm(16, 8), b"P6", lambda made: _header(made)[:2]),
        (JPEG, b"\xff\xd8", jpeg_size),
    ],
    ids=["PNG", "BMP", "PNM", "JPEG"],
)
def test_an_image_gets_another_size_in_its_own_format(
    host: PluginHost, given: bytes, begins: bytes, size: Callable[[bytes], tuple[int, int]]
) -> None:
    with host:
        made = host.apply("image-resize", given, width=12)
        assert made.startswith(begins)
        assert size(made) == (12, 6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("plugin", "data", "options", "case", "why"),
    [
        ("markdown", b"\xff", {}, "bad-input", "no UTF-8"),
        ("markdown", b"", {"flavour": "mild"}, "bad-option", "commonmark and github are known"),
        ("markdown", b"", {"style": "x"}, "bad-option", "no such option"),
        ("json-query", b"{", {}, "bad-input", "no JSON"),
        ("json-query", b"1", {"query": "map("}, "bad-option", "no program for jq"),
        ("json-query", b"1", {"query": "nothing_of_that_name"}, "bad-option", "nothing_of_that_name"),
        ("json-query", b"1", {"query": ".a"}, "bad-input", "index"),
        ("image-resize", b"no image", {"width": 3}, "bad-input", "no PNG, JPEG, BMP or PNM"),
        ("image-resize", pnm(2, 2), {}, "bad-option", "give a width"),
        ("image-resize", pnm(2, 2), {"width": 0}, "bad-option", "no number of pixels"),
        ("image-resize", pnm(2, 2), {"width": 5000}, "bad-option", "no number of pixels"),
        ("image-resize", pnm(2, 2)[:-1], {"width": 2}, "bad-input", ""),
    ],
)
def test_what_cannot_be_done_is_said_by_the_plugin_and_costs_no_instance(
    host: PluginHost, plugin: str, data: bytes, options: dict[str, object], case: str, why: str
) -> None:
    with host:
        with pytest.raises(Err) as caught:
            host.apply(plugin, data, **options)
        assert caught.value.value.case == case
        assert why in str(caught.value.value.value)
        assert host.status(plugin).failed == 0
        assert host.status(plugin).instances == 1


@pytest.mark.slow
@pytest.mark.parametrize("language", ["c", "js"])
@pytest.mark.parametrize("size", [(31, 17), (64, 48), (7, 90)])
def test_the_same_plugin_in_another_language_gives_the_same_picture(
    host: PluginHost, put_sample: Put, language: str, size: tuple[int, int]
) -> None:
    name = f"image-resize-{language}"
    put_sample(name)
    picture = pnm(64, 48)
    with host:
        host.refresh()
        assert name in host.names, host.status(name).reason
        for filter in ("nearest", "bilinear"):
            given = {"width": size[0], "height": size[1], "filter": filter}
            expected = pixels_of(host.apply("image-resize", picture, **given)).astype(int)
            found = pixels_of(host.apply(name, picture, **given)).astype(int)
            assert found.shape == expected.shape == (size[1], size[0], 3)
            # The order of additions differs, and so may the last rounding; nearest adds nothing.
            assert np.abs(found - expected).max() <= (0 if filter == "nearest" else 1)
        assert _header(host.apply(name, picture, width=32))[:2] == (32, 24)
        assert _header(host.apply(name, picture, height=12))[:2] == (16, 12)


@pytest.mark.slow
@pytest.mark.parametrize("language", ["c", "js"])
def test_another_language_refuses_in_the_same_words(host: PluginHost, put_sample: Put, language: str) -> None:
    name = f"image-resize-{language}"
    put_sample(name)
    with host:
        host.refresh()
        cases: list[tuple[bytes, dict[str, object]]] = [
            (pnm(2, 2), {}),
            (pnm(2, 2), {"width": 0}),
            (pnm(2, 2), {"width": "12x"}),
            (pnm(2, 2), {"colour": "red"}),
        ]
        for data, options in cases:
            said = []
            for each in ("image-resize", name):
                with pytest.raises(Err) as caught:
                    host.apply(each, data, **options)
                said.append((caught.value.value.case, caught.value.value.value))
            assert said[0] == said[1]
        for data in (
            b"",
            b"P6",
            b"P6 2 2 255\n",
            b"P6 0 2 255\n",
            b"P6 99999 2 255\n",
            pnm(2, 2)[:-1],
            b"P3 1",
        ):
            with pytest.raises(Err) as caught:
                host.apply(name, data, width=2)
            assert caught.value.value.case == "bad-input"


@pytest.mark.slow
@pytest.mark.parametrize("name", GOOD)
def test_the_same_code_as_a_program_gives_the_same_answers(host: PluginHost, name: str) -> None:
    given: dict[str, tuple[str | bytes, dict[str, str]]] = {
        "markdown": (MARKDOWN, {"flavour": "github"}),
        "json-query": ('[{"n": 1}, {"n": 2}]', {"query": ".[].n"}),
        "image-resize": (pnm(64, 48), {"width": "20"}),
    }
    data, options = given[name]
    with host, Pipe(samples.program(name)) as pipe:
        for _ in range(2):
            assert pipe.apply(data, list(options.items())) == host.apply(name, data, **options)
        with pytest.raises(PluginError, match="no such option"):
            pipe.apply(data, [("absent", "")])


@pytest.mark.slow
def test_a_process_that_ends_is_told() -> None:
    pipe = Pipe(samples.program("markdown"))
    pipe._process.kill()
    pipe._process.wait()  # from here on nobody reads the pipe, so that the request stays in our buffer
    with pytest.raises(PluginError, match="has ended with status -9"):
        pipe.apply(b"", [])
    pipe.close()
