"""Whether this machine can keep a student's code in, and what a report says of it."""

from __future__ import annotations

from wasm_lab.errors import UnsupportedError


def check_walls() -> None:
    """Refuse where nothing can keep a student's code in.

    Raises:
        UnsupportedError: the kernel has no walls.
    """
    from wasm_lab.confine.landlock import landlock_version

    if not landlock_version():
        raise UnsupportedError(
            "Nothing here can keep a student's code from this machine's files: the kernel has no Landlock.",
            hint="Grade on Linux 5.13 or later with Landlock switched on, or, where only code that you trust "
            "is graded, say --without-walls.",
        )


def walls_in_words(walls: bool) -> str:
    """What stands around compilers and guests, for the report.

    Args:
        walls: whether there are any.

    Example:
        >>> walls_in_words(False)
        "No walls: students' code was compiled with the rights of whoever graded. It ran in Wasm."
    """
    if not walls:
        return "No walls: students' code was compiled with the rights of whoever graded. It ran in Wasm."
    return "Landlock around the compiler and around every guest; students' code ran in Wasm only."
