"""Real servers for scenarios: started in a temporary folder, waited for, stopped.

>>> from wasm_lab.services import Redis
>>> with Redis() as redis:                                        # doctest: +SKIP
...     print(redis.url)
redis://:c1f0…@127.0.0.1:40123

A server listens on this machine only, with a password of its own, and never outlives the process
that started it. What a machine lacks is said by ``missing()``.
"""

from __future__ import annotations

from wasm_lab.services.containerd import Containerd
from wasm_lab.services.postgres import Postgres
from wasm_lab.services.redis import Redis
from wasm_lab.services.server import Server

__all__ = ["Containerd", "Postgres", "Redis", "Server"]
