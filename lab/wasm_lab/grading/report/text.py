"""Text that a student or a guest chose, made safe to be read: nothing invisible, nothing that moves the rest.

What cannot be seen becomes a visible mark. A report that a person reads is then what the file holds.
"""

from __future__ import annotations

import re
import unicodedata

#: Accents on one letter at most; more would be drawn over the lines above and below.
_ACCENTS = 4
_COMBINING = (
    "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f"
    "\U000e0100-\U000e01ef"
)
_ACCENT_FLOOD = re.compile(f"([{_COMBINING}]{{{_ACCENTS}}})[{_COMBINING}]+")

#: Letters and symbols by their category, which are drawn as nothing: fillers of Hangul, the empty Braille cell.
_BLANKS = {0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180F, 0x2800, 0x3164, 0xFFA0}

#: Characters that no XML 1.0 text may hold, besides controls and surrogates (its production 2, "Char").
_NO_XML = {0xFFFE, 0xFFFF}


def visible(text: str, *, lines: bool = True) -> str:
    """The same text with a mark for each character that is not seen or turns the direction of others.

    Controls become their pictures (ESC is ␛); what has no picture becomes its number in ⟦brackets⟧. The result
    is valid in UTF-8 and in XML 1.0.

    Args:
        lines: keep line ends and tabs; else they become pictures too, for text that must stay on its line.

    Example:
        >>> visible("a\\x1b[31mred")
        'a␛[31mred'
        >>> visible("user\\u202etxt.exe")
        'user⟦U+202E⟧txt.exe'
        >>> visible("two\\nlines", lines=False)
        'two␊lines'
    """
    text = _ACCENT_FLOOD.sub(r"\1⟦…⟧", text.replace("\r\n", "\n") if lines else text)
    return text.translate(_LINES if lines else _LINE)


def capped(text: str, characters: int) -> str:
    """The beginning of a long text, and how much more there was.

    Example:
        >>> capped("abcdef", 4)
        'abcd … (2 more characters)'
    """
    more = len(text) - characters
    return text if more <= 0 else f"{text[:characters]} … ({more} more character{'s' * (more != 1)})"


def shown(text: str, characters: int, *, lines: bool = True) -> str:
    """`capped`, then `visible`: for anything in a report that its author does not answer for."""
    return visible(capped(text, characters), lines=lines)


class _Marks(dict[int, str]):
    """A table for ``str.translate`` that is filled as characters are met."""

    def __init__(self, kept: str) -> None:
        super().__init__({ord(letter): letter for letter in kept})

    def __missing__(self, code: int) -> str:
        self[code] = found = _mark(code)
        return found


def _mark(code: int) -> str:
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    unseen = unicodedata.category(chr(code)) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    return f"⟦U+{code:04X}⟧" if unseen or code in _BLANKS or code in _NO_XML else chr(code)


_LINES, _LINE = _Marks("\n\t"), _Marks("")
