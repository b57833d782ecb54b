"""matrix.rs in Python, without NumPy, which is what one would use and calls native code."""

from __future__ import annotations


def _check(a: list[float], b: list[float], n: int) -> None:
    for name, matrix in (("a", a), ("b", b)):
        if len(matrix) != n * n:
            raise ValueError(f"{name} has {len(matrix)} numbers, not {n} × {n}")


def multiply(a: list[float], b: list[float], n: int) -> list[float]:
    """a · b for n × n matrices, row after row."""
    _check(a, b, n)
    product = [0.0] * (n * n)
    for row in range(n):
        for inner in range(n):
            factor = a[row * n + inner]
            for column in range(n):
                product[row * n + column] += factor * b[inner * n + column]
    return product


def trace_of_product(n: int) -> float:
    """The sum of the diagonal of a · a, where a has i + j in row i and column j."""
    a = [float(row + column) for row in range(n) for column in range(n)]
    product = multiply(a, a, n)
    return sum(product[at * n + at] for at in range(n))


def multiply_textbook(a: list[float], b: list[float], n: int) -> list[float]:
    """a · b as the textbook writes it: down each column of b."""
    _check(a, b, n)
    product = []
    for row in range(n):
        for column in range(n):
            total = 0.0  # not sum(), which rounds in its own way since Python 3.12
            for inner in range(n):
                total += a[row * n + inner] * b[inner * n + column]
            product.append(total)
    return product
