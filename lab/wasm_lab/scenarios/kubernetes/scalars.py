"""What a plain word of YAML means to Kubernetes.

kubectl and the API server read YAML by ``sigs.k8s.io/yaml``, whose core is go-yaml version 2: the words of
YAML 1.1 for true and false (``yes``, ``on``, ``y``), numbers of Go (``0o17``, ``0x1F``, ``1_000``), no
numbers to the base 60, and dates stay text. PyYAML differs in several of these, so the rules are here.

Source: ``resolve.go`` of go.yaml.in/yaml/v2 2.4.3.
"""

from __future__ import annotations

import re

TRUE = frozenset("y Y yes Yes YES true True TRUE on On ON".split())
FALSE = frozenset("n N no No NO false False FALSE off Off OFF".split())
NULL = frozenset(["", "~", "null", "Null", "NULL"])
INFINITE = {".inf": "inf", "+.inf": "inf", "-.inf": "-inf", ".nan": "nan"}

_INTEGER = re.compile(r"[-+]?(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?")
_BASES = {"0x": 16, "0b": 2, "0o": 8}


def resolve(word: str) -> str | int | float | bool | None:
    """The value of a plain scalar.

    Example:
        >>> resolve("yes"), resolve("0755"), resolve("1_000"), resolve("12:30"), resolve("3")
        (True, 493, 1000, '12:30', 3)
    """
    if word in NULL:
        return None
    first = word[0]
    if first in "yYtToOnNfF":
        return True if word in TRUE else False if word in FALSE else word
    if first not in "0123456789+-.":
        return word
    if word.lower() in INFINITE:
        return float(INFINITE[word.lower()])
    if _DATE.fullmatch(word):
        return word
    plain = word.replace("_", "") if first != "." else word
    if _INTEGER.fullmatch(plain):
        return _integer(plain)
    return float(plain) if _FLOAT.fullmatch(plain) else word


def _integer(word: str) -> int | float:
    sign = -1 if word[0] == "-" else 1
    digits = word.lstrip("+-").lower()
    if len(digits) > 40:  # a hostile length; Go reads what does not fit 64 bits as a float
        return float("inf") * sign if digits.isdigit() and len(digits) > 308 else sign * float(digits)
    if digits[:2] in _BASES:
        value = int(digits[2:], _BASES[digits[:2]])
    else:
        value = int(digits, 8 if len(digits) > 1 and digits[0] == "0" else 10)
    return sign * value if -(2**63) <= sign * value < 2**64 else float(sign * value)


def shown(value: object) -> str:
    """A value as YAML and JSON write it.

    Example:
        >>> shown(True), shown(None), shown("a"), shown([1])
        ('true', 'null', '"a"', '[1]')
    """
    import json

    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "…"
