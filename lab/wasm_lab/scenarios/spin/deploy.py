"""What ``spin deploy`` would need: the ``SpinApp`` of SpinKube, and the commands that take it there.

The lab is no cloud. It writes files and says commands; nothing is sent anywhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wasm_lab.errors import UsageError
from wasm_lab.scenarios.spin.ids import as_id
from wasm_lab.scenarios.spin.manifest import OtherTrigger

if TYPE_CHECKING:
    from wasm_lab.scenarios.spin.manifest import Manifest

API_VERSION = "core.spinkube.dev/v1alpha1"
EXECUTOR = "containerd-shim-spin"

#: Where an image goes when nobody says where: a registry on this machine.
REGISTRY = "localhost:5000"

#: Kinds of triggers that SpinKube's shim starts.
TRIGGERS_OF_THE_SHIM = ("http", "redis", "mqtt", "sqs", "command")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What would be deployed, and how."""

    image: str
    app: dict[str, Any]  #: the SpinApp
    commands: tuple[str, ...]  #: in their order
    notes: tuple[str, ...]  #: what the cluster needs besides

    @property
    def yaml(self) -> str:
        """The SpinApp as YAML, its notes as comments above."""
        import yaml

        comments = "".join(f"# {note}\n" for note in self.notes)
        return comments + yaml.safe_dump(self.app, sort_keys=False, allow_unicode=True)


def plan_deployment(manifest: Manifest, image: str = "", *, replicas: int = 2, file: str = "") -> Deployment:
    """Plan how an application goes to SpinKube.

    Args:
        manifest: the application.
        image: the image's reference; by default the name and version at a registry on this machine.
        replicas: how many pods.
        file: where the SpinApp will lie, for the commands.

    Raises:
        UsageError: the reference is none.
    """
    name = kubernetes_name(manifest.name)
    image = image or f"{REGISTRY}/{name}:{re.sub(r'[^A-Za-z0-9_.-]', '-', manifest.version) or 'latest'}"
    if not re.fullmatch(
        r"[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9._-]+)+(:[A-Za-z0-9_.-]{1,128})?(@sha256:[0-9a-f]{64})?", image
    ):
        raise UsageError(f"`{image}` is no reference of an image.", hint="Such as ghcr.io/me/my-app:1.0.0.")
    spec: dict[str, Any] = {"image": image, "executor": EXECUTOR, "replicas": replicas}
    variables = [
        {"name": variable.name, "valueFrom": {"secretKeyRef": {"name": name, "key": variable.name}}}
        for variable in manifest.variables.values()
        if variable.required or variable.secret
    ]
    if variables:
        spec["variables"] = variables
    app = {"apiVersion": API_VERSION, "kind": "SpinApp", "metadata": {"name": name}, "spec": spec}
    file = file or f"{name}.yaml"
    secret = " ".join(f"--from-literal={entry['name']}=…" for entry in variables)
    commands = (
        f"spin registry push --build --from {manifest.path.name} {image}",
        *([f"kubectl create secret generic {name} {secret}"] if variables else []),
        f"kubectl apply -f {file}",
        f"kubectl port-forward services/{name} 8080:80",
    )
    return Deployment(image=image, app=app, commands=commands, notes=_notes(manifest))


def kubernetes_name(name: str) -> str:
    """A name that Kubernetes takes: at most 63 letters, digits and hyphens.

    Example:
        >>> kubernetes_name("My App_2")
        'my-app-2'
    """
    return as_id(name)[:63].rstrip("-") or "app"


def _notes(manifest: Manifest) -> tuple[str, ...]:
    notes = ["The cluster needs the Spin operator and a node with the containerd shim for Spin."]
    stores = sorted(
        {label for component in manifest.components.values() for label in component.key_value_stores}
    )
    databases = sorted(
        {label for component in manifest.components.values() for label in component.sqlite_databases}
    )
    models = sorted({name for component in manifest.components.values() for name in component.ai_models})
    if stores:
        notes.append(
            f"Key-value stores ({', '.join(stores)}): each pod keeps its own and loses it when it ends, "
            "unless spec.runtimeConfig.keyValueStores names a server such as Redis."
        )
    if databases:
        notes.append(
            f"SQLite databases ({', '.join(databases)}): the same, see spec.runtimeConfig.sqliteDatabases."
        )
    if models:
        notes.append(f"AI models ({', '.join(models)}): spec.runtimeConfig.llmCompute names a provider.")
    other = sorted(
        {
            trigger.kind
            for trigger in manifest.triggers
            if isinstance(trigger, OtherTrigger) and trigger.kind not in TRIGGERS_OF_THE_SHIM
        }
    )
    if other:
        notes.append(f"The shim starts no triggers of the kind {', '.join(other)}.")
    return tuple(notes)
