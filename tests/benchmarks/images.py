"""Images of a module of 100 KB, beside tar, gzip and SHA-256 of the same bytes alone."""

from __future__ import annotations

import gzip
import hashlib
import io
import itertools
import os
import random
import subprocess
import sys
import tarfile
from pathlib import Path

from tests.benchmarks.pairs import Pair, in_turn

from wasm_lab.build import build
from wasm_lab.build.sections import encode_leb128
from wasm_lab.build.wasm_tools import wasm_tools
from wasm_lab.cells import parse_cell
from wasm_lab.scenarios.containers.image import wasm_image
from wasm_lab.source import Profile, Target
from wasm_lab.twins import samples_folder

BYTES = 100_000

#: A component's interfaces are read by another program unless the cache has them: no two are the same here.
_seeds = itertools.count(int.from_bytes(os.urandom(4), "big"))


def module(target: Target) -> bytes:
    """A program of the samples, filled up to 100 KB with bytes that do not compress."""
    text = (samples_folder() / "programs" / "hello.rs").read_text(encoding="utf-8")
    wasm = build(parse_cell(text, name="hello", profile=Profile.SIZE, target=target)).wasm
    filler = b"\x06filler" + random.Random(next(_seeds)).randbytes(BYTES - len(wasm) - 11)
    return wasm + b"\0" + encode_leb128(len(filler)) + filler


def by_hand(wasm: bytes, path: Path) -> None:
    """What takes time in an image, with the standard library as its manual does it."""
    plain, compressed = io.BytesIO(), io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        info = tarfile.TarInfo("hello.wasm")
        info.size = len(wasm)
        tar.addfile(info, io.BytesIO(wasm))
    with gzip.GzipFile(fileobj=compressed, mode="wb", compresslevel=6, mtime=0) as stream:
        stream.write(plain.getvalue())
    hashlib.sha256(plain.getvalue()).hexdigest()
    hashlib.sha256(compressed.getvalue()).hexdigest()
    path.write_bytes(compressed.getvalue())


def image(folder: Path, thin: int) -> Pair:
    """An image of a core module, written as an archive."""
    wasm = module(Target.WASIP1)
    assert len(wasm) == BYTES
    wasm_tools(["validate"], wasm)
    return in_turn(
        "image of 100 KB, in process",
        lambda: wasm_image(wasm, "localhost/hello:1").write_archive(folder / "ours.tar"),
        lambda: by_hand(wasm, folder / "reference.tar.gz"),
        turns=60 // thin,
        asked="ours ≤ 100 ms",
    )


def component_image(folder: Path, thin: int) -> Pair:
    """An artifact of a component that nobody has seen, whose imports and exports have to be found."""
    return in_turn(
        "artifact of a 100 KB component, in process",
        lambda: wasm_image(module(Target.WASIP2), "localhost/hello:1", form="artifact").write_archive(
            folder / "ours.tar"
        ),
        lambda: by_hand(module(Target.WASIP2), folder / "reference.tar.gz"),
        turns=30 // thin,
        asked="ours ≤ 100 ms",
    )


def image_command(folder: Path, thin: int) -> Pair:
    """``wasm-lab container build`` of a file, against Python importing what it needs."""
    wasm_lab = Path(sys.executable).with_name("wasm-lab")
    (folder / "hello.wasm").write_bytes(module(Target.WASIP1))
    words = [wasm_lab, "container", "build", folder / "hello.wasm", "-o", folder / "hello.tar"]
    return in_turn(
        "wasm-lab container build, 100 KB",
        lambda: subprocess.run(words, check=True, stdout=subprocess.DEVNULL),
        lambda: subprocess.run(
            [sys.executable, "-c", "import click, tarfile, hashlib, json, zlib"], check=True
        ),
        turns=40 // thin,
        asked="told, not bounded",
    )
