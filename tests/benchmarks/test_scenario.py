"""SingleStream: who is asked what, in which order, and which times are kept.

The clock is handed in and counts by rule, so that each time is known beforehand.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np

from edgeship_benchmarks.samples import Rows
from edgeship_benchmarks.scenario import SingleStream, run, warm_up
from edgeship_runtime.arrays import Arrays
from edgeship_runtime.errors import EngineError

SAMPLES = Rows({"x": np.arange(3.0)[:, None]})


class Recorded:
    """A system that writes down what it was asked, and may fail from some query on."""

    def __init__(
        self, name: str, log: list[tuple[str, float]], fails_from: float = float("inf")
    ) -> None:
        self.name = name
        self._log = log
        self._left = fails_from

    def predict(self, sample: Arrays) -> None:
        if self._left < 1:
            raise EngineError(f"{self.name} has had enough")
        self._left -= 1
        self._log.append((self.name, float(sample["x"][0, 0])))


def ticking() -> Callable[[], int]:
    """A clock that moves by 1, 2, 3 … ns: every interval that it times is another one."""
    return itertools.accumulate(itertools.count(1)).__next__


def even() -> Callable[[], int]:
    """A clock that moves by 100 ns at each reading."""
    return itertools.count(0, 100).__next__


def scenario(queries: int, turn: int, duration_ns: int = 0) -> SingleStream:
    return SingleStream(
        min_queries=queries, min_duration_ns=duration_ns, turn_queries=turn, warm_up_blocks=0
    )


def turns(log: list[tuple[str, float]]) -> list[str]:
    return [name for name, _ in itertools.groupby(log, key=lambda entry: entry[0])]


def test_systems_take_turns_and_the_order_rotates_each_round() -> None:
    log: list[tuple[str, float]] = []
    run([Recorded(name, log) for name in "abc"], SAMPLES, scenario(6, 2), even())
    assert "".join(name for name, _ in log) == "aaabbbccc" + "bbbcccaaa" + "cccaaabbb"


def test_each_system_gets_the_same_samples_in_the_same_order() -> None:
    log: list[tuple[str, float]] = []
    run([Recorded(name, log) for name in "ab"], SAMPLES, scenario(7, 4), even())
    asked = {name: [sample for who, sample in log if who == name] for name in "ab"}
    assert asked["a"] == asked["b"]
    # The first query of each turn is asked once before it is timed.
    assert asked["a"] == [0, 0, 1, 2, 0, 1, 1, 2, 0]


def test_every_timed_query_is_kept_and_no_other() -> None:
    (measured,) = run([Recorded("a", [])], SAMPLES, scenario(5, 3), ticking())
    # Readings come in pairs, of which the first one of each turn is not timed.
    assert measured.latencies_ns == [4, 6, 8, 12, 14]
    assert measured.error is None


def test_queries_go_on_until_the_duration_is_reached_as_well() -> None:
    (measured,) = run([Recorded("a", [])], SAMPLES, scenario(3, 2, duration_ns=1000), even())
    assert sum(measured.latencies_ns) >= 1000
    # In turns of two: three as asked, then two at a time until it is enough.
    assert measured.latencies_ns == [100] * 11


def test_a_system_that_is_done_waits_while_another_has_not_lasted_long_enough() -> None:
    log: list[tuple[str, float]] = []
    readings = itertools.count(0, 100)

    class Slow(Recorded):
        def predict(self, sample: Arrays) -> None:
            super().predict(sample)
            next(readings)

    systems = [Slow("slow", log), Recorded("fast", log)]
    slow, fast = run(systems, SAMPLES, scenario(2, 2, duration_ns=800), readings.__next__)
    assert (len(slow.latencies_ns), len(fast.latencies_ns)) == (4, 8)
    assert turns(log)[-1] == "fast"


def test_a_system_that_fails_keeps_its_times_and_the_others_go_on() -> None:
    log: list[tuple[str, float]] = []
    systems = [Recorded("good", log), Recorded("bad", log, fails_from=4)]
    good, bad = run(systems, SAMPLES, scenario(8, 2), even())
    assert (len(good.latencies_ns), good.error) == (8, None)
    assert bad.error == "bad has had enough"
    # Three of its four answers were in the first turn, of which one was not timed.
    assert bad.latencies_ns == [100, 100]


def test_a_system_that_fails_while_warming_up_is_not_asked_again() -> None:
    log: list[tuple[str, float]] = []
    systems = [Recorded("bad", log, fails_from=2), Recorded("good", log)]
    bad, good = run(systems, SAMPLES, SingleStream(min_queries=20, min_duration_ns=0), even())
    assert (bad.latencies_ns, bad.error) == ([], "bad has had enough")
    assert len(good.latencies_ns) == 20
    assert sum(name == "bad" for name, _ in log) == 2


def test_warming_up_ends_once_a_block_is_no_faster() -> None:
    definition = SingleStream(warm_up_queries=2, warm_up_blocks=9)
    steps = iter([90, 90, 50, 50, 40, 40, 39, 39, 10, 10])
    now, odd = 0, False

    def falling() -> int:
        nonlocal now, odd
        odd = not odd
        now += 0 if odd else next(steps)
        return now

    log: list[tuple[str, float]] = []
    assert warm_up(Recorded("a", log), SAMPLES, definition, falling) == 8
    assert len(log) == 8


def test_warming_up_ends_at_its_limit_where_a_system_gets_faster_all_the_time() -> None:
    readings = itertools.accumulate(2.0 ** -(n // 4) * 2**40 for n in itertools.count())
    definition = SingleStream(warm_up_queries=2, warm_up_blocks=5)
    sent = warm_up(Recorded("a", []), SAMPLES, definition, lambda: int(next(readings)))
    assert sent == 10
