"""``%%answer``: a cell of an exercise whose text is the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wasm_lab.errors import UsageError

if TYPE_CHECKING:
    import click
    from IPython.core.interactiveshell import InteractiveShell


def answer_command() -> click.Command:
    """The options of ``%%answer``."""
    import click

    @click.command("%%answer")
    @click.option(
        "--toml", "form", flag_value="toml", default="", help="NAME becomes the table of a TOML text."
    )
    @click.option("--yaml", "form", flag_value="yaml", help="NAME becomes what a YAML text holds.")
    @click.option("--choice", default="", metavar="A,B,…", help="The text must be one of these.")
    @click.argument("name")
    def answer() -> None:
        """Keep the text of a cell under the Python name NAME, without executing it.

        With --choice, lines that begin with # do not count.
        """

    return answer


def keep(shell: InteractiveShell, options: dict[str, Any], text: str) -> None:
    """Bind the answer to its name; an earlier one is gone where this one cannot be read."""
    from wasm_lab.exercises.answers import read_answer

    name = options["name"]
    if not name.isidentifier():
        raise UsageError(f"{name!r} is no Python name.", hint="Such as: %%answer verdict")
    shell.user_ns.pop(name, None)
    choices = [choice.strip() for choice in options["choice"].split(",") if choice.strip()]
    shell.user_ns[name] = read_answer(text, form=options["form"] or "", choices=choices)
