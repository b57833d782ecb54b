"""A magic's line, parsed as a command line; and the session that all magics share."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from wasm_lab.errors import UsageError

if TYPE_CHECKING:
    import click

    from wasm_lab.session import Session


def session() -> Session:
    """The session of this kernel."""
    from wasm_lab.session import default_session

    return default_session()


def parse_line(command: click.Command, line: str) -> dict[str, Any] | None:
    """The options on a magic line; None when it asked for help, which has then been shown.

    Raises:
        UsageError: an option is unknown or its value is wrong.
    """
    import click

    try:
        words = shlex.split(line)
    except ValueError as error:
        raise UsageError(
            f"The magic line cannot be read: {error}.", hint="Close the quotation mark."
        ) from None
    try:
        with command.make_context(command.name, words) as context:
            return dict(context.params)
    except click.exceptions.Exit:
        return None
    except click.UsageError as error:
        raise UsageError(error.format_message(), hint=f"{command.name} --help lists the options.") from None
