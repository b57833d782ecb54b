"""Any of the lab's records as plain data, ready for ``json.dumps``."""

from __future__ import annotations

import base64
import math
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import PurePath
from typing import Any


def plain(value: Any) -> Any:
    """Dictionaries, lists, text, numbers, booleans and None.

    Bytes become text when they are UTF-8, else ``{"base64": …}``. A number that is none becomes None: JSON has no NaN.

    Example:
        >>> plain({"out": b"hi"})
        {'out': 'hi'}
        >>> plain(float("nan")) is None
        True
    """
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, PurePath):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    return [plain(item) for item in value]
