"""From WIT's kebab-case names to Python's."""

from __future__ import annotations

import functools
import keyword


@functools.cache
def snake(name: str) -> str:
    """The name of a function, field or parameter.

    Example:
        >>> snake("get-random-u64"), snake("from"), snake("HTTP-method")
        ('get_random_u64', 'from_', 'http_method')
    """
    text = name.replace("-", "_").lower()
    return f"{text}_" if keyword.iskeyword(text) else text


@functools.cache
def pascal(name: str) -> str:
    """The name of a type, or of a variant's case.

    Example:
        >>> pascal("input-stream"), pascal("none"), pascal("DNS-error")
        ('InputStream', 'None_', 'DnsError')
    """
    text = "".join(word.capitalize() for word in name.split("-"))
    return f"{text}_" if keyword.iskeyword(text) else text


@functools.cache
def constant(name: str) -> str:
    """The name of a member of an enum or of flags.

    Example:
        >>> constant("dark-blue"), constant("mro")
        ('DARK_BLUE', 'MRO')
    """
    return name.replace("-", "_").upper()


def version_of(interface: str) -> tuple[str, str]:
    """An interface's name without its version, and the version (may be empty).

    Example:
        >>> version_of("wasi:io/poll@0.2.0"), version_of("math")
        (('wasi:io/poll', '0.2.0'), ('math', ''))
    """
    name, _, version = interface.partition("@")
    return name, version
