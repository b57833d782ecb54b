"""Kubernetes: manifests that are right for Wasm, and running them.

>>> from wasm_lab.scenarios.kubernetes import load_documents, render, validate
>>> [document.kind for document in load_documents(render("ghcr.io/me/hello:1", way="crun"))]
['RuntimeClass', 'Deployment', 'Service']
>>> validate(render("ghcr.io/me/hello:1", way="crun"))
[]
"""

from __future__ import annotations

from typing import Any

__all__ = ["Document", "Problem", "load_documents", "render", "validate"]

_WHERE = {
    "Document": "documents",
    "Problem": "problems",
    "load_documents": "documents",
    "render": "rendering",
    "validate": "validating",
}


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        import importlib

        return getattr(importlib.import_module(f"{__name__}.{_WHERE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
