"""The names that Spin allows: kebab-case, snake_case."""

from __future__ import annotations

import re


def why_not_an_id(name: str, separator: str = "-", *, lower: bool = False) -> str:
    """Say why ``name`` is no identifier of words joined by ``separator``; empty when it is one.

    The rules are those of Spin's own manifest reader: words of ASCII letters and digits, each all
    lower case or all upper case, the first beginning with a letter.

    Example:
        >>> why_not_an_id("my_app")
        "words are joined by '-', not '_'"
        >>> why_not_an_id("my-app2")
        ''
    """
    wrong = "_" if separator == "-" else "-"
    if not name:
        return "it is empty"
    if wrong in name:
        return f"words are joined by '{separator}', not '{wrong}'"
    for number, word in enumerate(name.split(separator)):
        if not word:
            return f"between two '{separator}', before the first and after the last stands a word"
        if bad := re.search(r"[^A-Za-z0-9:]", word):
            return f"{bad[0]!r} is not allowed: words are letters a to z and digits"
        if not (word[0].isalpha() or (number > 0 and word[0].isdigit())):
            return "it begins with a letter"
        letters = "".join(character for character in word if character.isalpha())
        if letters and not (letters.islower() or letters.isupper()):
            return f"a word is all lower case or all UPPER CASE, and {word!r} is mixed"
        if lower and letters.isupper():
            return "it is all lower case"
    return ""


def as_id(name: str, separator: str = "-") -> str:
    """Make an identifier out of any name.

    Example:
        >>> as_id("My_App 2")
        'my-app-2'
    """
    name = re.sub(r"([a-z0-9])([A-Z])", rf"\1{separator}\2", name)
    words = [word for word in re.split(r"[^A-Za-z0-9]+", name) if word]
    made = separator.join(words).lower()
    return made if made[:1].isalpha() else f"c{separator}{made}".rstrip(separator)
