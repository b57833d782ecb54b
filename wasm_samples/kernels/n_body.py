"""n_body.rs in Python."""

from __future__ import annotations

import math

_SOLAR_MASS = 4 * math.pi * math.pi
_DAYS_PER_YEAR = 365.24
_STEP = 0.01
#: Place, velocity in units a day, and mass in Suns, from the Computer Language Benchmarks Game.
_BODIES = (
    ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 1.0),
    (
        (4.84143144246472090e00, -1.16032004402742839e00, -1.03622044471123109e-01),
        (1.66007664274403694e-03, 7.69901118419740425e-03, -6.90460016972063023e-05),
        9.54791938424326609e-04,
    ),
    (
        (8.34336671824457987e00, 4.12479856412430479e00, -4.03523417114321381e-01),
        (-2.76742510726411862e-03, 4.99852801234917238e-03, 2.30417297573763929e-05),
        2.85885980666130812e-04,
    ),
    (
        (1.28943695621391310e01, -1.51111514016986312e01, -2.23307578892655734e-01),
        (2.96460137564761618e-03, 2.37847173959480950e-03, -2.96589568540237556e-05),
        4.36624404335156298e-05,
    ),
    (
        (1.53796971148509165e01, -2.59193146099879641e01, 1.79258772950371181e-01),
        (2.68067772490389322e-03, 1.62824170038242295e-03, -9.51592254519715870e-05),
        5.15138902046611451e-05,
    ),
)

#: A body while it moves: place, velocity, mass.
_Body = tuple[list[float], list[float], float]


def _solar_system() -> list[_Body]:
    bodies: list[_Body] = [
        (list(place), [part * _DAYS_PER_YEAR for part in velocity], mass * _SOLAR_MASS)
        for place, velocity, mass in _BODIES
    ]
    for axis in range(3):
        momentum = 0.0
        for _, velocity, mass in bodies:
            momentum += velocity[axis] * mass
        bodies[0][1][axis] = -momentum / _SOLAR_MASS
    return bodies


def _advance(bodies: list[_Body]) -> None:
    for first, (place_a, velocity_a, mass_a) in enumerate(bodies):
        for place_b, velocity_b, mass_b in bodies[first + 1 :]:
            dx, dy, dz = place_a[0] - place_b[0], place_a[1] - place_b[1], place_a[2] - place_b[2]
            squared = dx * dx + dy * dy + dz * dz
            strength = _STEP / (squared * math.sqrt(squared))
            for axis, apart in enumerate((dx, dy, dz)):
                velocity_a[axis] -= apart * mass_b * strength
                velocity_b[axis] += apart * mass_a * strength
    for place, velocity, _ in bodies:
        for axis in range(3):
            place[axis] += _STEP * velocity[axis]


def _after(steps: int) -> list[_Body]:
    bodies = _solar_system()
    for _ in range(steps):
        _advance(bodies)
    return bodies


def energy_after(steps: int) -> float:
    """The energy of the system after so many steps."""
    bodies, total = _after(steps), 0.0
    for first, (place_a, (x, y, z), mass_a) in enumerate(bodies):
        total += 0.5 * mass_a * (x * x + y * y + z * z)
        for place_b, _, mass_b in bodies[first + 1 :]:
            dx, dy, dz = place_a[0] - place_b[0], place_a[1] - place_b[1], place_a[2] - place_b[2]
            total -= mass_a * mass_b / math.sqrt(dx * dx + dy * dy + dz * dz)
    return total


def places_after(steps: int) -> list[float]:
    """Where the bodies are after so many steps: x, y and z of each."""
    return [part for place, _, _ in _after(steps) for part in place]
