"""The twins that come with the samples: ``kernels/NAME.js`` and ``kernels/NAME.py`` beside ``NAME.rs``."""

from __future__ import annotations

import functools
import re
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

#: What ends the name of a twin that does the same work by what the language brings along.
BUILTIN = "_builtin"
#: The functions of a kernel, for which there are twins; a twin's other functions are its own.
_PUBLIC = re.compile(r"^pub fn (\w+)", re.MULTILINE)
#: A function at the top level of a file, and its parameters, by the ending of the file.
_DEFINED = {
    ".js": re.compile(r"^function (\w+)\(([^)]*)\)", re.MULTILINE),
    ".py": re.compile(r"^def (\w+)\(([^)]*)\)", re.MULTILINE),
}


def samples_folder() -> Path:
    """The folder of the samples: the checkout's ``wasm_samples``, else the one inside the wheel.

    Raises:
        UsageError: this installation has none.
    """
    package = Path(str(resources.files("wasm_lab")))
    for folder in (package.parent.parent / "wasm_samples", package / "wasm_samples"):
        if (folder / "kernels").is_dir():
            return folder
    raise UsageError(
        "The samples are not part of this installation.",
        hint="Install the wheel of wasm-lab, or clone its repository.",
    )


def js_twin_for(function: str, parameters: Sequence[str] | None = None) -> str | None:
    """The JavaScript text that comes with the samples and defines ``function``; None when none does.

    Args:
        function: the name of a Rust function, such as ``count_primes``.
        parameters: the names of its parameters. Where they are given, a twin is ready only when its
            own have the same names: a function that only shares a name with a sample is no twin.

    Example:
        >>> "function fib(n)" in js_twin_for("fib")
        True
        >>> js_twin_for("fib", ["first", "second"]) is None
        True
    """
    return _text_for(function, parameters, ".js")


def python_twin_for(function: str, parameters: Sequence[str] | None = None) -> str | None:
    """The Python text that comes with the samples and defines ``function``; as `js_twin_for`.

    Example:
        >>> "def fib(n: int) -> int:" in python_twin_for("fib")
        True
    """
    return _text_for(function, parameters, ".py")


def _text_for(function: str, parameters: Sequence[str] | None, ending: str) -> str | None:
    found = _defined(ending).get(function)
    if found is None or (parameters is not None and tuple(parameters) != found[1]):
        return None
    return found[0].read_text(encoding="utf-8")


@functools.cache
def _defined(ending: str) -> dict[str, tuple[Path, tuple[str, ...]]]:
    """Each function that has a twin: the file that defines the twin, and the names of its parameters."""
    functions = {}
    for path in sorted((samples_folder() / "kernels").glob(f"*{ending}")):
        public = set(_PUBLIC.findall(path.with_suffix(".rs").read_text(encoding="utf-8")))
        for name, parameters in _DEFINED[ending].findall(path.read_text(encoding="utf-8")):
            if name.removesuffix(BUILTIN) not in public:
                continue
            names = tuple(each.partition(":")[0].strip() for each in parameters.split(",") if each.strip())
            functions[name] = (path, names)
    return functions
