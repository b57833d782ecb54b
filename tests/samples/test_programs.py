"""Programs and kernels: each gives its documented output under its documented capabilities."""

from __future__ import annotations

import hashlib
import io
import json
import math
import struct
import time
import zlib
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from wasm_lab.capabilities import ClockMode, Directory, RandomMode
from wasm_lab.cells import parse_cell
from wasm_lab.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from wasm_lab.live import LiveCell
    from wasm_lab.run import Run
    from wasm_lab.source import Source
    from wasm_lab.testing import TestReport

KERNELS = [
    "fib",
    "sieve",
    "n_body",
    "matrix",
    "sha256",
    "json",
    "mandelbrot",
    "resize",
    "levenshtein",
    "sort",
]


def test_hello(run: Callable[..., Run]) -> None:
    result = run("programs/hello.rs")
    assert (result.exit_status, result.stdout, result.stderr) == (0, b"Hello from the sandbox!\n", b"")


def test_cat_copies_a_binary_file_exactly(run: Callable[..., Run], tmp_path: Path) -> None:
    data = bytes(range(256)) * 1000
    (tmp_path / "data.bin").write_bytes(data)
    folder = Directory(tmp_path, "/data", writable=False)
    assert run("programs/cat.rs", "/data/data.bin", "/data/data.bin", dirs=(folder,)).stdout == data * 2
    assert run("programs/cat.rs", stdin=data).stdout == data


def test_cat_without_a_folder_reports_and_goes_on(run: Callable[..., Run], tmp_path: Path) -> None:
    (tmp_path / "there").write_text("text\n")
    folder = Directory(tmp_path, "/data", writable=False)
    result = run("programs/cat.rs", "/data/missing", "/data/there", "/etc/passwd", dirs=(folder,))
    assert result.exit_status == 1
    assert result.stdout == b"text\n"
    assert [line.split(b":")[1] for line in result.stderr.splitlines()] == [
        b" /data/missing",
        b" /etc/passwd",
    ]


def test_cat_of_a_refused_file_is_explained(run: Callable[..., Run]) -> None:
    result = run("programs/cat.rs", "/data/note.txt", audit=True)
    assert result.exit_status == 1
    assert any("--dir" in call.flag for call in result.refused), result.audit


def test_word_count_agrees_with_python(run: Callable[..., Run], tmp_path: Path, samples: Path) -> None:
    texts = [b"", b"\n", b"one", b"  spaces \t\v\f\r\nnewline\n", "naïve καφές\n".encode(), b"x" * 200_000]
    texts += [path.read_bytes() for path in sorted((samples / "texts").iterdir())]
    for number, text in enumerate(texts):
        (tmp_path / str(number)).write_bytes(text)
    paths = [f"/t/{number}" for number in range(len(texts))]
    result = run("programs/word_count.rs", *paths, dirs=(Directory(tmp_path, "/t", writable=False),))
    expected = [[text.count(b"\n"), len(text.split()), len(text)] for text in texts]
    expected.append([sum(column) for column in zip(*expected, strict=True)])
    assert [[int(word) for word in line.split()[:3]] for line in result.stdout.splitlines()] == expected


def test_environment_shows_what_was_given_and_no_more(
    run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    result = run("programs/environment.rs", "één", "", env={"B": "2=3", "A": "\n"})
    lines = result.stdout.decode().splitlines()
    assert lines[:4] == ['argument 1: "één"', 'argument 2: ""', 'A="\\n"', 'B="2=3"']
    assert "SECRET_TOKEN" not in result.stdout.decode()


def test_clock_and_random_can_be_made_to_stand_still(run: Callable[..., Run]) -> None:
    still: dict[str, Any] = {"clock": ClockMode.FROZEN, "random": RandomMode.SEEDED}
    first, again = (run("programs/clock_and_random.rs", seed=7, **still) for _ in range(2))
    other = run("programs/clock_and_random.rs", seed=8, **still)
    assert first.ok
    assert first.stdout == again.stdout
    assert first.stdout != other.stdout
    assert b"elapsed: 0 ns" in first.stdout


def test_clock_and_random_are_real_by_default(run: Callable[..., Run]) -> None:
    runs = [run("programs/clock_and_random.rs") for _ in range(4)]
    lines = [result.stdout.decode().splitlines() for result in runs]
    seconds = [int(line[0].removeprefix("seconds since 1970: ")) for line in lines]
    assert all(abs(second - time.time()) < 120 for second in seconds)
    assert len({line[2] for line in lines}) == 4, "hashes of 64 random bits were equal"


@pytest.mark.parametrize("what", ["clock", "random"])
def test_refused_clock_or_randomness_panics(run: Callable[..., Run], what: str) -> None:
    refused: dict[str, Any] = (
        {"clock": ClockMode.REFUSED} if what == "clock" else {"random": RandomMode.REFUSED}
    )
    result = run("programs/clock_and_random.rs", audit=True, **refused)
    assert result.trap
    assert f"--{what}" in result.refused[0].flag


@pytest.mark.slow
def test_json_transform(run: Callable[..., Run], samples: Path) -> None:
    result = run("programs/json_transform.rs", stdin=(samples / "texts/orders.json").read_bytes())
    assert json.loads(result.stdout) == [
        {"customer": "Ada", "orders": 2, "cents": 5497},
        {"customer": "Grace", "orders": 1, "cents": 1250},
    ]
    assert json.loads(run("programs/json_transform.rs", stdin=b"[]").stdout) == []
    broken = run("programs/json_transform.rs", stdin=b"[{")
    assert (broken.exit_status, b"line 1 column 2" in broken.stderr) == (1, True)


def png_of(width: int, height: int, rows: list[bytes]) -> bytes:
    """A PNG of 8-bit RGBA rows, written with the standard library (an independent encoder)."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + row for row in rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.slow
def test_image_resize(run: Callable[..., Run], tmp_path: Path) -> None:
    result = run("programs/image_resize.rs")
    assert result.stdout.splitlines()[0] == b"640 x 480 PNG -> 320 x 240 PNG"
    # The mean of the test picture by its definition, in Python.
    across = sum(x * 255 // 639 for x in range(640)) // 640
    down = sum(y * 255 // 479 for y in range(480)) // 480
    assert f"mean colour before: {across} {down} 127".encode() in result.stdout

    (tmp_path / "in.png").write_bytes(png_of(8, 4, [b"\x10\x20\x30\xff" * 8] * 4))
    folder = Directory(tmp_path, "/sandbox")
    assert run("programs/image_resize.rs", "/sandbox/in.png", "/sandbox/out.png", "4", "2", dirs=(folder,)).ok
    output = io.BytesIO((tmp_path / "out.png").read_bytes())
    assert output.read(8) == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">I4sII", output.read(16)) == (13, b"IHDR", 4, 2)

    broken = run("programs/image_resize.rs", "-", "-", "4", "2", stdin=b"no picture")
    assert broken.exit_status == 1
    assert b"Error" in broken.stderr


@pytest.mark.parametrize("kernel", KERNELS)
def test_kernels_know_their_answers(run_tests: Callable[..., TestReport], kernel: str) -> None:
    report = run_tests(f"kernels/{kernel}.rs")
    assert len(report.results) >= 2
    assert [(result.name, result.message) for result in report.results if result.outcome != "ok"] == []


@pytest.fixture(scope="module")
def twins(samples: Path) -> ModuleType:
    """The Python twins of all kernels, in one module."""
    module = ModuleType("twins")
    for path in sorted((samples / "kernels").glob("*.py")):
        names: dict[str, Any] = {}
        exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), names)
        vars(module).update({name: value for name, value in names.items() if not name.startswith("_")})
    return module


@pytest.fixture(scope="module")
def kernel(source: Callable[..., Source]) -> Callable[[str], LiveCell]:
    """``kernel(name)``: its functions, callable."""

    def define(name: str) -> LiveCell:
        session = Session()
        return session.define(session.compile(source(f"kernels/{name}.rs")))

    return define


@pytest.mark.parametrize(
    ("name", "function", "arguments"),
    [
        ("fib", "fib", [0, 1, 2, 20]),
        ("fib", "fib_iterative", [0, 1, 93, 94, 1000]),
        ("sieve", "count_primes", [0, 1, 2, 3, 4, 9, 10, 25, 26, 10_000]),
        ("sieve", "primes", [0, 2, 3, 100]),
        ("n_body", "energy_after", [0, 1, 100]),
        ("n_body", "places_after", [0, 1, 100]),
        ("matrix", "trace_of_product", [0, 1, 2, 20]),
    ],
)
def test_kernels_equal_their_python_twins(
    kernel: Callable[[str], LiveCell],
    twins: ModuleType,
    name: str,
    function: str,
    arguments: list[int],
) -> None:
    rust, python = kernel(name).functions[function], getattr(twins, function)
    for argument in arguments:
        mine, other = rust(argument), python(argument)
        # Equal to the last bit: both do the same IEEE 754 operations in the same order.
        assert list(mine) == list(other) if hasattr(mine, "__len__") else mine == other, (function, argument)


def test_the_matrix_kernel_equals_numpy_and_its_twin(
    kernel: Callable[[str], LiveCell], twins: ModuleType
) -> None:
    import numpy as np

    functions = kernel("matrix").functions
    a, b = (np.random.default_rng(seed).random((9, 9)) for seed in (1, 2))
    product = functions["multiply"](a.ravel(), b.ravel(), 9)
    assert product.tolist() == twins.multiply(a.ravel().tolist(), b.ravel().tolist(), 9)
    np.testing.assert_allclose(product.reshape(9, 9), a @ b, rtol=1e-13)
    np.testing.assert_allclose(functions["multiply_textbook"](a.ravel(), b.ravel(), 9), product, rtol=1e-13)


@pytest.mark.parametrize("size", [0, 1, 55, 56, 63, 64, 65, 1000])
def test_the_hash_kernel_equals_hashlib(kernel: Callable[[str], LiveCell], size: int) -> None:
    functions = kernel("sha256").functions
    data = bytes((number * 37) % 256 for number in range(size))
    assert bytes(functions["sha256"](data)) == hashlib.sha256(data).digest()
    letters = int.from_bytes(hashlib.sha256(b"a" * size).digest()[:4], "big")
    assert functions["sha256_of_letters"](size) == letters


def test_a_program_of_one_line_uses_a_kernel(source: Callable[..., Source]) -> None:
    """What the README says for engines that only run commands."""
    session = Session()
    program = parse_cell(
        'fn main() { println!("{}", sieve::count_primes(1_000_000)); }', uses=(source("kernels/sieve.rs"),)
    )
    assert session.run(session.compile(program)).stdout == b"78498\n"


def test_twins_know_the_published_energies(twins: ModuleType) -> None:
    assert f"{twins.energy_after(0):.9f}" == "-0.169075164"
    assert f"{twins.energy_after(1000):.9f}" == "-0.169087605"
    assert math.isclose(sum(twins.places_after(0)[:3]), 0.0)
