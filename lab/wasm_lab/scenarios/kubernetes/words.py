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
    if not found and len(lower) > 2:  # one letter of a short word is a large part of it
        found = [name for name in by_lower if len(name) > 2 and distance(lower, name) == 1]
    return by_lower[found[0]] if found else ""


def distance(word: str, meant: str) -> int:
    """How many letters were changed, lost, added or exchanged; 3 for more than two.

    Example:
        >>> distance("networking.k8s.oi", "networking.k8s.io"), distance("gateway.k8s.io", "node.k8s.io")
        (1, 3)
    """
    if abs(len(word) - len(meant)) > 2:
        return 3
    rows: list[list[int]] = [[*range(len(meant) + 1)]]
    for i, letter in enumerate(word, 1):
        row = [i]
        for j, other in enumerate(meant, 1):
            cost = min(rows[-1][j] + 1, row[j - 1] + 1, rows[-1][j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == meant[j - 2] and word[i - 2] == other:
                cost = min(cost, rows[-2][j - 2] + 1)
            row.append(cost)
        rows.append(row)
    return min(rows[-1][-1], 3)


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
