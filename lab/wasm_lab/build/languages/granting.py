"""What a guest is granted, in the form that its language's library can use: Go finds absolute folders only.

Go makes every path absolute, with the working folder before a relative one, and then looks for the granted
folder whose name the path begins with (``preparePath`` in Go's ``syscall/fs_wasip1.go``). So it never finds one
that is granted as ``.`` or ``sub``, as the libraries of C and Rust do.
"""

from __future__ import annotations

import posixpath
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wasm_lab.artifact import Artifact
    from wasm_lab.capabilities import Capabilities


def granted_to(artifact: Artifact, capabilities: Capabilities) -> Capabilities:
    """The capabilities that give this guest what the same words give to one in Rust.

    Example:
        >>> from wasm_lab.artifact import CORE_PREAMBLE, Artifact
        >>> from wasm_lab.capabilities import Capabilities
        >>> granted_to(Artifact(wasm=CORE_PREAMBLE, label="made elsewhere"), Capabilities()) == Capabilities()
        True
    """
    if artifact.source is None or artifact.source.language != "go":
        return capabilities
    if all(posixpath.isabs(each.guest) for each in capabilities.dirs):
        return capabilities
    # Without PWD Go works in the folder that was granted first, and would look for sub/x in sub/sub/x.
    return replace(
        capabilities,
        dirs=tuple(replace(each, guest=_absolute(each.guest)) for each in capabilities.dirs),
        env={"PWD": "/"} | capabilities.env,
    )


def _absolute(guest: str) -> str:
    return guest if posixpath.isabs(guest) else posixpath.normpath(f"/{guest}")
