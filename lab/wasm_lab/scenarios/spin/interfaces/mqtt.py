"""MQTT, which this host does not have: the guest is told so, and who runs the application how to go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wasm_lab.components import Err
from wasm_lab.scenarios.spin.interfaces.limits import no_service, tell
from wasm_lab.scenarios.spin.interfaces.variants import variant
from wasm_lab.scenarios.spin.outbound import destination

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wasm_lab.scenarios.spin.context import ComponentContext

Error = variant("Error", "InvalidAddress TooManyConnections", "ConnectionFailed Other")


def implement(context: ComponentContext) -> Mapping[str, object]:
    """Imports that refuse."""
    component = context.component.id

    class mqtt:  # noqa: N801 - an interface, whose names are the WIT's
        class Connection:
            @staticmethod
            def open(address: str, username: str, password: str, keep_alive_interval_in_secs: int) -> Any:
                if destination(address, "mqtt") is not None and not context.outbound.allows(address, "mqtt"):
                    tell(context.outbound.refusal(address, component, "mqtt"))
                    raise Err(Error.ConnectionFailed(f"address {address} is not permitted"))
                raise Err(Error.ConnectionFailed(no_service("MQTT", component)))

            def publish(self, topic: str, payload: bytes, qos: Any) -> None:
                raise Err(Error.ConnectionFailed(no_service("MQTT", component)))

    return {"fermyon:spin/mqtt@2.0.0": mqtt}
