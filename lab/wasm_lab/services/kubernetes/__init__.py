"""Kubernetes on this machine: a real control plane, and a node that runs pods through CRI."""

from __future__ import annotations

from wasm_lab.services.kubernetes.api_server import ApiServer
from wasm_lab.services.kubernetes.node import Node

__all__ = ["ApiServer", "Node"]
