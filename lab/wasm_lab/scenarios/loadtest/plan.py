"""How a load test is run: which loads, how long, how often."""

from __future__ import annotations

from dataclasses import dataclass

from wasm_lab.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Loads × rounds.

    Args:
        connections: how many are kept open, one load for each number.
        seconds: that each load lasts.
        rounds: in each, every stack has fresh processes, in an order drawn anew.
        starts: fresh processes of each stack and round that are timed to their first answer; the last
            of them takes the loads.
        warm_up_s: seconds of load before the first that is measured.
        seed: of the order.

    Raises:
        UsageError: there is nothing to measure.
    """

    connections: tuple[int, ...] = (1, 16, 64)
    seconds: int = 3
    rounds: int = 6
    starts: int = 3
    warm_up_s: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.connections or min(self.connections) < 1:
            raise UsageError(
                "A load needs at least one connection.", hint="For example: --connections 1,16,64."
            )
        if len(set(self.connections)) < len(self.connections):
            raise UsageError("A number of connections stands twice.")
        if min(self.seconds, self.rounds, self.starts, self.warm_up_s) < 1:
            raise UsageError("Seconds, rounds and starts are whole numbers of at least 1.")

    def expected_s(self, stacks: int) -> float:
        """About how many seconds it takes with so many stacks."""
        each = self.warm_up_s + len(self.connections) * (self.seconds + 0.1) + self.starts * 0.4
        return stacks * self.rounds * each


#: One load in five short rounds: enough for an interval, in under two minutes for six stacks.
QUICK = Plan(connections=(16,), seconds=1, rounds=5, starts=1)
