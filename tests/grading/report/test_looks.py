"""Pages can be read: contrast of every pair of colours, light and dark; shares that say what they are."""

from __future__ import annotations

import re

import pytest

from wasm_lab.views.grades_charts import histogram_figure
from wasm_lab.views.grades_page import _STYLE, block, page, percent

from .test_folder import Page

#: Text, what it stands on, and the least contrast (WCAG 2.2: 1.4.3 for text, 1.4.11 for charts).
PAIRS = [
    ("ink", "paper"),
    ("faint", "paper"),
    ("link", "paper"),
    ("ink", "card"),
    ("faint", "card"),
    ("link", "card"),
]
PAIRS += [
    ("good", "good-back"),
    ("bad", "bad-back"),
    ("wait", "wait-back"),
    ("ink", "wait-back"),
    ("link", "wait-back"),
]


def _palettes() -> list[dict[str, str]]:
    blocks = re.findall(r":root \{([^}]*)\}", _STYLE)
    assert len(blocks) == 2, "light and dark"
    return [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", text)) for text in blocks]


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_stands_out(scheme: int) -> None:
    palette = _palettes()[scheme]
    weak = [(text, back) for text, back in PAIRS if _contrast(palette[text], palette[back]) < 4.5]
    assert not weak
    assert _contrast(palette["bar"], palette["paper"]) >= 3


def test_a_chart_says_in_words_what_it_shows() -> None:
    figure = histogram_figure((0, 0, 3, 0, 0, 0, 0, 0, 1, 2))
    text = "".join(Page(page("x", figure)).text)
    assert "20 to under 30 %: 3; 80 to under 90 %: 1; 90 to 100 %: 2" in text
    assert "<table" in figure
    assert "role='img'" in figure
    assert "Nothing is marked yet." in histogram_figure((0,) * 10)


def test_almost_is_not_all_and_little_is_not_nothing() -> None:
    assert [percent(share) for share in (0, 0.001, 0.004, 0.5, 0.995, 0.9999, 1, None)] == [
        "0 %", "1 %", "1 %", "50 %", "99 %", "99 %", "100 %", "–",
    ]  # fmt: skip


def test_many_lines_are_cut_with_their_number() -> None:
    text = block("\n".join(map(str, range(1000))))
    assert "(600 more lines)" in text
    assert "399\n" in text
    assert "400\n" not in text
