"""Guest output into a notebook cell as it comes, rich content included."""

from __future__ import annotations

import base64
import codecs
import sys

from wasm_lab.cells.rich import RichSplitter


class NotebookSink:
    """An OutputSink that writes text to the cell and displays rich content.

    Rich content follows evcxr's convention: text between ``EVCXR_BEGIN_CONTENT type``
    and ``EVCXR_END_CONTENT`` on standard output, base64 for images.
    """

    def __init__(self) -> None:
        self._splitter = RichSplitter()
        self._decoders = {
            name: codecs.getincrementaldecoder("utf-8")(errors="replace") for name in ("stdout", "stderr")
        }

    def __call__(self, stream: str, data: bytes) -> None:
        if stream == "stderr":
            sys.stderr.write(self._decoders["stderr"].decode(data))
            return
        for mime, content in self._splitter.feed(data):
            self._show(mime, content)

    def flush(self) -> None:
        """Show what is still held back: the end of a program that stopped in mid-character."""
        for mime, content in self._splitter.close():
            self._show(mime, content)
        for name, stream in (("stdout", sys.stdout), ("stderr", sys.stderr)):
            rest = self._decoders[name].decode(b"", final=True)
            if rest:
                stream.write(rest)

    def _show(self, mime: str | None, content: bytes) -> None:
        if mime is None:
            sys.stdout.write(self._decoders["stdout"].decode(content))
            return
        from IPython.display import publish_display_data

        text = content.decode(errors="replace")
        if mime.startswith("image/") and mime != "image/svg+xml":
            data = {mime: text.strip(), "text/plain": f"<{mime}, {len(base64.b64decode(text))} bytes>"}
        else:
            data = {mime: text, "text/plain": text if mime == "text/plain" else f"<{mime}>"}
        publish_display_data(data)


class PassingSink:
    """An OutputSink that passes everything on to this process's own streams, byte for byte."""

    def __call__(self, stream: str, data: bytes) -> None:
        own = sys.stderr if stream == "stderr" else sys.stdout
        own.buffer.write(data)
        own.buffer.flush()

    def flush(self) -> None:
        """Nothing is held back."""


class TerminalSink:
    """An OutputSink for a terminal: rich content that is text is printed, the rest is named."""

    def __init__(self) -> None:
        self._splitter = RichSplitter()

    def __call__(self, stream: str, data: bytes) -> None:
        if stream == "stderr":
            sys.stderr.buffer.write(data)
            sys.stderr.buffer.flush()
            return
        self._show(self._splitter.feed(data))

    def flush(self) -> None:
        """Print what is still held back."""
        self._show(self._splitter.close())

    def _show(self, pieces: list[tuple[str | None, bytes]]) -> None:
        for mime, content in pieces:
            if mime is None:
                sys.stdout.buffer.write(content)
            elif mime.startswith("text/"):
                sys.stdout.buffer.write(content + b"\n")
            else:
                sys.stdout.buffer.write(f"<{mime}, {len(content)} bytes>\n".encode())
        sys.stdout.buffer.flush()
