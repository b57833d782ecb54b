"""MySQL, which this host does not have: the guest is told so, and who runs the application how to go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wasm_lab.components import Err
from wasm_lab.scenarios.spin.interfaces.limits import no_service, tell
from wasm_lab.scenarios.spin.interfaces.variants import variant
from wasm_lab.scenarios.spin.outbound import destination

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wasm_lab.scenarios.spin.context import ComponentContext

_ERRORS = "ConnectionFailed BadParameter QueryFailed ValueConversionFailed"
Error = variant("Error", "", f"{_ERRORS} Other")
ErrorV1 = variant("MysqlError", "Success", f"{_ERRORS} OtherError")


def implement(context: ComponentContext) -> Mapping[str, object]:
    """Imports that refuse."""
    component = context.component.id

    def refusal(address: str) -> str:
        if destination(address, "mysql") is not None and not context.outbound.allows(address, "mysql"):
            tell(context.outbound.refusal(address, component, "mysql"))
            return f"address {address} is not permitted"
        return no_service("MySQL", component)

    class mysql:  # noqa: N801 - an interface, whose names are the WIT's
        class Connection:
            @staticmethod
            def open(address: str) -> Any:
                raise Err(Error.ConnectionFailed(refusal(address)))

            def query(self, statement: str, params: Sequence[Any]) -> Any:
                raise Err(Error.ConnectionFailed(no_service("MySQL", component)))

            def execute(self, statement: str, params: Sequence[Any]) -> None:
                raise Err(Error.ConnectionFailed(no_service("MySQL", component)))

    class mysql_v1:  # noqa: N801
        @staticmethod
        def query(address: str, statement: str, params: Sequence[Any]) -> Any:
            raise Err(ErrorV1.ConnectionFailed(refusal(address)))

        @staticmethod
        def execute(address: str, statement: str, params: Sequence[Any]) -> None:
            raise Err(ErrorV1.ConnectionFailed(refusal(address)))

    return {"fermyon:spin/mysql@2.0.0": mysql, "fermyon:spin/mysql": mysql_v1}
