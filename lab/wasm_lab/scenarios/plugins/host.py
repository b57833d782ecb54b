"""A host for plugins: a folder of components that are found, checked, loaded, reloaded and called."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import suppress
from dataclasses import asdict, dataclass, field, is_dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wasm_lab.artifact import Artifact
from wasm_lab.build.foreign import check_binary
from wasm_lab.errors import LoadError, PluginError, UsageError, WasmLabError
from wasm_lab.scenarios.plugins.cabinet import Cabinet
from wasm_lab.scenarios.plugins.contract import Contract
from wasm_lab.scenarios.plugins.given import given_imports
from wasm_lab.scenarios.plugins.plugin import Plugin
from wasm_lab.scenarios.plugins.records import Binary, Call, State, Status, Text
from wasm_lab.scenarios.plugins.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: The largest file that is taken for a plugin, in bytes: compiling takes time and memory by size.
LARGEST_BYTES = 64 * 1024 * 1024

#: Seconds between two looks at the folder while it is watched.
WATCH_S = 0.25

#: How many calls the host remembers.
KEPT_CALLS = 10_000

#: What tells that a file changed: when, its size, and which file it is.
_Look = tuple[int, int, int]


class Event(StrEnum):
    LOADED = "loaded"
    RELOADED = "reloaded"
    KEPT = "kept"  #: the new file cannot be used, the old plugin goes on
    REFUSED = "refused"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What looking at the folder found of one plugin."""

    name: str
    event: Event
    reason: str = ""  #: why a file cannot be used

    def __str__(self) -> str:
        return f"{self.name}: {self.event}" + (f", because {self.reason}" if self.reason else "")


@dataclass
class _Slot:
    """What the host knows of one file name."""

    path: Path
    look: _Look
    plugin: Plugin | None = None
    reason: str = ""
    generations: int = 0
    cabinet: Cabinet = field(default_factory=Cabinet)
    calls: int = 0  #: of earlier generations
    failed: int = 0


class PluginHost:
    """Plugins of a folder, each called by the name of its file without ``.wasm``.

    Safe for many threads. The folder is read when the host is made, by `refresh`, and by `watch`.

    Args:
        folder: where the plugins lie. Subfolders and other files are not looked at.
        settings: what each plugin may touch and use.
        contract: what plugins implement; this lab's own by default.
        imports: what plugins may call, in the form of `wasm_lab.components`; this lab's own by default.
        on_call: receives the record of each call, in the thread that made it.

    Raises:
        UsageError: there is no such folder.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder, PluginHost(folder) as host:
        ...     host.names
        ()
    """

    def __init__(
        self,
        folder: Path | str,
        *,
        settings: Settings | None = None,
        contract: Contract | None = None,
        imports: Mapping[str, Any] | None = None,
        on_call: Callable[[Call], None] | None = None,
    ) -> None:
        self.folder = Path(folder)
        self.settings = settings or Settings()
        self.contract = contract or Contract()
        self._imports = given_imports() if imports is None else imports
        self._on_call = on_call
        self._calls: deque[Call] = deque(maxlen=KEPT_CALLS)
        self._slots: dict[str, _Slot] = {}
        self._refreshing = threading.Lock()
        self._stop = threading.Event()
        self._watcher: threading.Thread | None = None
        if not self.folder.is_dir():
            raise UsageError(f"There is no folder {self.folder}.")
        self.refresh()

    # Finding and loading -----------------------------------------------------------------

    def refresh(self) -> tuple[Change, ...]:
        """Look at the folder: load what is new, reload what changed, let go of what is gone.

        A file that cannot be used changes nothing but the status: the plugin that was loaded before
        goes on. Calls under way end with the plugin that they began with.
        """
        with self._refreshing:
            if self._stop.is_set():
                return ()
            files = {}
            for path in sorted(self.folder.glob("*.wasm")):
                with suppress(OSError):  # gone since it was listed
                    stat = path.stat()
                    files[path.stem] = (path, (stat.st_mtime_ns, stat.st_size, stat.st_ino))
            changes = [self._remove(name) for name in self._slots.keys() - files.keys()]
            for name, (path, look) in files.items():
                slot = self._slots.get(name)
                if slot is None or slot.look != look:
                    changes += self._load(name, path, look)
            return tuple(changes)

    def watch(self, interval_s: float = WATCH_S) -> None:
        """Look at the folder again and again in a thread of its own, until the host is closed."""
        if self._watcher is None:
            self._watcher = threading.Thread(
                target=self._watch, args=(interval_s,), name=f"plugins in {self.folder}", daemon=True
            )
            self._watcher.start()

    def _watch(self, interval_s: float) -> None:
        while not self._stop.wait(interval_s):
            self.refresh()

    def _load(self, name: str, path: Path, look: _Look) -> list[Change]:
        slot = self._slots.setdefault(name, _Slot(path, look))
        slot.look = look
        before = slot.plugin
        try:
            artifact = _read(name, path, look[1])
            if before is not None and artifact.sha256 == before.artifact.sha256:
                slot.reason = ""  # only touched, or put back
                return []
            plugin = Plugin(
                name,
                artifact,
                contract=self.contract,
                capabilities=self.settings.of(name),
                imports=self._imports,
                cabinet=slot.cabinet,
                generation=slot.generations + 1,
            )
        except Exception as error:  # whatever a strange file causes, the others are looked at all the same
            slot.reason = (
                error.message if isinstance(error, WasmLabError) else f"{type(error).__name__}: {error}"
            )
            return [Change(name=name, event=Event.KEPT if before else Event.REFUSED, reason=slot.reason)]
        slot.generations += 1
        slot.plugin, slot.reason = plugin, ""
        if before is None:
            return [Change(name=name, event=Event.LOADED)]
        slot.calls += before.calls
        slot.failed += before.failed
        before.retire()
        return [Change(name=name, event=Event.RELOADED)]

    def _remove(self, name: str) -> Change:
        slot = self._slots.pop(name)
        if slot.plugin is not None:
            slot.plugin.retire()
        return Change(name=name, event=Event.REMOVED)

    # Calling -----------------------------------------------------------------------------

    @property
    def names(self) -> tuple[str, ...]:
        """The plugins that can be called."""
        return tuple(sorted(name for name, slot in dict(self._slots).items() if slot.plugin is not None))

    def call(self, plugin: str, function: str, *arguments: object) -> Any:
        """Call a function of a plugin's interface with Python values.

        Raises:
            PluginError: there is no such plugin; the message says why, or which there are.
            Err: the plugin's own failure, as its WIT declares it.
            DeadlineExceeded, OutputExceeded, GuestTrap: it was stopped; the next call gets a fresh instance.
            TypeError, OverflowError, ValueError: an argument does not fit the function.
        """
        try:
            result, record = self._plugin(plugin).call(function, *arguments)
        except BaseException as error:
            if isinstance(failed := getattr(error, "call", None), Call):
                self._note(failed)
            raise
        self._note(record)
        return result

    def apply(self, plugin: str, data: str | bytes, /, **options: object) -> str | bytes:
        """``apply`` of this lab's own contract.

        Args:
            data: text or bytes. What is text is better given as text: bytes cross one by one.
            options: each by its name and with its value as text.

        Raises:
            As `call`.
        """
        given = [(name.replace("_", "-"), str(value)) for name, value in options.items()]
        output: str | bytes = self.call(plugin, "apply", content(data), given).value
        return output

    def rest(self, plugin: str) -> None:
        """Close the instances of a plugin that wait for work; the next call makes a fresh one.

        Raises:
            PluginError: there is no such plugin.
        """
        self._plugin(plugin).rest()

    def _plugin(self, name: str) -> Plugin:
        slot = self._slots.get(name)
        if slot is not None and slot.plugin is not None:
            return slot.plugin
        if slot is not None:
            raise PluginError(
                f"{name} was refused: {slot.reason}", plugin=name, hint=f"Its file is {slot.path}."
            )
        known = ", ".join(self.names) or "none"
        raise PluginError(
            f"There is no plugin {name} in {self.folder}.", plugin=name, hint=f"There are {known}."
        )

    def _note(self, record: Call) -> None:
        self._calls.append(record)
        if self._on_call:
            self._on_call(record)

    # Telling -----------------------------------------------------------------------------

    @property
    def calls(self) -> tuple[Call, ...]:
        """The last calls, the oldest first."""
        return tuple(self._calls.copy())

    @property
    def statuses(self) -> tuple[Status, ...]:
        """How each file of the folder stands, by name."""
        return tuple(_status(name, slot) for name, slot in sorted(dict(self._slots).items()))

    def status(self, name: str) -> Status:
        """How one plugin stands.

        Raises:
            PluginError: there is no file of that name.
        """
        slot = self._slots.get(name)
        if slot is None:
            self._plugin(name)
        assert slot is not None
        return _status(name, slot)

    def close(self) -> None:
        """Stop watching and close every instance that is not at work. Nothing can be called afterwards."""
        self._stop.set()
        if self._watcher is not None:
            self._watcher.join()
        with self._refreshing:
            for name in tuple(self._slots):
                self._remove(name)

    def __enter__(self) -> PluginHost:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def content(data: str | bytes) -> Text | Binary:
    """A ``content`` of this lab's own contract.

    Example:
        >>> content("a text")
        Text(value='a text')
    """
    return Text(data) if isinstance(data, str) else Binary(data)


def _read(name: str, path: Path, size_bytes: int) -> Artifact:
    """The file's bytes, checked to be a whole component.

    Raises:
        PluginError: they are none; the message says what they are instead.
    """
    if size_bytes > LARGEST_BYTES:
        raise PluginError(
            f"{path.name} has {size_bytes} bytes, and plugins have {LARGEST_BYTES} at most.", plugin=name
        )
    try:
        wasm = path.read_bytes()
        check_binary(wasm, path.name)
    except OSError as error:
        raise PluginError(f"{path.name} cannot be read: {error.strerror}.", plugin=name) from None
    except LoadError as error:
        raise PluginError(error.message, plugin=name, hint=error.hint) from None
    artifact = Artifact(wasm=wasm, label=name)
    if not artifact.is_component:
        raise PluginError(
            f"{path.name} is a core module, and a plugin is a component.",
            plugin=name,
            hint="Build it for wasm32-wasip2, or make it one: wasm-tools component new.",
        )
    return artifact


def _status(name: str, slot: _Slot) -> Status:
    plugin = slot.plugin
    if plugin is None:
        return Status(name=name, path=slot.path, state=State.REFUSED, reason=slot.reason)
    said = plugin.description
    return Status(
        name=name,
        path=slot.path,
        state=State.KEPT if slot.reason else State.READY,
        reason=slot.reason,
        generation=plugin.generation,
        sha256=plugin.artifact.sha256,
        size_bytes=plugin.artifact.size_bytes,
        description=asdict(said) if is_dataclass(said) and not isinstance(said, type) else None,
        imports=plugin.imports,
        calls=slot.calls + plugin.calls,
        failed=slot.failed + plugin.failed,
        instances=plugin.waiting,
    )
