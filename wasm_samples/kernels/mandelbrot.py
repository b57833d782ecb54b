"""mandelbrot.rs in Python."""

from __future__ import annotations


def escape_time(re: float, im: float, limit: int) -> int:
    """After how many steps of z ↦ z² + c |z| is above 2; ``limit`` when it takes that many or more."""
    x = y = xx = yy = 0.0
    for step in range(1, limit):
        y = 2.0 * x * y + im
        x = xx - yy + re
        xx = x * x
        yy = y * y
        if xx + yy > 4.0:
            return step
    return limit


def mandelbrot(width: int, height: int, limit: int) -> list[int]:
    """The escape time of each point of a picture of width × height."""
    return [
        escape_time((column + 0.5) * (3.0 / width) - 2.0, (row + 0.5) * (3.0 / height) - 1.5, limit)
        for row in range(height)
        for column in range(width)
    ]


def points_inside(size: int) -> int:
    """How many points of a picture of size × size have not escaped after 500 steps."""
    return mandelbrot(size, size, 501).count(501)
