"""Whether somebody sits before the notebook: papermill, nbconvert and plain Python have nobody."""

from __future__ import annotations

from typing import Any


def somebody_watches() -> bool:
    """True while a cell runs that a person's front end sent.

    A front end that cannot ask a person for input says so in its request (``allow_stdin``, Jupyter
    messaging protocol 5.4, "Execute"). nbclient, which papermill and nbconvert run on, always does;
    JupyterLab, Notebook, VS Code and the console never do.
    """
    try:
        from IPython.core.getipython import get_ipython
    except ImportError:
        return False
    kernel: Any = getattr(get_ipython(), "kernel", None)
    if kernel is None:
        return False
    request = kernel.get_parent("shell") or {}
    return bool(request.get("content", {}).get("allow_stdin"))
