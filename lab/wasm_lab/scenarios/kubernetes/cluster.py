"""The cluster that the user's kubeconfig names: connecting to it, and what goes wrong with that."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import tempfile
import weakref
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from wasm_lab.errors import ClusterError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

EXTRA = "pip install 'wasm-lab[kubernetes]'"

#: Who owns the fields that the lab applies; `kubectl get --show-managed-fields` shows it.
FIELD_MANAGER = "wasm-lab"

#: Seconds to connect, and to answer one request.
TIMEOUT = (5.0, 60.0)

#: What the client raises where a kubeconfig has a list for a map, or a number for either.
MALFORMED = (TypeError, AttributeError, KeyError)

#: Names that kind, k3d, minikube and desktop programs give their contexts.
LOCAL_NAMES = ("kind-", "k3d-", "minikube", "docker-desktop", "rancher-desktop", "colima", "orbstack")


@dataclass
class Cluster:
    """A connection to one cluster, as one user, with one namespace for what names none."""

    context: str  #: its name in the kubeconfig
    server: str  #: the address of its API
    namespace: str
    version: str  #: such as ``v1.36.3``
    api: Any = field(repr=False)  #: the official client's ApiClient
    dynamic: Any = field(repr=False)  #: and its DynamicClient

    @property
    def where(self) -> str:
        """The place in words, for everything that is shown before it is done."""
        return f"context {self.context!r}, {self.server}, namespace {self.namespace!r}"

    @property
    def is_local(self) -> bool:
        """Whether it is plainly a cluster for trying out: on this machine, or named as such tools name theirs."""
        host = (urlsplit(self.server).hostname or "").lower()
        loopback = host == "localhost" or host.startswith("127.") or host == "::1"
        return loopback or self.context.startswith(LOCAL_NAMES)

    def resource(self, api_version: str, kind: str) -> Any:
        """The collection that an object belongs to.

        Raises:
            ClusterError: the cluster knows no such kind.
        """
        from kubernetes.dynamic.exceptions import ResourceNotFoundError, ResourceNotUniqueError

        try:
            with self.explained(f"asking what {kind} is"):
                return self.dynamic.resources.get(api_version=api_version, kind=kind)
        except (ResourceNotFoundError, ResourceNotUniqueError):
            raise ClusterError(
                f"The cluster knows no {kind} of {api_version}.", hint=_how_to_get(kind, api_version)
            ) from None

    def forget_resources(self) -> None:
        """Ask anew what kinds there are: a CustomResourceDefinition was added."""
        with self.explained("asking which kinds there are"):
            self.dynamic.resources.invalidate_cache()

    @contextlib.contextmanager
    def explained(self, doing: str) -> Iterator[None]:
        """Turn what the client raises into a ClusterError that says what happened and what to do.

        "Not found" and "already there" (404, 409) go through, because callers know what they mean.
        """
        with explained(doing, self.server, self.context):
            yield


def connect(kubeconfig: Path | None = None, context: str = "", namespace: str = "") -> Cluster:
    """Connect to the cluster of a kubeconfig.

    Args:
        kubeconfig: the file; None for those of ``KUBECONFIG``, else ``~/.kube/config``.
        context: the context in it; empty for its current one.
        namespace: for objects that name none; empty for the context's own.

    Raises:
        ClusterError: there is no kubeconfig, or the cluster cannot be reached or refuses the user.
        UsageError: the client is not installed, or there is no such context.
    """
    try:
        import kubernetes
        from kubernetes import client, config
        from kubernetes.dynamic import DynamicClient
    except ImportError:
        raise UsageError("The Kubernetes client is not installed.", hint=f"Run: {EXTRA}") from None
    _ = kubernetes
    path = _kubeconfig(kubeconfig)
    try:
        contexts, current = config.list_kube_config_contexts(path)
    except (config.ConfigException, OSError, ValueError, *MALFORMED) as error:
        raise ClusterError(f"{path} is no usable kubeconfig: {_first_line(error)}") from error
    except Exception as error:  # the client hands on whatever its YAML parser raises
        if type(error).__module__.split(".")[0] != "yaml":
            raise
        raise ClusterError(f"{path} is no YAML: {_first_line(error)}") from error
    chosen = _choose(contexts, current, context, path)
    name = str(chosen["name"])
    _check_plugin(path, chosen)
    configuration = client.Configuration()
    configuration.retries = 1
    said: list[str] = []
    with _heard(said):
        try:
            api = config.new_client_from_config(path, context=name, client_configuration=configuration)
        except (config.ConfigException, OSError, ValueError) as error:
            raise ClusterError(
                f"The context {name!r} of {path} cannot be used: {_first_line(error)}"
            ) from error
    server = str(configuration.host if api is None else api.configuration.host)
    if said:  # the client only logs it when a plugin fails, and would go on as nobody
        raise ClusterError(
            f"The context {name!r} gets its credentials from a program, and that failed: {said[-1]}",
            hint="Log in again with that program, or choose another context with --context.",
        )
    folder = tempfile.mkdtemp(prefix="wasm-lab-")
    with explained("connecting", server, name):
        code = client.VersionApi(api).get_code(_request_timeout=TIMEOUT)
        # The client would otherwise keep its list of kinds at a guessable place that others can write to.
        dynamic = DynamicClient(api, cache_file=str(Path(folder) / "kinds"))
    weakref.finalize(dynamic, shutil.rmtree, folder, ignore_errors=True)
    own = str(chosen["context"].get("namespace") or "default")
    return Cluster(name, server, namespace or own, str(code.git_version), api, dynamic)


@contextlib.contextmanager
def explained(doing: str, server: str, context: str) -> Iterator[None]:
    """See `Cluster.explained`."""
    from kubernetes.client.exceptions import ApiException
    from urllib3.exceptions import HTTPError

    try:
        yield
    except ApiException as error:
        if error.status in {404, 409}:
            raise
        raise _refused(doing, server, context, error) from None
    except HTTPError as error:
        raise _unreachable(doing, server, error) from None


def status_of(error: Any) -> dict[str, Any]:
    """The ``Status`` object that an API server sends with a refusal; empty where it is none."""
    try:
        body = json.loads(error.body or "")
    except (TypeError, ValueError):
        return {}
    return body if isinstance(body, dict) else {}


def message_of(error: Any) -> str:
    """What the API server said."""
    return str(status_of(error).get("message") or error.reason or f"status {error.status}")


def _kubeconfig(given: Path | None) -> str:
    if given is not None:
        if not given.exists():
            raise ClusterError(f"{given} does not exist.", hint="--kubeconfig takes a kubeconfig file.")
        return str(given)
    named = os.environ.get("KUBECONFIG", "")
    paths = [part for part in named.split(os.pathsep) if part] or [str(Path("~/.kube/config").expanduser())]
    there = [path for path in paths if Path(path).expanduser().exists()]
    if not there:
        what = (
            f"KUBECONFIG names {named}, which does not exist"
            if named
            else "KUBECONFIG is not set, and there is no ~/.kube/config"
        )
        raise ClusterError(
            f"There is no cluster to go to: {what}.",
            hint="Set KUBECONFIG or give --kubeconfig FILE. For a cluster on this machine: "
            "wasm-lab kube recipe kind",
        )
    return os.pathsep.join(there)


def _choose(contexts: list[dict[str, Any]], current: Any, wanted: str, path: str) -> dict[str, Any]:
    names = [str(one["name"]) for one in contexts]
    if not wanted:
        if not current:
            raise ClusterError(
                f"{path} has no current context.", hint=f"Choose one with --context: {', '.join(names)}"
            )
        return dict(current)
    for one in contexts:
        if one["name"] == wanted:
            return dict(one)
    raise UsageError(f"{path} has no context {wanted!r}.", hint=f"It has: {', '.join(names) or 'none'}.")


def _check_plugin(path: str, chosen: dict[str, Any]) -> None:
    """Refuse a context whose credentials come from a program that is not there."""
    import yaml

    user = chosen["context"].get("user")
    for part in path.split(os.pathsep):
        document = yaml.safe_load(Path(part).expanduser().read_text()) or {}
        for entry in document.get("users") or []:
            plugin = ((entry.get("user") or {}).get("exec") or {}) if entry.get("name") == user else {}
            command = str(plugin.get("command") or "")
            found = shutil.which(command) or (Path(part).parent / command).is_file()
            if command and not found:
                raise ClusterError(
                    f"The context {chosen['name']!r} gets its credentials from the program "
                    f"{command!r}, which is not here.",
                    hint=str(plugin.get("installHint") or "").strip()
                    or f"Install {command}, or use another context.",
                )


@contextlib.contextmanager
def _heard(said: list[str]) -> Iterator[None]:
    """Collect what is logged as an error meanwhile, instead of its being printed."""

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    ear, root = Ear(logging.ERROR), logging.getLogger()
    others, root.handlers = root.handlers, [ear]
    try:
        yield
    finally:
        root.handlers = others


def _unreachable(doing: str, server: str, error: Exception) -> ClusterError:
    """A connection that did not come about, or broke."""
    reason: Any = getattr(error, "reason", None) or error
    text, kind = str(reason), type(reason).__name__
    message = f"{server} cannot be reached ({doing})"
    if "CERTIFICATE_VERIFY_FAILED" in text or kind == "SSLError":
        why = text.split("] ", 1)[-1].split(" (_ssl", 1)[0].strip("'\")( ")
        return ClusterError(
            f"{server} shows a certificate that is not trusted: {why}.",
            hint="Either another server answers there, or certificate-authority-data of the kubeconfig is "
            "of an older cluster: get the kubeconfig anew.",
        )
    if kind == "NameResolutionError" or "Name or service not known" in text:
        host = urlsplit(server).hostname
        return ClusterError(f"{message}: there is no host {host}.", hint="Is a VPN needed, or the name old?")
    if "Connection refused" in text:
        return ClusterError(
            f"{message}: nothing listens there.",
            hint="Is the cluster started? kind: `docker start NAME-control-plane`; k3d: `k3d cluster start`.",
        )
    if "Timeout" in kind:
        return ClusterError(
            f"{message}: no answer within {TIMEOUT[0 if 'Connect' in kind else 1]:.0f} s.",
            hint="Is a VPN needed, or a firewall between?",
        )
    return ClusterError(f"{message}: {_first_line(reason)}")


def _refused(doing: str, server: str, context: str, error: Any) -> ClusterError:
    """A request that the API server refused."""
    said = message_of(error)
    if error.status == 401:
        return ClusterError(
            f"{server} does not know the user of context {context!r} ({doing}): {said}.",
            hint="The token or certificate has expired, or is of another cluster. Log in again, or get the "
            "kubeconfig anew.",
        )
    if error.status == 403:
        return ClusterError(f"The cluster refused {doing}: {said}", hint=_why_forbidden(said))
    if error.status == 422:
        causes = (status_of(error).get("details") or {}).get("causes") or []
        lines = [f"{one.get('field', '')}: {one.get('message', '')}" for one in causes]
        return ClusterError(f"The cluster found {doing} wrong: {said}", hint="\n".join(lines))
    if error.status in {429, 503, 504}:
        return ClusterError(f"The cluster is too busy for {doing}: {said}", hint="Try again later.")
    return ClusterError(f"The cluster refused {doing} (status {error.status}): {said}")


def _why_forbidden(said: str) -> str:
    if "RuntimeClass" in said and "not found" in said:
        return (
            "Pods name a RuntimeClass that the cluster does not have, so admission refuses them. Apply the "
            "RuntimeClass too, before them; wasm-lab kube render writes it."
        )
    if "exceeded quota" in said:
        return "The namespace has a ResourceQuota, and this is more than what is left of it."
    if "PodSecurity" in said or "violates" in said:
        return "The namespace enforces a Pod Security Standard: the message says which fields are missing."
    if "cannot" in said and "resource" in said:
        return "Your user lacks this right (RBAC). Ask whoever runs the cluster for a role with it."
    return ""


def _how_to_get(kind: str, api_version: str) -> str:
    if api_version.startswith("core.spinkube.dev/"):
        return "SpinKube is not installed there, which makes its kinds known. See docs/kubernetes.md."
    if "." in api_version.split("/", maxsplit=1)[0]:
        return (
            "Its CustomResourceDefinition is missing: install what defines it, or apply it in the same files."
        )
    return "Compare with `kubectl api-resources`; wasm-lab kube validate says which versions know it."


def _first_line(error: object) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
