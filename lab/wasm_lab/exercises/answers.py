"""Answers that are text, never executed: a choice, a manifest, a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wasm_lab.errors import UsageError
from wasm_lab.exercises.markers import without_markers

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Dots in one line of an answer in TOML: its keys may have parts.
MOST_DOTS = 500

#: Keys of one table of an answer in YAML, after others were merged into it.
MOST_MERGED = 10_000


def read_answer(text: str, *, form: str = "", choices: Sequence[str] = ()) -> Any:
    """What the text of an answer cell means.

    Args:
        form: ``toml`` or ``yaml``; else the text itself is the answer.
        choices: the text must be one of these, whatever the case of its letters; lines that begin with #
            do not count.

    Raises:
        UsageError: the text is no TOML or YAML, or none of the choices.

    Example:
        >>> read_answer("# which one?\\nYes", choices=("yes", "no"))
        'yes'
        >>> read_answer("port = 8080", form="toml")
        {'port': 8080}
    """
    text = without_markers(text)
    if choices:
        return _chosen(text, choices)
    if form == "toml":
        import tomllib

        # Its reader keeps every beginning of a key, so that the time and memory of one grow as its parts squared.
        if any(line.count(".") > MOST_DOTS for line in text.split("\n")):  # as TOML divides lines
            raise UsageError(
                f"A line has more than {MOST_DOTS} dots, and is not read.",
                hint="Keys have a few parts at most.",
            )
        try:
            return tomllib.loads(text)
        except (ValueError, RecursionError) as error:  # also for numbers and depths that Python refuses
            raise UsageError(f"This is no TOML: {error}.", hint="Lines count from below the magic.") from None
    if form == "yaml":
        import yaml

        class Loader(yaml.SafeLoader):
            """Refuses tables that are merged (``<<``) into very large ones: each level may multiply them."""

            def flatten_mapping(self, node: Any) -> None:
                super().flatten_mapping(node)
                if len(node.value) > MOST_MERGED:
                    raise yaml.YAMLError(f"tables of more than {MOST_MERGED} keys are merged")

        try:
            return yaml.load(text, Loader)
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            raise UsageError(f"This is no YAML: {error}.", hint="Lines count from below the magic.") from None
    return text.strip()


def _chosen(text: str, choices: Sequence[str]) -> str:
    lines = [line.strip() for line in text.splitlines()]
    given = " ".join(line for line in lines if line and not line.startswith("#"))
    for choice in choices:
        if choice.casefold() == given.casefold():
            return choice
    said = f"{given[:60]!r} is none of the answers." if given else "Nothing is chosen yet."
    raise UsageError(said, hint=f"Write one of: {', '.join(choices)}")
