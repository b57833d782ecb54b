"""A KV namespace of a running worker, from Python's side."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from wasm_lab.errors import ServiceError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    import httpx


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a namespace; ``expiration`` in seconds since 1970, None for never."""

    name: str
    expiration: int | None = None
    metadata: Any = None


@dataclass(frozen=True, slots=True)
class Namespace:
    """What a worker knows as ``env.NAME``.

    Unlike a worker, it may set an expiration of less than a minute, so that one can be watched.
    """

    name: str
    socket: Path

    def get(self, key: str) -> bytes | None:
        """The value of a key; None where there is none, or its time is over."""
        answer = self._ask("GET", key)
        return None if answer.status_code == 404 else _checked(answer).content

    def put(
        self,
        key: str,
        value: bytes | str,
        *,
        metadata: Any = None,
        expiration_ttl: int | None = None,
        expiration: int | None = None,
    ) -> None:
        """Keep a value.

        Args:
            key: 512 bytes of UTF-8 at most.
            value: 25 MiB at most.
            metadata: what JSON can say, 1024 bytes at most.
            expiration_ttl: seconds from now until it is forgotten.
            expiration: the same in seconds since 1970.

        Raises:
            UsageError: the value is neither text nor bytes, or KV refuses it; says why.
        """
        check_body(value, f"A value of KV ({self.name})")
        query = {"expiration_ttl": expiration_ttl, "expiration": expiration}
        headers = {} if metadata is None else {"CF-KV-Metadata": json.dumps(metadata)}
        given = {name: str(value) for name, value in query.items() if value is not None}
        _checked(self._ask("PUT", key, params=given, headers=headers, content=value))

    def delete(self, key: str) -> None:
        """Forget a key; one that is not there is nothing."""
        _checked(self._ask("DELETE", key))

    def keys(self, prefix: str = "") -> list[Key]:
        """Every key that begins with ``prefix``, in the order of their UTF-8 bytes."""
        found: list[Key] = []
        cursor = ""
        while True:
            answer = _checked(self._ask("GET", None, params={"prefix": prefix, "cursor": cursor})).json()
            for each in answer["keys"]:
                metadata = json.loads(each["metadata"]) if "metadata" in each else None
                found.append(Key(each["name"], each.get("expiration"), metadata))
            if answer["list_complete"]:
                return found
            cursor = answer["cursor"]

    def _ask(self, method: str, key: str | None, **more: Any) -> httpx.Response:
        import httpx

        if key is not None and not isinstance(key, str):
            raise UsageError(
                f"A key of KV is text; this is {_kind(key)}.", hint="str(…) makes text of anything."
            )
        path = f"/{quote(self.name, safe='')}/" + ("" if key is None else quote(key, safe=""))
        params = {**more.pop("params", {}), "urlencoded": "true"}
        try:
            with httpx.Client(
                transport=httpx.HTTPTransport(uds=str(self.socket), verify=False), timeout=30
            ) as client:
                return client.request(method, f"http://kv{path}", params=params, **more)
        except httpx.TransportError as error:
            raise ServiceError(
                f"The KV namespace {self.name} does not answer: {error}.",
                hint="Its worker has ended; run its cell again.",
            ) from None


def check_body(value: object, what: str) -> None:
    """Refuse what is neither text nor bytes.

    Raises:
        UsageError: says what it is, and how to make text or bytes of it.

    Example:
        >>> check_body("text", "A value")
    """
    if not isinstance(value, str | bytes):
        raise UsageError(f"{what} is text or bytes; this is {_kind(value)}.", hint=_AS_TEXT)


_AS_TEXT = "str(…) or json.dumps(…) makes text of it; bytes(…) makes bytes of a bytearray or an array."


def _kind(value: object) -> str:
    return "None" if value is None else f"of type {type(value).__name__}"


def _checked(answer: httpx.Response) -> httpx.Response:
    if answer.status_code >= 400:
        raise UsageError(f"KV refuses it: {unquote(answer.text)}")
    return answer
