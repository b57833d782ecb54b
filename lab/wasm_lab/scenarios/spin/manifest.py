"""A Spin application manifest (``spin.toml``, version 2) as typed values.

The nouns that the host, the interfaces and the commands share. ``load_manifest`` reads and checks a
file; what is wrong with it is said with its line, its reason and the mend (``ManifestError``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from wasm_lab.scenarios.spin.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "Build",
    "ComponentManifest",
    "FileMount",
    "HttpTrigger",
    "LocalSource",
    "Manifest",
    "OtherTrigger",
    "Problem",
    "RedisTrigger",
    "RegistrySource",
    "RemoteSource",
    "Variable",
    "load_manifest",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """An application variable; ``repr`` never shows the default of a secret one."""

    name: str
    default: str | None = field(default=None, repr=False)  #: None when a value must be supplied
    required: bool = False
    secret: bool = False
    description: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalSource:
    """A component in a file."""

    path: Path  #: absolute; the file need not exist yet
    written: str  #: as it stands in the manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteSource:
    """A component behind a URL."""

    url: str
    digest: str  #: ``sha256:`` and 64 hexadecimal digits


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrySource:
    """A component in a package registry."""

    package: str
    version: str
    registry: str | None = None  #: None: the registry that the reader's own tools are set up for


Source: TypeAlias = LocalSource | RemoteSource | RegistrySource


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMount:
    """One entry of ``files``: a glob pattern, or a folder and where the guest sees it."""

    source: str  #: a pattern or a folder, relative to the manifest's folder
    destination: str | None = None  #: None: a pattern; the guest sees each file at its own relative path


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """How ``spin build`` makes a component."""

    commands: tuple[str, ...]  #: run one after the other, by the shell
    workdir: Path  #: absolute
    watch: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentManifest:
    """One component: where it is and what it may use. Texts keep their ``{{ templates }}``."""

    id: str
    source: Source
    description: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)  #: name to template
    environment: Mapping[str, str] = field(default_factory=dict)
    files: tuple[FileMount, ...] = ()
    exclude_files: tuple[str, ...] = ()
    allowed_outbound_hosts: tuple[str, ...] = ()
    key_value_stores: tuple[str, ...] = ()
    sqlite_databases: tuple[str, ...] = ()
    ai_models: tuple[str, ...] = ()
    build: Build | None = None
    dependencies: Mapping[str, Any] = field(default_factory=dict)  #: as written
    tool: Mapping[str, Any] = field(default_factory=dict)  #: as written
    line: int = 0  #: where the component's table begins


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpTrigger:
    """``[[trigger.http]]``."""

    id: str
    component: str  #: the component's id; empty where a static response answers
    route: str | None  #: as written, without ``base``; None for a private endpoint
    static_response: Mapping[str, Any] | None = None  #: ``status_code``, ``headers``, ``body``, as written
    executor: str = "http"  #: ``http``, ``wagi`` or ``wasip3-unstable``
    dependencies: Mapping[str, Any] = field(default_factory=dict)  #: such as middleware, as written
    line: int = 0

    @property
    def private(self) -> bool:
        """Reached only from the application itself, as ``http://<component>.spin.internal``."""
        return self.route is None


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisTrigger:
    """``[[trigger.redis]]``: each message on a channel starts the component."""

    id: str
    component: str
    channel: str  #: may hold templates
    address: str  #: the trigger's own or the application's; may hold templates
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherTrigger:
    """A trigger of a kind that the lab's host does not run, such as ``cron`` or ``mqtt``."""

    id: str
    kind: str
    component: str
    config: Mapping[str, Any] = field(default_factory=dict)  #: as written
    line: int = 0


Trigger: TypeAlias = HttpTrigger | RedisTrigger | OtherTrigger


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A whole application."""

    name: str
    path: Path  #: the manifest's own file, absolute
    version: str = ""
    description: str = ""
    authors: tuple[str, ...] = ()
    base: str = "/"  #: what stands before every HTTP route
    variables: Mapping[str, Variable] = field(default_factory=dict)
    triggers: tuple[Trigger, ...] = ()
    components: Mapping[str, ComponentManifest] = field(default_factory=dict)  #: in the file's order
    notes: tuple[Problem, ...] = ()  #: nothing wrong, but worth knowing

    @property
    def folder(self) -> Path:
        """The folder that relative paths start from."""
        return self.path.parent

    @property
    def http_triggers(self) -> tuple[HttpTrigger, ...]:
        """The HTTP triggers, in the file's order."""
        return tuple(trigger for trigger in self.triggers if isinstance(trigger, HttpTrigger))

    @property
    def redis_triggers(self) -> tuple[RedisTrigger, ...]:
        """The Redis triggers, in the file's order."""
        return tuple(trigger for trigger in self.triggers if isinstance(trigger, RedisTrigger))


def load_manifest(path: str | Path, *, sources: bool = False, profile: str | None = None) -> Manifest:
    """Read and check a ``spin.toml``, or the one in a folder.

    Args:
        path: a file, or a folder with a ``spin.toml`` in it.
        sources: a component file that is missing is an error too.
        profile: a build profile whose overrides are applied (``[component.x.profile.NAME]``).

    Raises:
        ManifestError: the file is missing, no TOML, of version 1, or wrong; ``problems`` holds every
            mistake with its line.
    """
    from wasm_lab.scenarios.spin.reading import read_manifest

    return read_manifest(Path(path), sources=sources, profile=profile)
