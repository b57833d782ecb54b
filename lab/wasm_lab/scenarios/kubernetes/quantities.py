"""Amounts of memory and processors as Kubernetes writes them.

Source of the grammar: kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity.
"""

from __future__ import annotations

import re
from fractions import Fraction

#: As a pattern for schemas; what Kubernetes' own definitions generate for their fields of this type.
PATTERN = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$"

#: No process fits less: the kernel counts memory in pages, and starting one takes some hundred.
MEMORY_LEAST = 256 * 1024

#: So many processors are thousandths that were meant; and more than any machine has.
CPU_MANY, CPU_MOST = 100, 10_000

_PARTS = re.compile(r"([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]{1,4})?")
_UNITS: dict[str, Fraction] = {
    "": Fraction(1),
    "n": Fraction(1, 10**9),
    "u": Fraction(1, 10**6),
    "m": Fraction(1, 1000),
    **{unit: Fraction(1000) ** power for power, unit in enumerate("kMGTPE", 1)},
    **{f"{unit}i": Fraction(1024) ** power for power, unit in enumerate("KMGTPE", 1)},
}


def amount(value: object) -> Fraction | None:
    """How much a quantity is, exactly; None where it is none.

    Example:
        >>> amount("32Mi"), amount("500m"), amount("32MB")
        (Fraction(33554432, 1), Fraction(1, 2), None)
    """
    if isinstance(value, bool) or value is None:
        return None
    match = _PARTS.fullmatch(str(value))
    if match is None or len(match[1]) > 60:
        return None
    number, unit = Fraction(match[1]), match[2] or ""
    if unit[:1] in "eE" and len(unit) > 1 and unit[1] != "i":
        power = int(unit[1:])
        return number * Fraction(10) ** power if abs(power) <= 60 else None
    return number * _UNITS[unit]


def mend(word: str) -> str:
    """What was probably meant by something that is no quantity.

    Example:
        >>> mend("32MB"), mend("32 Mi"), mend("32mi"), mend("1,5Gi"), mend("half")
        ('32M', '32Mi', '32Mi', '1.5Gi', '')
    """
    match = re.fullmatch(r"\s*([+-]?[0-9]*[.,]?[0-9]+)\s*([A-Za-z]*)\s*", word)
    if match is None:
        return ""
    number, unit = match[1].replace(",", "."), match[2]
    lower = unit.lower()
    if not unit:
        return number
    if lower in ("cpu", "cpus", "core", "cores", "vcpu", "vcpus"):
        return number
    if lower in ("milli", "millicores", "mcpu", "millicpu"):
        return f"{number}m"
    if lower in ("b", "byte", "bytes"):
        return number
    binary = re.fullmatch(r"([kmgtpe])(i|ib|ibi|ibit|ibyte|ibytes)", lower)
    if binary:
        return f"{number}{binary[1].upper()}i"
    decimal = re.fullmatch(r"([kmgtpe])(b|byte|bytes|ega|ilo|iga)?(bytes?)?", lower)
    if decimal:
        return f"{number}{'k' if decimal[1] == 'k' else decimal[1].upper()}"
    return ""


def explained(word: str) -> tuple[str, str]:
    """What is wrong with a quantity, and the mend."""
    meant = mend(word)
    why = ""
    if re.search(r"[0-9][KMGTP]i?[Bb]$", word, re.IGNORECASE):
        why = " There is no B in it."
    elif re.search(r"\s", word):
        why = " No space may stand in it."
    elif re.search(r"[0-9](mi|gi|ki|ti|MI|GI|KI|TI|mI|gI)$", word) or re.search(r"[0-9][gtp]$|[0-9]K$", word):
        why = " Capital letters matter: Ki, Mi, Gi count by 1024; k, M, G by 1000; m is a thousandth."
    elif "," in word:
        why = " The decimal sign is a point."
    hint = (
        f"Write {meant}." if meant else "A number and a unit: 500m, 2 (processors); 32Mi, 1Gi, 64M (bytes)."
    )
    if meant and (unit := meant[-1:]) in "MGTkK" and re.search(r"[0-9]\s*[kmgt]b", word, re.IGNORECASE):
        hint = f"Write {meant} for units of 1000, or {meant[:-1]}{unit.upper()}i for units of 1024."
    return why, hint
