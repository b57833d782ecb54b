"""A Kubernetes control plane of a scenario's own: etcd, API server, controllers and scheduler."""

from __future__ import annotations

import contextlib
import csv
import json
import secrets
import shutil
import ssl
import urllib.error
import urllib.request
from pathlib import Path

from wasm_lab.services.server import LOOPBACK, Server
from wasm_lab.toolchains.control_plane import control_plane_missing, find_control_plane

#: The name of the one node whose agent gets a token; see `wasm_lab.services.kubernetes.node`.
NODE = "wasm-lab"

#: Every part's user and groups. Roles of these names come with Kubernetes; `system:masters` may do all.
USERS = {
    "admin": ("wasm-lab-admin", "system:masters"),
    "controllers": ("system:kube-controller-manager", "system:masters"),
    "scheduler": ("system:kube-scheduler", ""),
    "node": (f"system:node:{NODE}", "system:nodes"),
}

#: It is of use when pods can be made: each needs this account, which a controller makes.
ACCOUNT = "/api/v1/namespaces/default/serviceaccounts/default"


class ApiServer(Server):
    """A real Kubernetes API, with its controllers and scheduler, and no node. Ready in some seconds.

    It speaks TLS with a certificate made for it, knows tokens made for it, asks roles (RBAC) and runs
    every admission check that is on by default. Its etcd listens on a socket in its folder only.

    Example:
        >>> with ApiServer() as api:                              # doctest: +SKIP
        ...     subprocess.run(["kubectl", "--kubeconfig", api.kubeconfig, "get", "namespaces"])
    """

    name = "Kubernetes"
    ready_s = 120.0  # 4 s on a machine that does nothing else

    def __init__(self) -> None:
        super().__init__()
        self.tokens = {name: secrets.token_hex(16) for name in USERS}
        self.password = self.tokens["admin"]  # which the log of a failed start must not show

    @classmethod
    def missing(cls) -> str:
        """Why it cannot be started on this machine and how to get it; empty when it can."""
        return control_plane_missing()

    @property
    def url(self) -> str:
        """Its address: ``https://127.0.0.1:PORT``. The token stands in the `kubeconfig`."""
        return f"https://{self.address}"

    @property
    def kubeconfig(self) -> Path:
        """A file that lets programs in as an administrator; only its owner can read it."""
        return self.folder / "admin.kubeconfig"

    @property
    def node_kubeconfig(self) -> Path:
        """The same for the agent of the node `NODE`, which may do what a kubelet may."""
        return self.folder / "node.kubeconfig"

    @property
    def node_identity(self) -> tuple[Path, Path]:
        """Certificate and key that the API server and the node know each other by."""
        return self.folder / "node.crt", self.folder / "node.key"

    def _prepare(self) -> None:
        with _private(self.folder / "tokens.csv").open("w", newline="") as stream:
            rows = csv.writer(stream)
            for name, (user, groups) in USERS.items():
                rows.writerow([self.tokens[name], user, name, *([groups] if groups else [])])
        for name in USERS:
            _private(self.folder / f"{name}.kubeconfig").write_text(json.dumps(self._config(name), indent=2))

    def _command(self) -> list[str]:
        program = find_control_plane()
        assert program is not None, "missing() was asked first"
        if self._user() is not None:  # who cannot reach a folder of root's
            program = Path(shutil.copy(program, self.folder / "control-plane"))
        return [str(program), str(self.port)]

    def _answers(self) -> bool:
        certificate = self.folder / "apiserver.crt"
        with contextlib.suppress(OSError, urllib.error.URLError, ssl.SSLError):
            context = ssl.create_default_context(cafile=str(certificate))
            for path in ("/readyz", ACCOUNT):
                ask = urllib.request.Request(
                    self.url + path, headers={"Authorization": f"Bearer {self.password}"}
                )
                with urllib.request.urlopen(ask, timeout=5, context=context):
                    pass
            return True
        return False

    def _config(self, name: str) -> dict[str, object]:
        """A kubeconfig; JSON is YAML."""
        cluster = {
            "server": f"https://{LOOPBACK}:{self.port}",
            "certificate-authority": str(self.folder / "apiserver.crt"),
        }
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "wasm-lab", "cluster": cluster}],
            "users": [{"name": name, "user": {"token": self.tokens[name]}}],
            "contexts": [{"name": "wasm-lab", "context": {"cluster": "wasm-lab", "user": name}}],
            "current-context": "wasm-lab",
        }


def _private(path: Path) -> Path:
    """The path, now of a file that only its owner may read."""
    path.touch(mode=0o600)
    return path
