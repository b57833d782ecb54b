"""Variables of the component: ``fermyon:spin/variables@2.0.0``, ``wasi:config/store`` and ``fermyon:spin/config``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wasm_lab.components import Err
from wasm_lab.scenarios.spin.interfaces.limits import tell
from wasm_lab.scenarios.spin.interfaces.variants import variant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wasm_lab.scenarios.spin.context import ComponentContext

Error = variant("Error", "", "InvalidName Undefined Provider Other")
ConfigError = variant("Error", "", "Upstream Io")
ConfigErrorV1 = variant("Error", "", "Provider InvalidKey InvalidSchema Other")

#: A name as Spin has it: lower case, digits, single underscores between (crate ``spin-expressions``).
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*").fullmatch


class InvalidName(ValueError):
    """It can be no variable's name."""


class Undefined(KeyError):
    """The component has no such variable."""


def implement(context: ComponentContext) -> Mapping[str, object]:
    """The imports that a component's configuration interfaces need."""

    def value(name: str) -> str:
        if not _NAME(name):
            raise InvalidName(
                f"{name[:80]!r} is no name of a variable: lower case, digits and single underscores"
            )
        found = context.variables.get(name)
        if found is None:
            component = context.component.id
            message = f'no variable for "{component}"."{name}"'
            tell(f"{message}. Add `{name}` under [component.{component}.variables].")
            raise Undefined(message)
        return found

    class variables:  # noqa: N801 - an interface, whose names are the WIT's
        """``fermyon:spin/variables@2.0.0``."""

        @staticmethod
        def get(name: str) -> str:
            try:
                return value(name)
            except InvalidName as error:
                raise Err(Error.InvalidName(str(error))) from None
            except Undefined as error:
                raise Err(Error.Undefined(error.args[0])) from None

    class store:  # noqa: N801
        """``wasi:config/store``."""

        @staticmethod
        def get(key: str) -> str | None:
            try:
                return value(key)
            except InvalidName as error:
                raise Err(ConfigError.Io(str(error))) from None
            except Undefined:
                return None

        @staticmethod
        def get_all() -> list[tuple[str, str]]:
            return list(context.variables.items())

    class config:  # noqa: N801
        """``fermyon:spin/config``."""

        @staticmethod
        def get_config(key: str) -> str:
            try:
                return value(key)
            except InvalidName as error:
                raise Err(ConfigErrorV1.InvalidKey(str(error))) from None
            except Undefined as error:
                raise Err(ConfigErrorV1.Provider(error.args[0])) from None

    return {
        "fermyon:spin/variables@2.0.0": variables,
        "wasi:config/store@0.2.0-draft-2024-09-27": store,
        "fermyon:spin/config": config,
    }
