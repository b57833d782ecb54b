"""Splitting output into text and rich content, in whatever pieces it comes."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from wasm_lab.cells.rich import RichSplitter

OUTPUT = b"one\ntwoEVCXR_BEGIN_CONTENT text/html\n<b>x</b>\n<i>y</i>\nEVCXR_END_CONTENT\nEVCXR_BEG three\n"
PARTS = [(None, b"one\ntwo"), ("text/html", b"<b>x</b>\n<i>y</i>"), (None, b"EVCXR_BEG three\n")]


def split(pieces: list[bytes]) -> list[tuple[str | None, bytes]]:
    splitter = RichSplitter()
    parts = [part for piece in pieces for part in splitter.feed(piece)] + splitter.close()
    merged: list[tuple[str | None, bytes]] = []
    for mime, content in parts:
        if mime is None and merged and merged[-1][0] is None:
            merged[-1] = (None, merged[-1][1] + content)
        else:
            merged.append((mime, content))
    return merged


@given(st.lists(st.integers(0, len(OUTPUT)), max_size=12))
def test_any_pieces_give_the_same(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(OUTPUT)]
    assert split([OUTPUT[a:b] for a, b in itertools.pairwise(edges)]) == PARTS


@given(st.binary())
def test_text_without_markers_is_left_alone(text: bytes) -> None:
    assert b"".join(content for _, content in split([text])) == text


def test_text_does_not_wait_for_a_line_end() -> None:
    assert RichSplitter().feed(b"progress: 10 %") == [(None, b"progress: 10 %")]


def test_content_that_is_never_closed_comes_as_text() -> None:
    unclosed = b"EVCXR_BEGIN_CONTENT text/html\n<b>"
    assert split([unclosed]) == [(None, unclosed)]
