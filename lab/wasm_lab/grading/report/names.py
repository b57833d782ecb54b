"""Names of files for students, whatever a student is called."""

from __future__ import annotations

import hashlib
import re
import unicodedata

_LETTERS = 40


def file_stem(student: str) -> str:
    """A file's name, without its ending, that is safe on every system and differs for each student.

    It begins with what is readable of the name and ends with 48 bits of its SHA-256, so that names which differ in
    case alone, or in letters that a file's name cannot hold, keep apart, and none is a reserved name.

    Example:
        >>> file_stem("Ada Lovelace")
        'ada-lovelace-767402161715'
        >>> file_stem("../../etc/passwd")
        'etc-passwd-3754d6cb3a38'
    """
    plain = unicodedata.normalize("NFKD", student).encode("ascii", "ignore").decode().lower()
    readable = re.sub(r"[^a-z0-9]+", "-", plain)[:_LETTERS].strip("-") or "student"
    return f"{readable}-{hashlib.sha256(student.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"
