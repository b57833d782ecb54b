"""Rich content in a program's output, by evcxr's convention.

A program prints ``EVCXR_BEGIN_CONTENT type/subtype``, the content, and
``EVCXR_END_CONTENT``, each marker on a line of its own; images are base64. The value of a
cell's last expression travels the same way, as ``text/plain``.
Source: https://github.com/evcxr/evcxr/blob/main/evcxr_jupyter/README.md (custom output).
"""

from __future__ import annotations

BEGIN = b"EVCXR_BEGIN_CONTENT"
END = b"EVCXR_END_CONTENT"
_MARKER = BEGIN + b" "


class RichSplitter:
    """Splits output into plain text and rich content, in pieces as they come.

    Example:
        >>> splitter = RichSplitter()
        >>> splitter.feed(b"a\\nEVCXR_BEGIN_CONTENT text/html\\n<b>x</b>\\nEVCXR_END_CO")
        [(None, b'a\\n')]
        >>> splitter.feed(b"NTENT\\nb") + splitter.close()
        [('text/html', b'<b>x</b>'), (None, b'b')]
    """

    def __init__(self) -> None:
        self._held = b""
        self._mime: str | None = None
        self._content: list[bytes] = []

    def feed(self, data: bytes) -> list[tuple[str | None, bytes]]:
        """What is complete so far: (None, text) or (MIME type, content)."""
        self._held += data
        pieces: list[tuple[str | None, bytes]] = []
        plain: list[bytes] = []
        whole, newline, self._held = self._held.rpartition(b"\n")
        if newline and self._mime is None and _MARKER not in whole:
            plain.append(whole + newline)
        elif newline:
            for line in whole.split(b"\n"):
                self._take(line + newline, plain, pieces)
        if self._mime is None and _MARKER not in self._held:
            # Only what may yet become a marker waits for the rest of its line.
            keep = _start_of_marker(self._held)
            plain.append(self._held[: len(self._held) - keep])
            self._held = self._held[len(self._held) - keep :]
        _flush(plain, pieces)
        return pieces

    def close(self) -> list[tuple[str | None, bytes]]:
        """What is left at the end; content that was never closed comes as plain text."""
        rest = self._held
        self._held = b""
        if self._mime is None:
            return [(None, rest)] if rest else []
        if rest.strip() == END:
            pieces = [(self._mime, self._whole())]
            self._mime = None
            return list(pieces)
        unclosed = BEGIN + b" " + self._mime.encode() + b"\n" + b"".join(self._content) + rest
        self._mime = None
        return [(None, unclosed)]

    def _take(self, line: bytes, plain: list[bytes], pieces: list[tuple[str | None, bytes]]) -> None:
        if self._mime is not None:
            if line.strip() == END:
                pieces.append((self._mime, self._whole()))
                self._mime = None
            else:
                self._content.append(line)
        elif _MARKER in line:
            # A program may have printed without a line end before the marker.
            before, _, mime = line.partition(_MARKER)
            plain.append(before)
            _flush(plain, pieces)
            self._mime = mime.decode(errors="replace").strip()
            self._content = []
        else:
            plain.append(line)

    def _whole(self) -> bytes:
        return b"".join(self._content).removesuffix(b"\n")


def _flush(plain: list[bytes], pieces: list[tuple[str | None, bytes]]) -> None:
    text = b"".join(plain)
    plain.clear()
    if text:
        pieces.append((None, text))


def _start_of_marker(text: bytes) -> int:
    """How many bytes at the end of ``text`` are the beginning of a marker."""
    return next((n for n in range(min(len(text), len(_MARKER)), 0, -1) if _MARKER.startswith(text[-n:])), 0)
