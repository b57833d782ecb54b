"""The process in which a Python twin is timed: ``python -m wasm_lab.subjects.python_worker``.

The first call is that of a function whose code was executed anew; the steady call is a loop here,
by ``perf_counter_ns``, whose own cost is a few tens of nanoseconds for each call.
"""

from __future__ import annotations

import copy
import pickle
import time
import traceback
from typing import TYPE_CHECKING, Any

from wasm_lab.subjects.dying import die_with
from wasm_lab.subjects.serving import Desk, clock_step_ns

if TYPE_CHECKING:
    from collections.abc import Callable


class Worker:
    """One Python function and its arguments."""

    def __init__(self, desk: Desk) -> None:
        settings = desk.settings
        self.desk = desk
        self.code = compile(settings["code"], settings["label"], "exec")
        self.name: str = settings["name"]
        self.mutable: list[int] = settings["mutable"]
        self.copied = {*self.mutable, *settings["owned"]}
        self.portion: int = settings["portion"]
        self.void: bool = settings["void"]
        self.args: tuple[Any, ...] = pickle.loads(desk.take(settings["size"]))
        self.steady: Callable[..., Any] | None = None
        self.fresh()

    def fresh(self) -> Callable[..., Any]:
        names: dict[str, Any] = {"__name__": "__twin__"}
        exec(self.code, names)  # noqa: S102 - the user's own function
        function = names.get(self.name)
        if not callable(function):
            raise TypeError(f"the code defines no function {self.name}")
        return function  # type: ignore[no-any-return]

    def own(self) -> tuple[Any, ...]:
        """The arguments for one call: what the twin may change is a copy."""
        return tuple(copy.deepcopy(each) if i in self.copied else each for i, each in enumerate(self.args))

    def elapsed(self, function: Callable[..., Any], count: int) -> int:
        clock = time.perf_counter_ns
        if not self.copied:
            args, rounds = self.args, range(count)
            start = clock()
            for _ in rounds:
                function(*args)
            return clock() - start
        total = 0
        while count > 0:
            portion = min(count, self.portion)
            count -= portion
            copies = [self.own() for _ in range(portion)]
            start = clock()
            for args in copies:
                function(*args)
            total += clock() - start
        return total

    def first(self, count: int) -> None:
        self.desk.say(f"elapsed {sum(self.elapsed(self.fresh(), 1) for _ in range(count))}")

    def time(self, count: int) -> None:
        self.steady = self.steady or self.fresh()
        self.desk.say(f"elapsed {self.elapsed(self.steady, count)}")

    def answer(self) -> None:
        args = self.own()
        result = self.fresh()(*args)
        parts = [*([] if self.void else [result]), *(args[index] for index in self.mutable)]
        data = pickle.dumps(parts)
        self.desk.say(f"answer {len(data)}", data)

    def step(self) -> None:
        self.desk.say(f"step {clock_step_ns()}")


def _told() -> str:
    """The traceback without the frames of this file."""
    return "".join(part for part in traceback.format_exc().splitlines(True) if __file__ not in part)


def main() -> None:
    desk = Desk()
    die_with(desk.settings["parent"])
    try:
        worker = Worker(desk)
    except BaseException:  # whatever the user's code raises
        desk.fail(_told())
        return
    desk.say("ready")
    while order := desk.line():
        what, _, number = order.partition(" ")
        try:
            getattr(worker, what)(*([int(number)] if number else []))
        except BaseException:
            desk.fail(_told())


if __name__ == "__main__":
    main()
