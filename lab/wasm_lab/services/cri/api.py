"""The calls and messages of the CRI, made from its descriptor."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wasm_lab.errors import ContainerError, ServiceError

if TYPE_CHECKING:
    from collections.abc import Mapping

DESCRIPTOR = Path(__file__).with_name("api.binpb")
PACKAGE = "runtime.v1"

#: Seconds that one call may take; a pod on a busy machine takes one.
CALL_S = 120.0

HOW = "To get it: pip install 'wasm-lab[kubernetes]'."


def cri_missing() -> str:
    """Why the CRI cannot be spoken here and how to mend that; empty when it can."""
    try:
        import google.protobuf
        import grpc  # noqa: F401
    except ImportError as error:
        return f"The package {error.name} is missing, by which container runtimes are asked. {HOW}"
    del google
    return ""


@functools.cache
def _calls() -> dict[str, tuple[str, Any, Any]]:
    """Name of a call to its path, its request's class and its answer's."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    files = descriptor_pb2.FileDescriptorSet.FromString(DESCRIPTOR.read_bytes())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    found = {}
    for name in ("RuntimeService", "ImageService"):
        service = pool.FindServiceByName(f"{PACKAGE}.{name}")
        for method in service.methods:
            asked = message_factory.GetMessageClass(method.input_type)
            answered = message_factory.GetMessageClass(method.output_type)
            found[method.name] = (f"/{PACKAGE}.{name}/{method.name}", asked, answered)
    return found


class Api:
    """The calls of one container runtime."""

    def __init__(self, address: str) -> None:
        """Takes the path of its Unix socket.

        Raises:
            ServiceError: grpcio or protobuf is missing.
        """
        why = cri_missing()
        if why:
            raise ServiceError("Container runtimes cannot be asked here.", hint=why)
        import grpc

        self._channel = grpc.insecure_channel(
            f"unix://{address}",
            options=[("grpc.max_receive_message_length", 64 << 20), ("grpc.enable_http_proxy", 0)],
        )

    def call(self, name: str, *, timeout_s: float = CALL_S, **fields: Any) -> Any:
        """Make one call; its answer as a message of protobuf.

        Takes the fields of the request as plain data, nested ones as dicts, enumerations by name.

        Raises:
            ContainerError: the runtime refused, or did not answer in time; with what it said.
        """
        import grpc
        from google.protobuf import json_format

        path, asked, answered = _calls()[name]
        ask = self._channel.unary_unary(
            path, request_serializer=asked.SerializeToString, response_deserializer=answered.FromString
        )
        try:
            return ask(json_format.ParseDict(fields, asked()), timeout=timeout_s, wait_for_ready=False)
        except grpc.RpcError as error:
            said = str(error.details())
            code = error.code().name.lower().replace("_", " ")
            raise ContainerError(
                f"The container runtime refused {name}: {code}.", hint=f"It said: {said}"
            ) from None

    def close(self) -> None:
        """End the connection."""
        self._channel.close()


def as_plain(message: Any) -> Mapping[str, Any]:
    """A message as dicts and lists, under the names that the interface gives."""
    from google.protobuf import json_format

    plain: Mapping[str, Any] = json_format.MessageToDict(message, preserving_proto_field_name=True)
    return plain
