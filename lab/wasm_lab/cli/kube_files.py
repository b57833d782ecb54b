"""Commands that take manifests, for fingers that know kubectl."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class FilesCommand(click.Command):
    """A command whose arguments are manifests: it says so to who writes ``-f`` before them."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does, with a word of its own about ``-f``."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            if error.option_name not in ("-f", "--filename"):
                raise
            raise click.UsageError(
                f"Files stand here without {error.option_name}: {ctx.command_path} FILE …", ctx
            ) from None


def _complete(_context: click.Context, _parameter: click.Parameter, start: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    return [CompletionItem(start, type="file")]


#: Files, folders, patterns and ``-``; the shell completes names of files.
files_argument = click.argument("files", nargs=-1, required=True, shell_complete=_complete)
