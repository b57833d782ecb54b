"""``fermyon:spin/key-value`` (2.0.0 and the one before) and ``wasi:keyvalue`` 0.2.0-draft2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wasm_lab.components import Err
from wasm_lab.scenarios.spin.interfaces.limits import HANDLES, request, tell
from wasm_lab.scenarios.spin.interfaces.stores import StoreError
from wasm_lab.scenarios.spin.interfaces.variants import variant
from wasm_lab.scenarios.spin.runtime_config import RedisServer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wasm_lab.scenarios.spin.context import ComponentContext
    from wasm_lab.scenarios.spin.interfaces.stores import Store

#: What Spin calls the file, in the application's state folder.
FILE = "sqlite_key_value.db"

Error = variant("Error", "StoreTableFull NoSuchStore AccessDenied", "Other")
ErrorV1 = variant("Error", "StoreTableFull NoSuchStore AccessDenied InvalidStore NoSuchKey", "Io")
WasiError = variant("Error", "NoSuchStore AccessDenied", "Other")
CasError = variant("CasError", "", "StoreError CasFailed")


class Stores:
    """The stores that one component may open."""

    def __init__(self, context: ComponentContext) -> None:
        self._context = context
        self._open: dict[str, Store] = {}

    def open(self, label: str) -> Store:
        """The store of a label.

        Raises:
            NotAllowed: the manifest does not list it.
            NotDefined: nothing stands behind it.
            StoreError: it cannot be opened now.
        """
        known = self._open.get(label)
        if known is not None:
            return known
        component = self._context.component
        if label not in component.key_value_stores:
            tell(
                f"Component `{component.id}` may not open the key-value store {label[:80]!r}. Add it to "
                f"key_value_stores under [component.{component.id}]."
            )
            raise NotAllowed
        backing = self._context.runtime.key_value_stores.get(label)
        if backing is None:
            tell(
                f"Nothing stands behind the key-value store {label!r}. Add [key_value_store.{label}] to a "
                "runtime configuration, and name the file with --runtime-config-file."
            )
            raise NotDefined
        self._open[label] = store = self._made(label, backing)
        return store

    def _made(self, label: str, backing: Any) -> Store:
        shared = self._context.shared
        if isinstance(backing, RedisServer):
            from wasm_lab.scenarios.spin.interfaces.stores_redis import RedisPool, RedisStore

            return RedisStore(shared.get(("key-value", backing.url), lambda: RedisPool(backing.url)))
        from wasm_lab.scenarios.spin.interfaces.stores_sqlite import SqliteStore, StoreFile

        path = backing.path or self._context.state_dir / FILE
        return SqliteStore(shared.get(("key-value", path), lambda: StoreFile(path)), label)


class NotAllowed(Exception):
    """The manifest does not list the store."""


class NotDefined(Exception):
    """Nothing stands behind the label."""


def implement(context: ComponentContext) -> Mapping[str, object]:
    """The imports that a component's key-value interfaces need."""
    stores = Stores(context)
    wasi = _wasi(stores)
    return {
        "fermyon:spin/key-value@2.0.0": _v2(stores),
        "fermyon:spin/key-value": _V1(stores),
        "wasi:keyvalue/store@0.2.0-draft2": wasi,
        "wasi:keyvalue/atomics@0.2.0-draft2": wasi,
        "wasi:keyvalue/batch@0.2.0-draft2": wasi,
    }


def _counted(name: str) -> bool:
    """Count one more handle of the running guest; False when it has all it may have."""
    guest = request()
    if guest is None:
        return True
    held = guest.__dict__.setdefault("handles", {})
    held[name] = held.get(name, 0) + 1
    return bool(held[name] <= HANDLES)


def _uncounted(name: str) -> None:
    held = getattr(request(), "handles", {})
    if held.get(name, 0):
        held[name] -= 1


def _v2(stores: Stores) -> object:
    class interface:  # noqa: N801 - an interface, whose names are the WIT's
        """``fermyon:spin/key-value@2.0.0``."""

        class Store:
            """The resource ``store``."""

            __slots__ = ("_store",)

            def __init__(self, store: Any) -> None:
                self._store = store

            @staticmethod
            def open(label: str) -> Any:
                try:
                    store = stores.open(label)
                except NotAllowed:
                    raise Err(Error.AccessDenied()) from None
                except NotDefined:
                    raise Err(Error.NoSuchStore()) from None
                except StoreError as error:
                    raise Err(Error.Other(str(error))) from None
                if not _counted("store"):
                    _uncounted("store")
                    raise Err(Error.StoreTableFull())
                return interface.Store(store)

            def get(self, key: str) -> bytes | None:
                try:
                    value: bytes | None = self._store.get(key)
                except StoreError as error:
                    raise Err(Error.Other(str(error))) from None
                return value

            def set(self, key: str, value: bytes) -> None:
                try:
                    self._store.set(key, value)
                except StoreError as error:
                    raise Err(Error.Other(str(error))) from None

            def delete(self, key: str) -> None:
                try:
                    self._store.delete(key)
                except StoreError as error:
                    raise Err(Error.Other(str(error))) from None

            def exists(self, key: str) -> bool:
                try:
                    return bool(self._store.exists(key))
                except StoreError as error:
                    raise Err(Error.Other(str(error))) from None

            def get_keys(self) -> list[str]:
                try:
                    keys: list[str] = self._store.get_keys()
                except StoreError as error:
                    raise Err(Error.Other(str(error))) from None
                return keys

            def close(self) -> None:
                _uncounted("store")

    return interface


class _V1:
    """``fermyon:spin/key-value``: handles are numbers, which belong to one guest."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    def open(self, name: str) -> int:
        try:
            store = self._stores.open(name)
        except NotAllowed:
            raise Err(ErrorV1.AccessDenied()) from None
        except NotDefined:
            raise Err(ErrorV1.NoSuchStore()) from None
        except StoreError as error:
            raise Err(ErrorV1.Io(str(error))) from None
        held = handles("stores v1")
        number = next((number for number in range(HANDLES) if number not in held), None)
        if number is None:
            raise Err(ErrorV1.StoreTableFull())
        held[number] = store
        return number

    def get(self, store: int, key: str) -> bytes:
        value: bytes | None = self._do(store, "get", key)
        if value is None:
            raise Err(ErrorV1.NoSuchKey())
        return value

    def set(self, store: int, key: str, value: bytes) -> None:
        self._do(store, "set", key, value)

    def delete(self, store: int, key: str) -> None:
        self._do(store, "delete", key)

    def exists(self, store: int, key: str) -> bool:
        return bool(self._do(store, "exists", key))

    def get_keys(self, store: int) -> list[str]:
        keys: list[str] = self._do(store, "get_keys")
        return keys

    def close(self, store: int) -> None:
        handles("stores v1").pop(store, None)

    def _do(self, number: int, what: str, *arguments: object) -> Any:
        store = handles("stores v1").get(number)
        if store is None:
            raise Err(ErrorV1.InvalidStore())
        try:
            return getattr(store, what)(*arguments)
        except StoreError as error:
            raise Err(ErrorV1.Io(str(error))) from None


#: Handles outside of a guest: what tests use that call the functions directly.
_nobody: dict[str, dict[int, Any]] = {}


def handles(kind: str) -> dict[int, Any]:
    """The numbered handles of one kind that the running guest holds; they end with it."""
    guest = request()
    tables = _nobody if guest is None else guest.__dict__.setdefault("tables", {})
    table: dict[int, Any] = tables.setdefault(kind, {})
    return table


def _wasi(stores: Stores) -> object:
    def calling(store: Store, what: str, *arguments: object) -> Any:
        try:
            return getattr(store, what)(*arguments)
        except StoreError as error:
            raise Err(WasiError.Other(str(error))) from None

    class interface:  # noqa: N801
        """``wasi:keyvalue``: ``store``, ``atomics`` and ``batch`` in one; no names collide."""

        class Bucket:
            """The resource ``bucket``."""

            __slots__ = ("store",)

            def __init__(self, store: Store) -> None:
                self.store = store

            def get(self, key: str) -> bytes | None:
                value: bytes | None = calling(self.store, "get", key)
                return value

            def set(self, key: str, value: bytes) -> None:
                calling(self.store, "set", key, value)

            def delete(self, key: str) -> None:
                calling(self.store, "delete", key)

            def exists(self, key: str) -> bool:
                return bool(calling(self.store, "exists", key))

            def list_keys(self, cursor: str | None) -> dict[str, Any]:
                if cursor is not None:
                    raise Err(WasiError.Other("list_keys: cursor not supported"))
                return {"keys": calling(self.store, "get_keys"), "cursor": None}

            def close(self) -> None:
                _uncounted("bucket")

        class Cas:
            """The resource ``cas``: a key, and the value that was seen last."""

            def __init__(self, store: Store, key: str) -> None:
                self.store = store
                self.key = key
                self.seen: bytes | None = calling(store, "get", key)

            @staticmethod
            def new(bucket: Any, key: str) -> Any:
                return interface.Cas(bucket.store, key)

            def current(self) -> bytes | None:
                self.seen = calling(self.store, "get", self.key)
                return self.seen

        @staticmethod
        def open(identifier: str) -> Any:
            try:
                store = stores.open(identifier)
            except NotAllowed:
                raise Err(WasiError.AccessDenied()) from None
            except NotDefined:
                raise Err(WasiError.NoSuchStore()) from None
            except StoreError as error:
                raise Err(WasiError.Other(str(error))) from None
            if not _counted("bucket"):
                _uncounted("bucket")
                raise Err(WasiError.Other("store table full"))
            return interface.Bucket(store)

        @staticmethod
        def increment(bucket: Any, key: str, delta: int) -> int:
            return int(calling(bucket.store, "increment", key, delta))

        @staticmethod
        def swap(cas: Any, value: bytes) -> None:
            try:
                done = cas.store.swap(cas.key, cas.seen, value)
                if not done:
                    raise Err(CasError.CasFailed(interface.Cas(cas.store, cas.key)))
            except StoreError as error:
                raise Err(CasError.StoreError(WasiError.Other(str(error)))) from None

        @staticmethod
        def get_many(bucket: Any, keys: Sequence[str]) -> list[tuple[str, bytes | None]]:
            found: list[tuple[str, bytes | None]] = calling(bucket.store, "get_many", keys)
            return found

        @staticmethod
        def set_many(bucket: Any, key_values: Sequence[tuple[str, bytes]]) -> None:
            calling(bucket.store, "set_many", key_values)

        @staticmethod
        def delete_many(bucket: Any, keys: Sequence[str]) -> None:
            calling(bucket.store, "delete_many", keys)

    return interface
