"""Reading a ``.env`` file."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from wasm_lab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LINE = re.compile(
    r"""\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.]*)\s*=\s*
        (?:'([^']*)'|"((?:[^"\\]|\\.)*)"|([^\s'"#](?:[^#]|(?<!\s)\#)*)?)\s*(?:\#.*)?""",
    re.VERBOSE | re.DOTALL,
)
ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


def read_dotenv(path: Path) -> dict[str, str]:
    """Read ``NAME=value`` lines; an empty table when there is no such file.

    Values stand in single quotes (as they are), in double quotes (with escapes) or in none, and may
    name others as ``$NAME`` or ``${NAME}`` except in single quotes. The first of two lines with the
    same name counts.

    Raises:
        UsageError: the file cannot be read, or a line is wrong. The message holds no value.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path.name} cannot be read: {error}.") from None
    values: dict[str, str] = {}
    lines = iter(enumerate(text.splitlines(), 1))
    for number, first in lines:
        if not first.strip() or first.lstrip().startswith("#"):
            continue
        line = first
        while _open_quote(line) and (more := next(lines, None)):  # a quoted value may go on in the next line
            line += "\n" + more[1]
        match = LINE.fullmatch(line)
        if match is None:
            raise UsageError(
                f"Line {number} of {path.name} is not NAME=value.",
                hint='A value with spaces or # stands in quotes: NAME="some value".',
            )
        name, single, double, plain = match.groups()
        if single is not None:
            value = single
        elif double is not None:
            value = _fill(re.sub(r"\\(.)", lambda found: ESCAPES.get(found[1], found[1]), double), values)
        else:
            value = _fill((plain or "").strip(), values)
        values.setdefault(name, value)
    return values


def _open_quote(line: str) -> bool:
    value = line.partition("=")[2].lstrip()
    return value.startswith('"') and not re.match(r'"(?:[^"\\]|\\.)*"', value, re.DOTALL)


def _fill(value: str, values: Mapping[str, str]) -> str:
    def known(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        return os.environ.get(name, values.get(name, ""))

    return re.sub(r"\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))", known, value)
