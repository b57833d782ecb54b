"""What a guest or a compiler said, as text that does nothing but be read: bounded, and without control characters."""

from __future__ import annotations

import unicodedata

#: Characters that are kept of one message.
MOST = 4000

#: Left as they are, of the characters that control something.
_KEPT = frozenset("\n\t")


def plain_text(text: str, most: int = MOST) -> str:
    """The text with everything that a terminal, a browser or an editor would obey made visible.

    Control characters, marks of writing direction and other invisible ones become ``\\u{…}``; what is beyond
    ``most`` characters is cut off. Markup is left: whoever puts the text into a page escapes it there.

    Example:
        >>> plain_text("red\\x1b[31m \\u202etxt.exe")
        'red\\\\u{1b}[31m \\\\u{202e}txt.exe'
    """
    cut = text[:most]
    shown = "".join(
        character
        if character in _KEPT or unicodedata.category(character) not in _INVISIBLE
        else f"\\u{{{ord(character):x}}}"
        for character in cut
    )
    return shown if len(text) <= most else f"{shown} … ({len(text)} characters)"


#: Categories of Unicode: control, format (marks of direction, zero width), surrogate, private, unassigned;
#: separators of lines and paragraphs.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
