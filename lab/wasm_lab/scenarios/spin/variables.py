"""The values of an application's variables.

A variable gets its value from the first that has one: what was given on the command line, the
environment (``SPIN_VARIABLE_NAME``), a file ``.env`` beside the manifest, its default.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from wasm_lab.errors import UsageError
from wasm_lab.scenarios.spin.dotenv import read_dotenv
from wasm_lab.scenarios.spin.templates import fill

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from wasm_lab.scenarios.spin.manifest import ComponentManifest, Manifest

#: What stands before a variable's name in the environment.
PREFIX = "SPIN_VARIABLE_"

#: What is shown instead of a secret.
HIDDEN = "•••"


class Variables:
    """The values of one application's variables; never shows a secret one.

    Args:
        manifest: declares the variables.
        given: values that go before all others, by name.
        environment: read instead of this process's own environment.

    Raises:
        UsageError: a value is given for a variable that is not declared, or ``.env`` is wrong.

    Example:
        >>> from pathlib import Path
        >>> from wasm_lab.scenarios.spin.manifest import Manifest, Variable
        >>> declared = {"x": Variable(name="x", required=True)}
        >>> app = Manifest(name="a", path=Path("/nowhere/spin.toml"), variables=declared)
        >>> Variables(app, given={"x": "7"}).fill("x is {{ x }}")
        'x is 7'
    """

    def __init__(
        self,
        manifest: Manifest,
        *,
        given: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._declared = manifest.variables
        given = given or {}
        unknown = sorted(set(given) - set(self._declared))
        if unknown:
            known = ", ".join(self._declared) or "none"
            raise UsageError(
                f"The application declares no variable `{unknown[0]}`.",
                hint=f"It declares: {known}. Another is declared in [variables] of {manifest.path.name}.",
            )
        environment = os.environ if environment is None else environment
        dotenv = read_dotenv(manifest.folder / ".env")
        self._values: dict[str, str] = {}
        for name, variable in self._declared.items():
            key = PREFIX + name.upper()
            found = (given.get(name), environment.get(key), dotenv.get(key), variable.default)
            value = next((value for value in found if value is not None), None)
            if value is not None:
                self._values[name] = value

    def __repr__(self) -> str:
        return f"Variables({', '.join(f'{name}={shown}' for name, shown in self.shown().items())})"

    def shown(self) -> dict[str, str]:
        """Each variable as it may be printed: a secret one is hidden, one without a value says so."""
        return {
            name: "(no value)"
            if name not in self._values
            else HIDDEN
            if variable.secret
            else self._values[name]
            for name, variable in self._declared.items()
        }

    def value(self, name: str) -> str:
        """The value of an application variable.

        Raises:
            UsageError: it has none, or is not declared.
        """
        if name in self._values:
            return self._values[name]
        if name not in self._declared:
            raise UsageError(
                f"The application declares no variable `{name}`.",
                hint="Declare it in [variables] of spin.toml.",
            )
        raise UsageError(
            f"The required variable `{name}` has no value.",
            hint=f"Set {PREFIX}{name.upper()} in the environment or in .env beside the manifest, "
            f"or give --variable {name}=VALUE.",
        )

    def fill(self, template: str) -> str:
        """Put values into a template.

        Raises:
            UsageError: a variable has no value.
        """
        return fill(template, self.value)

    def of(self, component: ComponentManifest) -> dict[str, str]:
        """The component's own variables with their values, secrets included.

        Raises:
            UsageError: an application variable that one of them needs has no value.
        """
        return {name: self.fill(template) for name, template in component.variables.items()}

    def missing(self) -> tuple[str, ...]:
        """The required variables that have no value."""
        return tuple(name for name in self._declared if name not in self._values)

    def redact(self, text: str) -> str:
        """Hide the values of secret variables in a text that is about to be shown."""
        secrets = [
            self._values[name]
            for name, variable in self._declared.items()
            if variable.secret and self._values.get(name)
        ]
        for secret in sorted(secrets, key=len, reverse=True):
            text = text.replace(secret, HIDDEN)
        return text


def given_variables(words: Sequence[str], folder: Path) -> dict[str, str]:
    """Read what ``--variable`` was given, in the forms that Spin knows.

    ``NAME=VALUE``; ``NAME=@FILE``, whose text is the value; ``@FILE.json`` or ``@FILE.toml``, which hold a
    table of names and texts.

    Raises:
        UsageError: a word is of none of these forms, or a file cannot be read. The message holds no value.
    """
    found: dict[str, str] = {}
    for word in words:
        if word.startswith("@"):
            found |= _from_file(folder / word[1:])
            continue
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise UsageError(
                "--variable takes NAME=VALUE, or @FILE.", hint="Such as --variable greeting=hello."
            )
        found[name] = _text(folder / value[1:]) if value.startswith("@") else value
    return found


def _from_file(path: Path) -> dict[str, str]:
    import tomllib

    readers = {".json": json.loads, ".toml": tomllib.loads}
    if path.suffix not in readers:
        raise UsageError(
            f"{path.name} is neither .json nor .toml.",
            hint="For the value of one variable: --variable NAME=@FILE.",
        )
    text = _text(path)
    try:
        values = readers[path.suffix](text)
    except ValueError:
        raise UsageError(f"{path.name} is damaged.", hint="It holds a table of names and texts.") from None
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        raise UsageError(f"{path.name} must hold a table whose values are texts.")
    return values


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path.name} cannot be read: {error.strerror or error}.") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path.name} is no UTF-8 text.") from None
