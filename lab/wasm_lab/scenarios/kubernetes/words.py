"""Names and paths in messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def close_to(word: str, known: Iterable[str]) -> str:
    """The known name that a word was probably meant to be; empty where none is near.

    Example:
        >>> close_to("imagee", ["image", "imagePullPolicy"]), close_to("x", ["image"])
        ('image', '')
    """
    import difflib

    by_lower = {name.lower(): name for name in known}
    lower = word.lower().replace("_", "").replace("-", "")
    if lower in by_lower:
        return by_lower[lower]
    found = difflib.get_close_matches(lower, by_lower, n=1, cutoff=0.75)
    return by_lower[found[0]] if found else ""


def field_path(path: Iterable[str | int]) -> str:
    """A path as Kubernetes writes it.

    Example:
        >>> field_path(["spec", "containers", 0, "image"])
        'spec.containers[0].image'
    """
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif not step or any(letter in step for letter in "./[]"):
            text += f"[{step!r}]"
        else:
            text += f".{step}" if text else step
    return text
