"""Whether a JavaScript text asks for the network, as far as that is plain to see without the engine."""

from __future__ import annotations

import re

#: Comments, and strings of one line; what stands in a template may be code.
_ASIDE = re.compile(
    r"""//[^\n]*|/\*.*?\*/|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*\"""",
    re.DOTALL,
)
_NAME = re.compile(r"(?<![\w$])fetch(?![\w$])")
_CALL = re.compile(r"(?<![\w$.])(?:globalThis\.)?fetch\s*\((?![^()]*\)\s*\{)")


def fetch_call(code: str) -> int | None:
    r"""Where a text first calls the engine's own ``fetch``, in characters; None when it may have one of its own.

    Example:
        >>> fetch_call("const page = await fetch('http://x');")
        19
        >>> fetch_call("// fetch(it)\nfunction fetch(it) { return it; }\nfetch(1);") is None
        True
    """
    text = _ASIDE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), code)
    calls = [found.start() for found in _CALL.finditer(text) if not _declared(text, found.start())]
    # Any other use of the name may bind it: a parameter, a method, an import.
    return calls[0] if calls and len(calls) == len(_NAME.findall(text)) else None


def _declared(text: str, start: int) -> bool:
    return bool(re.search(r"\bfunction\s*\*?\s*$", text[max(0, start - 40) : start]))
