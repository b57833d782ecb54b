"""Containers: images, ports, probes, variables and volumes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from wasm_lab.scenarios.kubernetes.pods import (
    TEMPLATES,
    Container,
    Pod,
    is_builtin,
    mapping,
    mappings,
    pod_of,
)
from wasm_lab.scenarios.kubernetes.problems import Problem, Severity
from wasm_lab.scenarios.kubernetes.scalars import shown
from wasm_lab.scenarios.kubernetes.words import close_to, field_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wasm_lab.scenarios.kubernetes.documents import Document

PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")

#: IANA_SVC_NAME: RFC 6335, section 5.1.
_PORT_NAME = re.compile(r"(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*")
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")

Path = tuple[str | int, ...]


def say(
    document: Document,
    path: Path,
    message: str,
    hint: str = "",
    severity: Severity = "error",
    *,
    key: bool = False,
) -> Problem:
    """A problem of the field at a path."""
    return Problem(
        document.file, *document.place(path, key=key), message, hint, severity, path=field_path(path)
    )


def containers(document: Document) -> Iterator[Problem]:
    """Every container of an object, each for itself and together."""
    yield from _bodies(document)
    pod = pod_of(document)
    if pod is None:
        return
    yield from _lists(document, pod)
    names: dict[str, Path] = {}
    for container in pod.containers:
        yield from _name(document, container, names)
        yield from _image(document, container)
        yield from _ports(document, container)
        yield from _probes(document, container)
        yield from _variables(document, container)
        yield from _mounts(document, pod, container)


def _bodies(document: Document) -> Iterator[Problem]:
    """Objects whose spec is missing, which their schemas allow and no API server does."""
    if not is_builtin(document) or document.kind not in (*TEMPLATES, "Service", "PersistentVolumeClaim"):
        return
    paths: list[Path] = [] if document.kind == "PodTemplate" else [()]
    template = TEMPLATES.get(document.kind)
    if template:
        paths.append(template)
    for path in paths:
        above = document.get(*path)
        if isinstance(above, dict) and above.get("spec") is None:
            misspelt = any(key != "spec" and close_to(key, ["spec"]) for key in above)
            if not misspelt:
                where = f"`{field_path(path)}`" if path else f"the {document.kind}"
                yield say(
                    document,
                    path,
                    f"{where} has no spec.",
                    "Add `spec:` and what belongs below it.",
                    key=True,
                )


def _lists(document: Document, pod: Pod) -> Iterator[Problem]:
    """Containers that are none, entries of nothing, volumes of the same name."""
    spec: Path = (*pod.path, "spec")
    if "containers" in pod.spec and pod.spec["containers"] == []:
        yield say(document, (*spec, "containers"), "a pod runs at least one container.", key=True)
    lists: list[Path] = [(*spec, field) for field in ("containers", "initContainers", "volumes")]
    for container in pod.containers:
        lists += [(*container.path, field) for field in ("ports", "env", "volumeMounts")]
    for path in lists:
        found = document.get(*path)
        for index, each in enumerate(found if isinstance(found, list) else ()):
            if each is None:
                yield say(
                    document,
                    (*path, index),
                    f"an empty entry in `{field_path(path)}`.",
                    "Remove the dash, or indent what belongs to it.",
                )
    seen: list[Any] = []
    for index, volume in mappings(pod.spec.get("volumes")):
        name = volume.get("name")
        if name in seen and isinstance(name, str):
            yield say(document, (*spec, "volumes", index, "name"), f"a second volume `{name}`.")
        seen.append(name)


def _name(document: Document, container: Container, names: dict[str, Path]) -> Iterator[Problem]:
    name, path = container.name, (*container.path, "name")
    if not name:
        return
    if not _LABEL.fullmatch(name):
        yield say(
            document,
            path,
            f"the container's name {shown(name)} must be small letters, digits and hyphens, at most 63.",
            f"Such as {re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')[:63] or 'app'}.",
        )
    if name in names:
        yield say(
            document,
            path,
            f"a second container `{name}`; the first is in line {document.place(names[name])[0]}.",
        )
    names.setdefault(name, path)


def _image(document: Document, container: Container) -> Iterator[Problem]:
    image, path = container.value.get("image"), (*container.path, "image")
    if image is None or image == "":
        if "image" not in container.value and close_to("image", container.value):
            return  # a misspelt one was told already
        yield say(
            document, container.path, f"the container `{container.name}` has no image.", "Add `image:` to it."
        )
    elif isinstance(image, str):
        if re.match(r"[a-z+]+://", image):
            message = f"an image's reference is no URL: {shown(image)}."
            yield say(document, path, message, f"Write {image.partition('://')[2]}", "warning")
        elif image != image.strip():
            yield say(document, path, f"a space stands at an end of the image's reference {shown(image)}.")
        elif re.search(r"[<>{}$]|\s", image):
            yield say(
                document, path, f"the image {shown(image)} is a place to be filled in.", severity="warning"
            )
        elif re.search(r"[A-Z]", image.partition("@")[0].rpartition("/")[2].partition(":")[0]):
            message = f"the image {shown(image)} holds a capital letter, which no repository may."
            yield say(document, path, message, f"Write {image.lower()}", "warning")


def port_names(container: Container) -> dict[str, Any]:
    """The named ports of a container."""
    return {
        port["name"]: port.get("containerPort")
        for _, port in mappings(container.value.get("ports"))
        if isinstance(port.get("name"), str)
    }


def number_of_port(document: Document, path: Path, value: Any) -> Iterator[Problem]:
    """A port's number must be one."""
    if isinstance(value, int) and not isinstance(value, bool) and not 1 <= value <= 65535:
        yield say(document, path, f"{value} is no port: they go from 1 to 65535.")


def _ports(document: Document, container: Container) -> Iterator[Problem]:
    names: set[str] = set()
    numbers: list[tuple[Any, Any]] = []
    for index, port in mappings(container.value.get("ports")):
        path: Path = (*container.path, "ports", index)
        yield from number_of_port(document, (*path, "containerPort"), port.get("containerPort"))
        yield from number_of_port(document, (*path, "hostPort"), port.get("hostPort") or None)
        name = port.get("name")
        if isinstance(name, str) and name:
            yield from name_of_port(document, (*path, "name"), name)
            if name in names:
                yield say(
                    document, (*path, "name"), f"a second port `{name}` in the container `{container.name}`."
                )
            names.add(name)
        key = (port.get("containerPort"), port.get("protocol") or "TCP")
        if key in numbers:
            yield say(
                document,
                (*path, "containerPort"),
                f"the port {key[0]} is declared a second time in the container `{container.name}`.",
                "Remove one of them.",
                "warning",
            )
        numbers.append(key)


def name_of_port(document: Document, path: Path, name: str) -> Iterator[Problem]:
    """A port's name, as a container declares it or a probe asks for it."""
    if len(name) > 15:
        yield say(
            document, path, f"the port's name `{name}` has {len(name)} letters; at most 15 are allowed."
        )
    elif not _PORT_NAME.fullmatch(name):
        yield say(
            document,
            path,
            f"the port's name {shown(name)} must be small letters, digits and single hyphens, one letter at least.",
            "Such as http, or metrics-1.",
        )


def _probes(document: Document, container: Container) -> Iterator[Problem]:
    ports = port_names(container)
    for field in PROBES:
        probe = container.value.get(field)
        if not isinstance(probe, dict):
            continue
        path: Path = (*container.path, field)
        handlers = [handler for handler in HANDLERS if probe.get(handler) is not None]
        if not handlers and not close_to_handler(probe):
            yield say(
                document,
                path,
                f"`{field}` does not say what to ask.",
                f"Add one of {', '.join(HANDLERS)}.",
                key=True,
            )
        elif len(handlers) > 1:
            yield say(
                document,
                path,
                f"`{field}` asks in {len(handlers)} ways: {' and '.join(handlers)}; it may only in one.",
                key=True,
            )
        for handler in ("httpGet", "tcpSocket"):
            port = mapping(probe.get(handler)).get("port")
            yield from _asked_port(document, (*path, handler, "port"), port, ports, container)
        if field != "readinessProbe" and probe.get("successThreshold") not in (None, 1):
            yield say(document, (*path, "successThreshold"), f"`successThreshold` must be 1 in a {field}.")
        yield from _path(document, (*path, "httpGet", "path"), mapping(probe.get("httpGet")).get("path"))


def close_to_handler(probe: dict[str, Any]) -> bool:
    """Whether a probe has a misspelt way of asking, which the schema reports."""
    return any(close_to(key, HANDLERS) for key in probe)


def _path(document: Document, path: Path, value: Any) -> Iterator[Problem]:
    if isinstance(value, str) and value and not value.startswith("/"):
        yield say(
            document,
            path,
            f"the path {shown(value)} does not begin with a slash.",
            f"Write /{value}",
            "warning",
        )


def _asked_port(
    document: Document, path: Path, port: Any, ports: dict[str, Any], container: Container
) -> Iterator[Problem]:
    if isinstance(port, int):
        yield from number_of_port(document, path, port)
    elif isinstance(port, str) and port.isdigit():
        yield say(
            document,
            path,
            f'the port "{port}" in quotes is a name, and no container has one of that name.',
            f"Write {port} without quotes.",
        )
    elif isinstance(port, str) and port not in ports:
        near = close_to(port, ports)
        named = ", ".join(f"{name} ({number})" for name, number in ports.items())
        yield say(
            document,
            path,
            f"the probe asks the port `{port}`, and the container `{container.name}` has none of that name.",
            (f"Did you mean `{near}`?" if near else f"Its ports are: {named}.")
            if ports
            else f"Add it to its ports: {{name: {port}, containerPort: …}}",
        )


def _variables(document: Document, container: Container) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for index, variable in mappings(container.value.get("env")):
        path: Path = (*container.path, "env", index)
        name = variable.get("name")
        if not isinstance(name, str):
            continue
        if "=" in name or not name:
            yield say(
                document,
                (*path, "name"),
                f"{shown(name)} is no name of a variable.",
                "Write `- name: NAME` and below it `value: VALUE`." if "=" in name else "",
            )
        if variable.get("value") and variable.get("valueFrom") is not None:
            yield say(
                document, path, f"the variable `{name}` has both value and valueFrom.", "Keep one of them."
            )
        if name in seen:
            first = document.place((*container.path, "env", seen[name]))[0]
            yield say(
                document,
                (*path, "name"),
                f"the variable `{name}` is set a second time; the first, in line {first}, has no effect.",
                "Keep one of them.",
                "warning",
            )
        seen[name] = index


def _mounts(document: Document, pod: Pod, container: Container) -> Iterator[Problem]:
    volumes = [volume.get("name") for _, volume in mappings(pod.spec.get("volumes"))]
    claims = mappings(document.get("spec", "volumeClaimTemplates")) if document.kind == "StatefulSet" else []
    volumes += [mapping(claim.get("metadata")).get("name") for _, claim in claims]
    paths: set[str] = set()
    for index, mount in mappings(container.value.get("volumeMounts")):
        path: Path = (*container.path, "volumeMounts", index)
        name, where = mount.get("name"), mount.get("mountPath")
        if isinstance(name, str) and name not in volumes:
            near = close_to(name, [volume for volume in volumes if isinstance(volume, str)])
            yield say(
                document,
                (*path, "name"),
                f"the container `{container.name}` mounts the volume `{name}`, and the pod has none of that name.",
                f"Did you mean `{near}`?"
                if near
                else f"Add it to {field_path((*pod.path, 'spec', 'volumes'))}.",
            )
        if isinstance(where, str):
            if where in paths:
                yield say(
                    document, (*path, "mountPath"), f"a second volume at {where} in `{container.name}`."
                )
            paths.add(where)
