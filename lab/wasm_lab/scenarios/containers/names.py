"""Names of images: the grammar of registries, and the full form that container runtimes ask for."""

from __future__ import annotations

import re
from dataclasses import dataclass

from wasm_lab.errors import UsageError

# The grammar of the distribution project (reference/regexp.go), which every runtime and registry follows.
_LABEL = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_DOMAIN = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?")
_PATH = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
_TAG = re.compile(r"[\w][\w.-]{0,127}", re.ASCII)

#: What Docker and containerd take a name without a registry for.
DEFAULT_DOMAIN = "docker.io"
_LONGEST_PATH = 255


@dataclass(frozen=True, slots=True)
class Name:
    """The name of an image, complete.

    Example:
        >>> str(parse_name("hello"))
        'docker.io/library/hello:latest'
        >>> str(parse_name("localhost/hello:1"))
        'localhost/hello:1'
    """

    domain: str  #: the registry, with its port
    path: str
    tag: str

    def __str__(self) -> str:
        return f"{self.domain}/{self.path}:{self.tag}"


def parse_name(text: str) -> Name:
    """The full name that a short one stands for, by the rules of Docker and containerd.

    Raises:
        UsageError: it is no name of an image; the message says which part is wrong.
    """
    if "@" in text:
        raise UsageError(
            f"{text!r} has a digest, which is known only when the image is built.",
            hint="Give a name and a tag, such as localhost/hello:1.",
        )
    first, slash, rest = text.partition("/")
    # The first part is a registry when it could be nothing else.
    is_domain = bool(slash) and (
        "." in first or ":" in first or first == "localhost" or first != first.lower()
    )
    domain, remainder = (first, rest) if is_domain else (DEFAULT_DOMAIN, text)
    path, colon, tag = remainder.partition(":")
    if domain == DEFAULT_DOMAIN and "/" not in path:
        path = f"library/{path}"
    wrong = ""
    if not _DOMAIN.fullmatch(domain):
        wrong = f"{domain!r} is no registry"
    elif len(path) > _LONGEST_PATH:
        wrong = f"its path is longer than {_LONGEST_PATH} characters"
    elif not _PATH.fullmatch(path):
        wrong = f"{path.removeprefix('library/')!r} has to be small letters, digits and single . _ - between"
    elif colon and not _TAG.fullmatch(tag):
        wrong = f"the tag {tag!r} has to be up to 128 letters, digits, _ . -"
    if wrong:
        raise UsageError(
            f"{text!r} is no name of an image: {wrong}.",
            hint="Such as localhost/hello:1 or ghcr.io/me/app:2.",
        )
    return Name(domain, path, tag or "latest")
