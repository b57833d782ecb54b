"""What belongs to one running instance, and how code called from the guest finds it."""

from __future__ import annotations

import ctypes
import weakref
from typing import TYPE_CHECKING, Any

from wasm_lab.components import native
from wasm_lab.errors import UsageError
from wasm_lab.runtimes.wasmtime import guard as guards

if TYPE_CHECKING:
    from wasm_lab.components.instance import ComponentInstance
    from wasm_lab.components.resources import GuestResource
    from wasm_lab.runtimes.wasmtime.guard import Guard


class State:
    """One store's handles and its data. Only the thread that holds the guard's turn touches it.

    Args:
        context: the address of the store's ``wasmtime_context_t``.
        data: the embedder's own (see `current`).
    """

    __slots__ = (
        "_instance",
        "boxes",
        "context",
        "data",
        "failure",
        "guard",
        "handover",
        "keep",
        "lent",
        "moved",
        "next_rep",
        "objects",
        "out",
        "out_at",
        "unused",
    )

    def __init__(self, context: int, guard: Guard, data: Any) -> None:
        self.context = context
        self.guard = guard
        self.data = data
        self._instance: weakref.ref[ComponentInstance]  # or nobody could lose it without closing it
        self.objects: dict[int, Any] = {}  #: host objects that the guest holds, by representation
        self.next_rep = 1
        self.keep: list[Any] = []  #: what lowered values point to
        self.boxes: list[int] = []  #: handles made for the engine to copy; ours to free
        self.lent: list[int] = []  #: representations that are the guest's for one call only
        self.moved: list[GuestResource] = []  #: given to the guest by the call that is being made
        self.unused: list[int] = []  #: guest resources that Python no longer holds
        self.handover: Any = None  #: what makes native pollables; see `clocks`
        self.failure: BaseException | None = None  #: what a host function raised
        self.out = ctypes.c_size_t()
        self.out_at = ctypes.addressof(self.out)

    @property
    def instance(self) -> ComponentInstance:
        """The instance; whoever calls it, or holds a class of its, keeps it alive."""
        found = self._instance()
        assert found is not None
        return found

    @instance.setter
    def instance(self, instance: ComponentInstance) -> None:
        self._instance = weakref.ref(instance)

    def add(self, value: Any) -> int:
        """Keep a host object for the guest; gives its representation."""
        rep = self.next_rep
        self.next_rep = rep + 1
        self.objects[rep] = value
        return rep

    def forget_since(self, rep: int) -> None:
        """Nothing of what was lowered since then has reached the guest: it stays Python's."""
        for given in range(rep, self.next_rep):
            self.objects.pop(given, None)
        self.moved.clear()

    def give_moved(self) -> None:
        """The guest now owns what the arguments gave it."""
        for resource in self.moved:
            self.boxes.append(resource._box)
            resource._box = 0
        self.moved.clear()

    def after_call(self) -> None:
        """Let go of what was needed to pass values."""
        self.keep.clear()
        if self.boxes:
            for box in self.boxes:
                native.resource_any_delete(box)
            self.boxes.clear()
        if self.lent:
            for rep in self.lent:
                self.objects.pop(rep, None)
            self.lent.clear()

    def close_objects(self) -> None:
        """Close what the guest still held; the first exception is raised when all are closed."""
        while self.unused:
            native.resource_any_delete(self.unused.pop())
        objects, self.objects = self.objects, {}
        failure: BaseException | None = None
        for value in objects.values():
            try:
                close_object(value)
            except BaseException as error:
                failure = failure or error
        if failure is not None:
            raise failure


def close_object(value: Any) -> None:
    """Call ``close()`` of a host object that the guest has dropped, if it has one."""
    close = getattr(value, "close", None)
    if close is not None:
        close()


#: The states of all open instances, by the address of their context: what a host call is told.
states: dict[int, State] = {}


class Current:
    """The instance that calls the host function which asks; see `current`."""

    __slots__ = ()

    @property
    def state(self) -> State:
        """For this room: the state of the calling instance."""
        try:
            state: Any = guards.current_guard().host
        except (AttributeError, IndexError):
            state = None
        if not isinstance(state, State):
            raise UsageError(
                "No component is calling: `current` is for functions that a component calls.",
                hint="Ask the instance itself: instance.data.",
            )
        return state

    @property
    def data(self) -> Any:
        """What was given to ``prepared.instantiate(data=...)``."""
        return self.state.data

    @property
    def instance(self) -> ComponentInstance:
        """The calling instance. It cannot be entered again before its call has ended."""
        return self.state.instance

    @property
    def remaining_s(self) -> float | None:
        """Seconds until the guest's deadline; None when it has none."""
        return self.state.guard.remaining_s()


#: For host functions: the instance that calls.
current = Current()
