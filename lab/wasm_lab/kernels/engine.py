"""The papermill engine ``wasm-lab``: each notebook on a kernel that was started before it was needed.

papermill loads every registered engine while it is imported itself, so the class can only be made when it is
asked for: a plain ``class`` here would need papermill, which needs this module.
"""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    if name != "WarmKernelEngine":
        raise AttributeError(f"module {__name__} has no attribute {name}")
    from papermill.engines import NBClientEngine

    if name in globals():  # papermill was imported by the line above, and has asked for it meanwhile
        return globals()[name]

    class WarmKernelEngine(NBClientEngine):
        """Executes as papermill's own engine does, with the same options, on warm kernels (see ``manager``).

        A kernel serves one notebook and ends with it, after the exit handlers that the notebook has
        registered.
        """

        @classmethod
        def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, *args: Any, **kwargs: Any) -> Any:
            """Execute the notebook of ``nb_man``; called by papermill."""
            from wasm_lab.kernels.manager import WarmKernelManager

            kwargs.setdefault("kernel_manager_class", WarmKernelManager)
            return super().execute_managed_notebook(nb_man, kernel_name, *args, **kwargs)  # type: ignore[no-untyped-call]

    globals()[name] = WarmKernelEngine
    return WarmKernelEngine
