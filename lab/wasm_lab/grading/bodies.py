"""What an answer's body may not be, before anything reads it as code."""

from __future__ import annotations

import unicodedata

#: Bytes of one answer at most. The longest solution of a master has a hundredth of that.
BODY_BYTES = 256 * 1024

#: Control characters that text has.
_OF_TEXT = frozenset("\t\n\r\f")


def refuse_body(text: str) -> str:
    """Why the body of an answer in Rust is not taken; empty when it is.

    Dependencies, flags and the magic are the master's, so a body has none of its own: a line that the lab would
    read as a header, or IPython as a magic, stands in none.

    Example:
        >>> refuse_body("pub fn one() -> u8 { 1 }")
        ''
        >>> refuse_body("---\\n[dependencies]\\nevil = '1'\\n---\\n")
        'It begins with a header, and dependencies belong to the exercise.'
    """
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > BODY_BYTES:
        return f"It has {size // 1024} KiB, and {BODY_BYTES // 1024} are the most."
    for character in text:
        if character not in _OF_TEXT and unicodedata.category(character) in ("Cc", "Cs"):
            return f"It holds the character U+{ord(character):04X}, which is no text."
    lines = text.removeprefix("\ufeff").split("\n")
    if lines[0].startswith("#!") and not lines[0].startswith("#!["):
        return "It begins with #!, and it is no script."
    first = next((line for line in lines if line.strip()), "")
    if first.startswith("---"):
        return "It begins with a header, and dependencies belong to the exercise."
    if any(line.lstrip().startswith("%%") for line in lines):
        return "It holds a line that begins with %%, and magics belong to the exercise."
    return ""
