"""The papermill engine ``wasm-lab``: each notebook on a kernel that was started before it was needed."""

from __future__ import annotations

from papermill.engines import NBClientEngine


class WarmKernelEngine(NBClientEngine):
    """Executes as papermill's own engine does."""
