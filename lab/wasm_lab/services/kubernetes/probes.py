"""Probes of a container: asked again and again in a thread, as a kubelet asks them."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from typing import TYPE_CHECKING, Any

from wasm_lab.errors import ContainerError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wasm_lab.services.cri import Container


class Prober:
    """One probe of a container that runs; `stop` it with the container.

    Its times and counts are those of the probe, with the defaults that the API documents.
    """

    def __init__(
        self,
        probe: Mapping[str, Any],
        *,
        host: str,
        ports: Mapping[str, int],
        container: Container,
        on_result: Callable[[bool, str], None],
    ) -> None:
        """Takes what to call with each verdict (after as many answers in a row as the probe wants) and why."""
        self._probe, self._host, self._ports = probe, host, ports
        self._container, self._on_result = container, on_result
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="probe", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ask no more."""
        self._stopped.set()

    def _run(self) -> None:
        probe = self._probe
        if self._stopped.wait(float(probe.get("initialDelaySeconds") or 0)):
            return
        successes = failures = 0
        while not self._stopped.is_set():
            why = self._ask()
            if self._stopped.is_set():
                return
            successes, failures = (successes + 1, 0) if not why else (0, failures + 1)
            if successes and successes >= int(probe.get("successThreshold") or 1):
                self._on_result(True, "")
            elif failures and failures >= int(probe.get("failureThreshold") or 3):
                self._on_result(False, why)
            if self._stopped.wait(float(probe.get("periodSeconds") or 10)):
                return

    def _ask(self) -> str:
        """Why it fails; empty when it does not."""
        probe, timeout = self._probe, float(self._probe.get("timeoutSeconds") or 1)
        try:
            if "httpGet" in probe:
                return self._http(probe["httpGet"], timeout)
            if "tcpSocket" in probe:
                asked = probe["tcpSocket"]
                with socket.create_connection((asked.get("host") or self._host, self._port(asked)), timeout):
                    return ""
            if "exec" in probe:
                return self._exec(list(probe["exec"].get("command") or []), timeout)
        except (OSError, http.client.HTTPException, ContainerError, ValueError) as error:
            return str(error) or type(error).__name__
        return "the probe says neither httpGet nor tcpSocket nor exec"

    def _http(self, asked: Mapping[str, Any], timeout: float) -> str:
        host, port = str(asked.get("host") or self._host), self._port(asked)
        connection: http.client.HTTPConnection
        if str(asked.get("scheme", "HTTP")).upper() == "HTTPS":
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # as a kubelet does
            connection = http.client.HTTPSConnection(host, port, timeout=timeout, context=context)
        else:
            connection = http.client.HTTPConnection(host, port, timeout=timeout)
        try:
            headers = {one["name"]: one["value"] for one in asked.get("httpHeaders") or []}
            connection.request(
                "GET", str(asked.get("path") or "/"), headers={"User-Agent": "kube-probe", **headers}
            )
            status = connection.getresponse().status
        finally:
            connection.close()
        return "" if 200 <= status < 400 else f"HTTP probe failed with statuscode: {status}"

    def _port(self, asked: Mapping[str, Any]) -> int:
        port = asked.get("port", 0)
        if isinstance(port, str) and not port.isdecimal():
            if port not in self._ports:
                raise ValueError(f"the container has no port named {port!r}")
            return self._ports[port]
        return int(port)

    def _exec(self, command: list[str], timeout: float) -> str:
        answer = self._container.api.call(
            "ExecSync",
            container_id=self._container.id,
            cmd=command,
            timeout=max(1, round(timeout)),
            timeout_s=timeout + 10,
        )
        said = (answer.stderr or answer.stdout).decode(errors="replace").strip()
        return "" if answer.exit_code == 0 else f"status {answer.exit_code}: {said}"
