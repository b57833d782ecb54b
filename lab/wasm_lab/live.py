"""A live cell: the functions of a library artifact as Python calls on one instance."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from wasm_lab import abi
from wasm_lab.build.crate import crate_for
from wasm_lab.errors import GuestTrap, PoisonedError, StaleFunctionError, UsageError
from wasm_lab.source import UNNAMED

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasm_lab.artifact import Artifact
    from wasm_lab.capabilities import Capabilities
    from wasm_lab.cells.signatures import Signature
    from wasm_lab.run import HostCall
    from wasm_lab.runtimes.base import Instance, OutputSink, Runtime


class _Slot:
    """Where a Python function finds its target: a reset or a newer cell puts another one in."""

    __slots__ = ("target",)

    def __init__(self, target: Callable[..., Any]) -> None:
        self.target = target


class LiveCell:
    """The public functions of a cell, bound to one instance that keeps their state.

    Example:
        >>> import wasm_lab
        >>> cell = wasm_lab.load("pub fn double(n: u32) -> u32 { 2 * n }")
        >>> cell.functions["double"](21)
        42

    Args:
        artifact: a library built from a Source of functions.
        runtime: where it lives.
        capabilities: what it may touch; the deadline holds for each call.
        audit: whether to record host calls, in `audit`.
        output: receives what the guest prints during a call.

    Raises:
        UsageError: the artifact was not built from functions.
        LoadError, UnsupportedError: as `Runtime.instantiate` raises them.
    """

    def __init__(
        self,
        artifact: Artifact,
        runtime: Runtime,
        capabilities: Capabilities,
        *,
        audit: bool = False,
        output: OutputSink | None = None,
    ) -> None:
        if artifact.source is None:
            raise UsageError(f"{artifact.label} was made elsewhere: its Rust signatures are not known.")
        crate = crate_for(artifact.source)
        # A cell without a name goes by its first function, so that running it again replaces it.
        first = next((signature.name for signature in crate.functions), UNNAMED)
        self.name = first if artifact.source.name == UNNAMED else artifact.source.name
        self.artifact = artifact
        self.capabilities = capabilities
        self.refused = crate.refused  #: (function, why it has no Python form)
        self.audit: list[HostCall] = []
        self.signatures = crate.functions  #: of what Python can call
        self._language = artifact.source.language
        self._new_instance: Callable[[], Instance] = functools.partial(
            runtime.instantiate, artifact, capabilities, audit=audit, output=output
        )
        self._audited = audit
        self._afresh = False
        self._used = False  # whether a call may have changed the instance
        self._targets: dict[str, Callable[..., Any]] = {}
        self._slots: dict[str, _Slot] = {}
        self.functions: dict[str, Callable[..., Any]] = {}
        self._bind()

    def __repr__(self) -> str:
        state = f", unusable: {self.instance.poisoned}" if self.instance.poisoned else ""
        return f"<LiveCell {self.name}: {', '.join(self.functions) or 'no functions'}{state}>"

    def reset(self) -> None:
        """Start again from a fresh instance: state as it was when the cell had just run."""
        self._bind()

    @property
    def afresh(self) -> bool:
        """Whether each call finds a fresh instance; if not, the state of one call is there for the next."""
        return self._afresh

    @afresh.setter
    def afresh(self, afresh: bool) -> None:
        self._used = self._used or not self._afresh  # who else calls does not say so
        self._afresh = afresh
        self._point()

    def retire(self) -> None:
        """Make every function of this cell say that its cell was run again."""
        for name, slot in self._slots.items():
            slot.target = functools.partial(_refuse_stale, name)

    def _bind(self) -> None:
        self.instance = self._new_instance()
        self._used = False
        self._collect_audit()
        for signature in self.signatures:
            bound = self._bound(signature)
            target = self._targets[signature.name] = self._with_audit(bound) if self._audited else bound
            if signature.name not in self._slots:
                slot = self._slots[signature.name] = _Slot(target)
                self.functions[signature.name] = self._function(slot, bound)
        self._point()

    def _point(self) -> None:
        """Let every function's slot lead to this instance, or to what makes a fresh one for each call."""
        for name, target in self._targets.items():
            self._slots[name].target = functools.partial(self._call_afresh, name) if self._afresh else target

    def _call_afresh(self, name: str, *args: Any, **kwargs: Any) -> Any:
        if self._used:
            self._bind()
        self._used = True
        return self._targets[name](*args, **kwargs)

    def _bound(self, signature: Signature) -> Callable[..., Any]:
        if self._language == "rust":
            return abi.bind(signature, self.instance)
        return abi.bind_exported(signature, self.instance, self._language)

    def _with_audit(self, bound: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            try:
                return bound(*args, **kwargs)
            finally:
                self._collect_audit()

        return call

    def _collect_audit(self) -> None:
        if self._audited:
            self.audit.extend(self.instance.take_audit())

    def _function(self, slot: _Slot, bound: Callable[..., Any]) -> Callable[..., Any]:
        name = bound.__name__

        @functools.wraps(bound)
        def call(*args: Any, **kwargs: Any) -> Any:
            try:
                return slot.target(*args, **kwargs)
            except (TypeError, ValueError, OverflowError) as wrong:
                raise wrong.with_traceback(None)  # noqa: B904 - the same error, without our frames
            except GuestTrap as trap:
                trap.hint = trap.hint or (
                    f"The cell's state is now unknown, so its functions are closed: {self._mend(name)}."
                )
                raise
            except PoisonedError:
                raise PoisonedError(
                    f"{name} cannot be called: {self.instance.poisoned}.",
                    hint=f"To go on, {self._mend(name)}.",
                ) from None

        # functools.wraps points back at the first instance; keep neither it nor its signature's source.
        del call.__wrapped__
        call.__signature__ = bound.__signature__  # type: ignore[attr-defined]
        call.reset = self.reset  # type: ignore[attr-defined]
        call.cell = self  # type: ignore[attr-defined]
        return call

    def _mend(self, name: str) -> str:
        return f"run the cell again, or call {name}.reset()"


def _refuse_stale(name: str, *_args: Any, **_kwargs: Any) -> Any:
    raise StaleFunctionError(
        f"This {name} is from an earlier run of its cell.",
        hint=f"Use the name {name} itself, or look it up again, to get the new one.",
    )
