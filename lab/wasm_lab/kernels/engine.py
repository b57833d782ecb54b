"""The papermill engine ``wasm-lab``: each notebook on a kernel that was started before it was needed."""

from __future__ import annotations

from typing import Any

from papermill.engines import NBClientEngine


class WarmKernelEngine(NBClientEngine):
    """Executes as papermill's own engine does, with the same options, on warm kernels (see ``manager``).

    A kernel serves one notebook and ends with it, after the exit handlers that the notebook has registered.
    """

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, *args: Any, **kwargs: Any) -> Any:
        """Execute the notebook of ``nb_man``; called by papermill."""
        from wasm_lab.kernels.manager import WarmKernelManager

        kwargs.setdefault("kernel_manager_class", WarmKernelManager)
        return super().execute_managed_notebook(nb_man, kernel_name, *args, **kwargs)  # type: ignore[no-untyped-call]
