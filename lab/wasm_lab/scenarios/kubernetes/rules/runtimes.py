"""How a pod says that it is Wasm: RuntimeClasses, handlers, and crun's annotation."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from wasm_lab.scenarios.kubernetes.pods import Pod, mapping, pod_of
from wasm_lab.scenarios.kubernetes.problems import Problem
from wasm_lab.scenarios.kubernetes.scalars import shown
from wasm_lab.scenarios.kubernetes.words import close_to, field_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wasm_lab.scenarios.kubernetes.documents import Document

#: crun reads it from the OCI configuration of a container, where the pod's annotations arrive
#: (github.com/containers/crun, src/libcrun/handlers/handler-utils.c).
VARIANT = "module.wasm.image/variant"
VARIANTS = ("compat-smart", "compat")
HANDLER = "run.oci.handler"
HANDLERS = ("wasm-smart", "wasm")

#: Annotations of a pod; on any other object they do nothing.
_OF_PODS = {VARIANT: "crun", HANDLER: "crun"}

#: Handlers by which nodes usually name the shims of runwasi and its kin.
SHIMS = re.compile(r"spin|wasmtime|wasmedge|wasmer|slight|lunatic|wws|wamr|runwasi")

#: Those that read crun's annotations, whatever engine their name has, too.
_READERS = re.compile(r"crun|youki")


def of_crun(document: Document) -> Iterator[Problem]:
    """crun's annotations where nothing reads them, or with a value that it does not know."""
    pod = pod_of(document)
    pod_path = (*pod.path, "metadata", "annotations") if pod else ()
    for path, found in _annotations(document, pod):
        for key, value in found.items():
            yield from _annotation(document, path, key, value)
    for path in [("metadata", "labels")] + ([(*pod.path, "metadata", "labels")] if pod and pod.path else []):
        for key in mapping(document.get(*path)):
            if key in _OF_PODS:
                yield Problem(
                    document.file,
                    *document.place([*path, key], key=True),
                    f"`{key}` stands among the labels; {_OF_PODS[key]} reads only annotations.",
                    f"Move it to {field_path(pod_path) or 'the annotations of the pod'}.",
                    path=field_path([*path, key]),
                )


def _annotations(
    document: Document, pod: Pod | None
) -> Iterator[tuple[tuple[str | int, ...], dict[str, Any]]]:
    """Every place of an object that has annotations, however deep."""
    places: list[tuple[str | int, ...]] = [("metadata", "annotations")]
    if pod and pod.path:
        places.append((*pod.path, "metadata", "annotations"))
        places += [(*pod.path[:end], "metadata", "annotations") for end in range(1, len(pod.path))]
        places += [(*pod.path, "annotations"), (*pod.path, "spec", "annotations")]
    places += [("spec", "deploymentAnnotations"), ("spec", "podAnnotations"), ("spec", "serviceAnnotations")]
    for path in dict.fromkeys(places):
        if found := mapping(document.get(*path)):
            yield path, found


def _annotation(document: Document, path: tuple[str | int, ...], key: str, value: Any) -> Iterator[Problem]:
    where = field_path([*path, key])
    place = document.place([*path, key], key=True)
    pod = pod_of(document)
    pod_path = (*pod.path, "metadata", "annotations") if pod else ()
    if key not in _OF_PODS:
        if key.startswith("module.wasm") or (key.startswith("run.oci.") and close_to(key, _OF_PODS)):
            yield Problem(
                document.file,
                *place,
                f"`{key}` is no annotation that crun knows, so it does nothing.",
                f"Did you mean `{close_to(key, _OF_PODS) or VARIANT}`?",
                path=where,
            )
        return
    if document.kind == "SpinApp":
        yield Problem(
            document.file,
            *place,
            f"`{key}` is an annotation for crun; the containerd shim for Spin, which runs a SpinApp, does not read it.",
            "Remove it: the SpinAppExecutor chooses what runs the app.",
            "warning",
            path=where,
        )
    elif path != pod_path:
        if pod and key in pod.annotations:
            return  # there, too: it works, and what stands here is for people
        target = (
            ".".join(map(str, pod_path)) if pod_path else "metadata.annotations of the pod or pod template"
        )
        yield Problem(
            document.file,
            *place,
            f"`{key}` stands on the {document.kind}, where nothing reads it: crun sees only those of the pod.",
            f"Move it to {target}.",
            path=where,
        )
    elif key == VARIANT and value not in VARIANTS:
        yield Problem(
            document.file,
            *document.place([*path, key]),
            f"`{VARIANT}` is {shown(value)}, and crun knows only {' and '.join(VARIANTS)}.",
            f"Write {close_to(str(value), VARIANTS) or VARIANTS[0]}; with it containers that are no Wasm still run.",
            path=where,
        )


def classes(documents: Sequence[Document]) -> Iterator[Problem]:
    """RuntimeClasses and the pods that name them."""
    own = {
        document.name: document.text("handler") for document in documents if document.kind == "RuntimeClass"
    }
    for document in documents:
        if document.kind == "RuntimeClass":
            yield from _handler(document)
        elif document.kind == "Shim" and (name := document.text("spec", "runtimeClass", "name")):
            # The Runtime Class Manager and KWasm's operator make the RuntimeClass of it.
            own.setdefault(name, document.text("spec", "runtimeClass", "handler"))
    for document in documents:
        for path, name in _names(document):
            place = document.place(path)
            if name in own:
                pod = pod_of(document)
                handler = own[name]
                if pod and SHIMS.search(handler) and not _READERS.search(handler):
                    for key in _OF_PODS:
                        if key in pod.annotations:
                            yield _for_another(document, pod, key, name, handler)
                continue
            near = close_to(name, own)
            yield Problem(
                document.file,
                *place,
                f"the RuntimeClass `{name}` is named here, and none of these files creates it. Where the cluster has "
                "none of that name, it refuses the pods.",
                f"Did you mean `{near}`?"
                if near
                else f"Unless it is there already (kubectl get runtimeclass {name}): "
                "wasm-lab kube render writes one.",
                "warning" if near else "note",
                path=".".join(map(str, path)),
            )


def _names(document: Document) -> Iterator[tuple[list[str | int], str]]:
    pod = pod_of(document)
    path: list[str | int] = [*pod.path, "spec", "runtimeClassName"] if pod else []
    if document.kind == "SpinAppExecutor":
        path = ["spec", "deploymentConfig", "runtimeClassName"]
    if path and (name := document.text(*path)):
        yield path, name


def _handler(document: Document) -> Iterator[Problem]:
    handler = document.get("handler")
    if not isinstance(handler, str):
        return
    place = document.place(["handler"])
    if not handler:
        yield Problem(
            document.file, *place, "the handler is empty.", "Such as crun, spin or wasmtime.", path="handler"
        )
    elif not re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", handler):
        shim = re.fullmatch(r"io\.containerd\.([a-z0-9-]+)\.v\d+", handler)
        yield Problem(
            document.file,
            *place,
            f"the handler {shown(handler)} is no name of a handler: small letters, digits and hyphens, at most 63."
            + (
                " This is the type of a shim, which stands in the node's containerd configuration."
                if shim
                else ""
            ),
            f"Write the name under which containerd knows it, such as `{shim[1]}`: the NAME of "
            "[plugins.….containerd.runtimes.NAME]."
            if shim
            else "It is the name that the node's container runtime has in its own configuration.",
            path="handler",
        )


def _for_another(document: Document, pod: Pod, key: str, name: str, handler: str) -> Problem:
    path = [*pod.path, "metadata", "annotations", key]
    return Problem(
        document.file,
        *document.place(path, key=True),
        f"`{key}` is an annotation of crun, and the RuntimeClass `{name}` has the handler `{handler}`, "
        "by its name a containerd shim (runwasi's, or of its kind), which does not read it.",
        "Remove the annotation; or, if crun is meant, use a RuntimeClass whose handler is crun. What a handler runs "
        "is written in the node's containerd configuration: if that is crun, this is right.",
        "warning",
        path=".".join(map(str, path)),
    )
