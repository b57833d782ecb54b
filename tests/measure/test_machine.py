from __future__ import annotations

import os
import re

from wasm_lab.measure import machine as module
from wasm_lab.measure.machine import machine


def test_this_machine_has_a_name_that_tells_it_apart():
    found = machine()
    assert found is machine()
    assert 1 <= found.cores <= (os.cpu_count() or 1)
    assert found.memory_bytes > 100 * 2**20
    assert found.cpu in found.name
    assert found.system in found.name
    assert re.search(r" \([0-9a-f]{4}\)$", found.name)
    assert found.python in str(found)


def test_what_disturbs_is_said(monkeypatch):
    monkeypatch.setattr(os, "getloadavg", lambda: (99.0, 0.0, 0.0))
    monkeypatch.setattr(module, "_read", lambda path: "powersave" if "governor" in path else "")
    said = " ".join(module.noise())
    assert "governor is powersave" in said
    assert "load of the last minute is 99.0" in said
    assert "virtual machine" not in said


def test_a_container_has_no_more_than_its_share(monkeypatch):
    files = {
        "/sys/fs/cgroup/cpu.max": "150000 100000",
        "/sys/fs/cgroup/memory.max": str(64 * 2**20),
    }
    monkeypatch.setattr(module, "_read", lambda path: files.get(path, ""))
    assert module.usable_cores() == 1
    assert module._memory_bytes() == 64 * 2**20
