"""What every page of a report on grades shares: its frame, its looks, and text that is safe to show."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from wasm_lab.grading.report.cells import number
from wasm_lab.grading.report.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from wasm_lab.grading.nouns import Access, Note
    from wasm_lab.grading.report.summary import Points

#: No script, no picture, no font and no address is ever loaded, whatever should have got into a page.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

#: Every pair of text and background has a contrast of at least 4.5 to 1 (WCAG 2.2, 1.4.3), light and dark.
_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #ffffff; --faint: #57606a; --line: #d0d7de;
  --card: #f6f8fa; --good: #116329; --good-back: #dafbe1; --bad: #a40e26; --bad-back: #ffebe9;
  --wait: #7d4e00; --wait-back: #fff8c5; --bar: #0072b2; --link: #0550ae; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0d1117; --faint: #9aa4af; --line: #3d444d;
  --card: #161b22; --good: #7ee787; --good-back: #12351d; --bad: #ffa198; --bad-back: #4b1113;
  --wait: #f2cc60; --wait-back: #3d2e00; --bar: #56b4e9; --link: #79c0ff; } }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 68rem;
  margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .3rem; } h2 { font-size: 1.3rem; margin: 2.4rem 0 .6rem; }
h3 { font-size: 1.05rem; margin: 1.2rem 0 .4rem; } p { margin: .5rem 0; } a { color: var(--link); }
h1, h2, h3, p, li, td, th, summary, dd { overflow-wrap: anywhere; }
.faint { color: var(--faint); } .nowrap { white-space: nowrap; overflow-wrap: normal; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: .6rem 0; }
caption { text-align: left; color: var(--faint); padding-bottom: .3rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; } th[scope=row] { min-width: 9rem; }
thead th { color: var(--faint); font-size: .9rem; overflow-wrap: normal; }
.n { text-align: right; } td.n { white-space: nowrap; }
td:not(.n) { min-width: 8rem; } .wide { width: 100%; } .scroll { overflow-x: auto; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: .7rem .9rem; margin: .5rem 0;
  overflow: auto; max-height: 32rem; font: .85rem/1.45 ui-monospace, monospace; white-space: pre-wrap;
  overflow-wrap: anywhere; tab-size: 4; }
.tiles { display: flex; flex-wrap: wrap; gap: .8rem; margin: 1.2rem 0; padding: 0; list-style: none; }
.tiles li { flex: 1 1 9rem; background: var(--card); border: 1px solid var(--line); border-radius: 8px;
  padding: .7rem .9rem; } .tiles b { display: block; font-size: 1.5rem; line-height: 1.3; }
.mark { display: inline-block; white-space: nowrap; border-radius: 4px; padding: 0 .45rem; font-size: .9rem; }
.good { color: var(--good); background: var(--good-back); } .bad { color: var(--bad); background: var(--bad-back); }
.wait { color: var(--wait); background: var(--wait-back); } .none { color: var(--faint); background: var(--card); }
.callout { border-left: 4px solid var(--wait); background: var(--wait-back); color: var(--ink); padding: .6rem .9rem;
  margin: .8rem 0; border-radius: 0 6px 6px 0; } .callout.hint { border-color: var(--bar); background: var(--card); }
.exercise { border-top: 2px solid var(--line); margin-top: 2rem; } .exercise h2 { margin-top: 1rem; }
svg { max-width: 100%; height: auto; } svg text { fill: var(--ink); font: 12px system-ui, sans-serif; }
svg .bar { fill: var(--bar); } svg .grid { stroke: var(--line); } svg .span { stroke: var(--bar); }
figure { margin: .8rem 0; } figcaption, summary { color: var(--faint); } summary { cursor: pointer; }
.marks td, .marks th { padding: .2rem .6rem .2rem .3rem; }
footer { margin-top: 3rem; color: var(--faint); font-size: .9rem; }
@media print { body { max-width: none; padding: 0; font-size: 11pt; } a { color: inherit; text-decoration: none; }
  pre { max-height: none; } .scroll { overflow: visible; } .marks { font-size: 7.5pt; }
  .marks td, .marks th { padding: 1px 3px; min-width: 0; } .marks .mark { padding: 0 2px; font-size: inherit; }
  tr, .tiles li, figure, .callout { break-inside: avoid; } h2, h3 { break-after: avoid; }
  .exercise.apart { break-before: page; } .mark, .bar, .callout { print-color-adjust: exact; } }
"""

#: Characters of a line of text, of a block, and lines of a block, that a page shows.
LINE, BLOCK, LINES = 300, 12_000, 400


def page(title: str, body: str) -> str:
    """A whole page that loads nothing."""
    return (
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        "<meta name='referrer' content='no-referrer'><meta name='robots' content='noindex'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{line(title)}</title>\n<style>{_STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def line(text: str, characters: int = LINE) -> str:
    """Text of anyone as HTML on one line."""
    return html.escape(shown(text, characters, lines=False))


def name(text: str) -> str:
    """A name, whose direction of writing moves nothing around it."""
    return f"<bdi>{line(text, 120)}</bdi>"


def block(text: str) -> str:
    """Text of anyone with its lines, as preformatted HTML: the beginning of it, when it is long."""
    lines = text.split("\n", LINES)
    more = ""
    if len(lines) > LINES:
        more = f"\n… ({lines.pop().count(chr(10)) + 1} more lines)"
    return f"<pre dir='ltr'>{html.escape(shown(chr(10).join(lines).rstrip(), BLOCK))}{more}</pre>"


def mark(text: str, kind: str) -> str:
    """A word with a colour that repeats what it says. ``kind``: good, bad, wait or none."""
    return f"<span class='mark {kind}'>{html.escape(text)}</span>"


def points(of: Points) -> str:
    """Such as "3 of 5", and what is still open."""
    text = f"{number(of.points)} of {number(of.max_points)}"
    return f"{text} ({number(of.open)} open)" if of.open else text


def percent(share: float | None) -> str:
    """A share as people read it; never 100 % of what is less, never 0 % of what is more.

    Example:
        >>> percent(0.999), percent(0.5), percent(None)
        ('99 %', '50 %', '–')
    """
    if share is None:
        return "–"
    whole = round(share * 100)
    if share < 1:
        whole = min(whole, 99)
    return f"{max(whole, 1) if share > 0 else 0} %"


def table(
    caption: str,
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    right: Sequence[int] = (),
    kind: str = "",
) -> str:
    """A table whose first column heads its rows. Captions, heads and cells are HTML already.

    Args:
        right: columns of numbers, from 0.
    """

    def cell(at: int, text: str) -> str:
        side = " class='n'" if at in right else ""
        return f"<th scope='row'{side}>{text}</th>" if at == 0 else f"<td{side}>{text}</td>"

    head = "".join(
        f"<th scope='col'{' class=n' if at in right else ''}>{text}</th>" for at, text in enumerate(heads)
    )
    body = "\n".join(f"<tr>{''.join(cell(at, text) for at, text in enumerate(row))}</tr>" for row in rows)
    return (
        f"<div class='scroll'><table class='{kind}'><caption>{caption}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


def notes_table(caption: str, notes: Sequence[Note], *, names: Mapping[str, str] | None = None) -> str:
    """Notes, a row for each; nothing where there are none.

    Args:
        names: students' names by key; given, there is a column for them.
    """
    if not notes:
        return ""
    rows = []
    for one in notes:
        who = [] if names is None else [name(names.get(one.student, one.student)) if one.student else "–"]
        rows.append((mark(one.kind, "wait"), *who, f"<bdi>{line(one.file)}</bdi>", line(one.message, 1000)))
    heads = ("note", *(() if names is None else ("student",)), "file", "what")
    return table(caption, heads, rows, kind="wide")


def audit_table(audit: Sequence[Access]) -> str:
    """What a program touched; nothing where it touched nothing."""
    if not audit:
        return ""
    refused = sum(not one.allowed for one in audit)
    rows = [
        (
            f"<code>{line(one.call)}</code>{f' ×{one.count}' if one.count > 1 else ''}"
            f"{' <span class=faint>in a hidden test</span>' if one.hidden else ''}",
            f"<code>{line(one.subject)}</code>",
            line(one.result),
            mark("allowed", "good") if one.allowed else mark("refused", "bad"),
        )
        for one in audit
    ]
    return table(
        f"Audit: what the program asked its host for; {refused} of {len(audit)} kinds of call were refused.",
        ("call", "about", "result", "allowed"),
        rows,
        kind="wide",
    )
