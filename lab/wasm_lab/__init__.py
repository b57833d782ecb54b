"""wasm-lab: test what is claimed of Rust and WebAssembly by running it.

In a notebook, ``%load_ext wasm_lab`` and write Rust in a ``%%wasm_rust`` cell. In Python:

    >>> import wasm_lab
    >>> wasm_lab.execute('fn main() { println!("hello"); }').stdout
    b'hello\\n'

Nothing heavy is imported until it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wasm_lab._version import __version__

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from wasm_lab.artifact import Artifact
    from wasm_lab.capabilities import Capabilities
    from wasm_lab.live import LiveCell
    from wasm_lab.run import Run
    from wasm_lab.views.panel import Panel

__all__ = [
    "Capabilities",
    "__version__",
    "cell",
    "compile",
    "execute",
    "last_run",
    "load",
    "load_ipython_extension",
    "panel",
]


def __getattr__(name: str) -> Any:
    if name == "Capabilities":
        from wasm_lab.capabilities import Capabilities

        return Capabilities
    raise AttributeError(f"module 'wasm_lab' has no attribute {name!r}")


def compile(code: str, *, language: str = "rust", **options: Any) -> Artifact:
    """Build ``code``, as a cell is built.

    Args:
        code: Rust, with a frontmatter header where it has dependencies; or code in ``language``.
        language: ``rust``, ``c``, ``cpp``, ``zig`` or ``go``.
        options: as `wasm_lab.cells.parse_cell` takes them: ``name``, ``profile``, ``target``, ``edition``;
            of other languages, ``name`` and ``profile``.

    Raises:
        CompileError, DependencyError, HeaderError, ToolchainError: why there is no artifact.

    Example:
        >>> compile('fn main() {}').is_component
        False
    """
    from wasm_lab.session import default_session

    if language != "rust":
        from wasm_lab.cells.languages import parse_language_cell

        return default_session().compile(parse_language_cell(code, language=language, **options))
    from wasm_lab.cells import parse_cell

    return default_session().compile(parse_cell(code, **options))


def execute(code: str | Artifact, capabilities: Capabilities | None = None, *, audit: bool = False) -> Run:
    """Run a program, given as Rust or as an Artifact, in a fresh sandbox.

    Raises:
        GuestFailure: it did not end well; ``error.run`` has the Run.
        CompileError, DependencyError, HeaderError, ToolchainError: why there is no artifact.

    Example:
        >>> execute('fn main() { print!("{}", 6 * 7); }').stdout
        b'42'
    """
    from wasm_lab.session import default_session, raise_for_failure

    artifact = compile(code) if isinstance(code, str) else code
    result = default_session().run(artifact, capabilities, audit=audit)
    raise_for_failure(result)
    return result


def load(code: str | Artifact, capabilities: Capabilities | None = None, *, audit: bool = False) -> LiveCell:
    """The public functions of a library, given as Rust or as an Artifact, as Python calls.

    Example:
        >>> load('pub fn double(x: i32) -> i32 { 2 * x }').functions["double"](21)
        42
    """
    from wasm_lab.session import default_session

    artifact = compile(code) if isinstance(code, str) else code
    return default_session().define(artifact, capabilities, audit=audit)


def cell(name: str) -> LiveCell:
    """The live cell of that name in this notebook. Raises UsageError when there is none."""
    from wasm_lab.session import default_session

    return default_session().cell(name)


def last_run() -> Run | None:
    """The Run of the last program in this notebook, with its audit when that was asked for."""
    from wasm_lab.session import default_session

    return default_session().last_run


def panel(x: Any, capabilities: Capabilities | None = None, **options: Any) -> Panel:
    """A panel of switches that re-runs a program as capabilities are toggled; see `wasm_lab.views.panel.panel`.

    Args:
        x: an Artifact, a path to a .rs, .wasm or .wat file, the name of a cell, or Rust text.
        capabilities: what is granted at first; the defaults when it is None.
        options: ``runtime`` (a name) and ``audit`` (whether host calls are listed) at first.

    Example:
        >>> panel('fn main() { println!("hello"); }').current.stdout
        b'hello\\n'
    """
    from wasm_lab.views.panel import panel as made

    return made(x, capabilities, **options)


def load_ipython_extension(shell: InteractiveShell) -> None:
    """What ``%load_ext wasm_lab`` calls: registers the magics."""
    from wasm_lab.magics import register

    register(shell)
