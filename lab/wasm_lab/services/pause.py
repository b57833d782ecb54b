"""The image of the process that holds a pod's namespaces open: a program of a few instructions that sleeps.

Kubernetes pulls its own from a registry; this one is made here, so that nothing is downloaded. An image
of any other program is made by the scenarios.
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
import struct
import tarfile

from wasm_lab.errors import ServiceError

#: Machine code that calls pause(2), or ppoll(2) without anything to wait for, over and over; and its ELF number.
SLEEPS = {
    # mov eax, 34; syscall; jmp to the start
    "x86_64": (62, "amd64", bytes.fromhex("b822000000 0f05 ebf7")),
    # mov x0..x3, 0; mov x8, 73; svc 0; branch to the start
    "aarch64": (
        183,
        "arm64",
        struct.pack(
            "<7I", 0xD2800000, 0xD2800001, 0xD2800002, 0xD2800003, 0xD2800928, 0xD4000001, 0x17FFFFFA
        ),
    ),
}

#: Where the program is loaded; any page will do.
LOADED_AT = 0x400000


def pause_program(machine: str = "") -> bytes:
    """An ELF executable without libraries that sleeps until it is killed. About 130 bytes.

    Takes the machine as ``platform.machine()`` names it; by default this one.

    Raises:
        ServiceError: the lab has no such program for this kind of processor.
    """
    machine = machine or platform.machine()
    if machine not in SLEEPS:
        raise ServiceError(
            f"The lab cannot run pods on {machine}.", hint=f"It can on {' and '.join(SLEEPS)}, with Linux."
        )
    number, _, code = SLEEPS[machine]
    header, table = 64, 56  # sizes of an ELF file header and of one program header
    size = header + table + len(code)
    start = LOADED_AT + header + table
    elf = b"\x7fELF" + bytes([2, 1, 1]) + bytes(9)
    elf += struct.pack("<HHIQQQIHHHHHH", 2, number, 1, start, header, 0, 0, header, table, 1, 0, 0, 0)
    elf += struct.pack("<IIQQQQQQ", 1, 5, 0, LOADED_AT, LOADED_AT, size, size, 0x1000)
    return elf + code


def pause_archive(name: str) -> bytes:
    """An OCI image archive with that program, under that name."""
    machine = platform.machine()
    layer = _tar({"pause": pause_program(machine)})
    config = _json(
        {
            "architecture": SLEEPS[machine][1],
            "os": "linux",
            "config": {"Entrypoint": ["/pause"]},
            "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
        }
    )
    kind = "application/vnd.oci.image"
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": f"{kind}.manifest.v1+json",
            "config": _descriptor(config, f"{kind}.config.v1+json"),
            "layers": [_descriptor(layer, f"{kind}.layer.v1.tar")],
        }
    )
    pointer = _descriptor(manifest, f"{kind}.manifest.v1+json")
    pointer["annotations"] = {"io.containerd.image.name": name}
    blobs = {f"blobs/sha256/{_digest(data)[7:]}": data for data in (layer, config, manifest)}
    return _tar(
        {
            "oci-layout": _json({"imageLayoutVersion": "1.0.0"}),
            "index.json": _json({"schemaVersion": 2, "manifests": [pointer]}),
            **blobs,
        }
    )


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _descriptor(data: bytes, kind: str) -> dict[str, object]:
    return {"mediaType": kind, "digest": _digest(data), "size": len(data)}


def _json(data: object) -> bytes:
    return json.dumps(data).encode()


def _tar(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), 0o755
            tar.addfile(member, io.BytesIO(data))
    return packed.getvalue()
