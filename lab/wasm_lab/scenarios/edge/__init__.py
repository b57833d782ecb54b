"""Cloudflare Workers in their own engine: JavaScript around the Wasm of a cell, with KV and variables.

Example:
    >>> worker = Worker.of("hello", "export default { fetch() { return new Response('hi'); } };")
    >>> with run_worker(worker) as live:                              # doctest: +SKIP
    ...     live.get("/").text
    'hi'
"""

from wasm_lab.scenarios.edge.live import LiveWorker, LiveWorkers
from wasm_lab.scenarios.edge.worker import Bindings, Worker


def run_worker(worker: Worker) -> LiveWorker:
    """Start a worker; use it as a context manager, or call ``close()``.

    Raises:
        CompileError: its text is no JavaScript, or throws when it is loaded.
        ServiceError: workerd is missing, or did not start.
    """
    live = LiveWorker(worker)
    try:
        return live.start()
    except BaseException:
        live.close()
        raise


__all__ = ["Bindings", "LiveWorker", "LiveWorkers", "Worker", "run_worker"]
