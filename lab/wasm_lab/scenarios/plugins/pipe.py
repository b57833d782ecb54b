"""The other way to have plugins: a program of its own, asked by JSON lines over its standard streams."""

from __future__ import annotations

import base64
import json
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from wasm_lab.errors import PluginError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Pipe:
    """A running program that answers one JSON line for each that it reads (crate ``pipe`` of the samples).

    It has the rights of whoever started it: nothing here limits what it reads, writes or uses.

    Raises:
        PluginError: it cannot be started.
    """

    def __init__(self, program: Path) -> None:
        self.program = program
        try:
            self._process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        except OSError as error:
            raise PluginError(
                f"{program} cannot be started: {error.strerror}.", plugin=program.name
            ) from None

    def apply(self, data: str | bytes, options: Sequence[tuple[str, str]] = ()) -> str | bytes:
        """What the plugin makes of ``data``.

        Raises:
            PluginError: it failed, or its process has ended.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        packed = (
            {"text": data} if isinstance(data, str) else {"binary": base64.b64encode(data).decode("ascii")}
        )
        request = {"input": packed, "options": list(options)}
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = b""
        if not line:
            status = self._process.wait()
            raise PluginError(
                f"The process of {self.program.name} has ended with status {status}.",
                plugin=self.program.name,
            )
        answer: dict[str, Any] = json.loads(line)
        if "failure" in answer:
            raise PluginError(f"{self.program.name}: {answer['failure']['why']}", plugin=self.program.name)
        output = answer["output"]
        return str(output["text"]) if "text" in output else base64.b64decode(output["binary"])

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.kill()
        # A request that the dead process never read is still in the buffer, and closing tries to send it.
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def __enter__(self) -> Pipe:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
