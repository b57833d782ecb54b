"""Fields of a JSON object that may hold anything: what is of the wrong type becomes a finding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Say = Callable[[str, str, str], None]


class Fields:
    """A JSON object and where it stands."""

    def __init__(self, value: dict[str, Any], where: str, say: Say) -> None:
        self.value = value
        self.where = where
        self._say = say

    def text(self, key: str) -> str:
        """A text; empty, and a finding, where there is none."""
        found = self._of(key, str, "a text")
        if found == "":
            self._say("error", self.where, f"`{key}` is empty.")
        return found or ""

    def number(self, key: str) -> int | None:
        """A whole number."""
        found = self._of(key, int, "a whole number")
        return None if isinstance(found, bool) else found

    def object(self, key: str, *, needed: bool = True) -> Fields | None:
        """An object within this one."""
        found = self._of(key, dict, "an object", needed=needed)
        return None if found is None else Fields(found, self.where, self._say)

    def objects(self, key: str) -> list[Fields] | None:
        """A list of objects; None, and a finding, where it is none."""
        found = self._of(key, list, "a list")
        if found is None:
            return None
        if not all(isinstance(one, dict) for one in found):
            self._say("error", self.where, f"`{key}` holds something that is no object.")
            return None
        return [Fields(one, f"{self.where}, {key}[{at}]", self._say) for at, one in enumerate(found)]

    def texts(self, key: str) -> list[str]:
        """A list of texts; absent or null is an empty one."""
        found = self._of(key, list, "a list", needed=False) or []
        if not all(isinstance(one, str) for one in found):
            self._say("error", self.where, f"`{key}` holds something that is no text.")
            return []
        return found

    def texts_by_name(self, key: str) -> dict[str, str]:
        """An object of texts; absent or null is an empty one."""
        found = self._of(key, dict, "an object", needed=False) or {}
        if not all(isinstance(one, str) for one in found.values()):
            self._say("error", self.where, f"`{key}` holds something that is no text.")
        return {name: one for name, one in found.items() if isinstance(one, str)}

    def _of(self, key: str, kind: type, what: str, *, needed: bool = True) -> Any:
        found = self.value.get(key)
        if found is None:
            if needed:
                self._say("error", self.where, f"It has no `{key}`.")
            return None
        if not isinstance(found, kind):
            self._say("error", self.where, f"`{key}` is not {what}.")
            return None
        return found
