"""nbgrader's markers in the languages of answer cells: solutions, hidden tests, comments, stubs."""

from __future__ import annotations

import re

BEGIN_SOLUTION = "### BEGIN SOLUTION"
END_SOLUTION = "### END SOLUTION"
BEGIN_HIDDEN = "### BEGIN HIDDEN TESTS"
END_HIDDEN = "### END HIDDEN TESTS"

#: What the body of a cell with one of our magics is written in.
_LANGUAGES = {
    "wasm_rust": "rust",
    "js_twin": "js",
    "worker": "js",
    "spin_app": "toml",
    "wit": "wit",
}

#: Languages whose comments begin with a hash sign; those of all others begin with two slashes.
_HASH = {"python", "toml", "yaml", "text", "bash", "sh"}


def language_of(magic: str) -> str:
    """The language below a magic line; ``python`` where there is none.

    Example:
        >>> language_of("%%wasm_rust --name answer"), language_of("%%answer verdict --choice yes,no")
        ('rust', 'text')
        >>> language_of("%%wasm c"), language_of("%%answer manifest --toml"), language_of("")
        ('c', 'toml', 'python')
    """
    words = magic.removeprefix("%%").split()
    if not magic.startswith("%%") or not words:
        return "python"
    name = words[0]
    if name == "wasm":
        return words[1] if len(words) > 1 else "rust"
    if name == "answer":
        return next((each for each in ("toml", "yaml") if f"--{each}" in words), "text")
    return _LANGUAGES.get(name, name)


def comment_of(language: str) -> str:
    """What a comment of one line begins with.

    Example:
        >>> comment_of("rust"), comment_of("toml")
        ('//', '#')
    """
    return "#" if language in _HASH else "//"


def without_markers(text: str) -> str:
    """The text without the lines that begin or end a solution: what remains is the answer itself.

    Example:
        >>> without_markers("# ### BEGIN SOLUTION\\nyes\\n# ### END SOLUTION")
        'yes'
    """
    kept = [
        line
        for line in text.splitlines(keepends=True)
        if BEGIN_SOLUTION not in line and END_SOLUTION not in line
    ]
    return "".join(kept).removesuffix("\n") if len(kept) < len(text.splitlines()) else text


def without_solutions(text: str) -> str:
    """The text without its solutions, markers included."""
    return re.sub(
        rf"^[^\n]*{BEGIN_SOLUTION}.*?{END_SOLUTION}[^\n]*\n?", "", text, flags=re.DOTALL | re.MULTILINE
    )
