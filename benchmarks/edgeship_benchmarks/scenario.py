"""How is timed: scenarios as definitions, and the one loop that carries them out.

The words are MLPerf's (Reddi et al., MLPerf Inference Benchmark, ISCA 2020). What differs: all
systems of a report take turns, so that a slow minute of the machine falls on all of them.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from edgeship_benchmarks.samples import SampleLibrary
from edgeship_benchmarks.systems import Clock, System
from edgeship_runtime.errors import EdgeshipError


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleStream:
    """One query of one sample after another, each sent when the one before is answered.

    Both minima hold for each system. Turns are cut short so that no more than `min_queries` are
    sent where these last for `min_duration_ns`.

    Attributes:
        min_queries: how many are sent at the least.
        min_duration_ns: how long they take together at the least.
        turn_queries: how many a system is sent before the next one's turn.
        warm_up_queries: how many make one block of the warm-up; see `warm_up`.
        warm_up_blocks: how many such blocks are sent at the most.
        stable: how much faster than all blocks before, as a share, a block must be for the
            warm-up to go on.
    """

    min_queries: int = 1000
    min_duration_ns: int = 200_000_000
    turn_queries: int = 50
    warm_up_queries: int = 10
    warm_up_blocks: int = 20
    stable: float = 0.05


@dataclass(slots=True, kw_only=True)
class Measurement:
    """The raw times of one system, in the order in which they were taken.

    Attributes:
        system: its name.
        latencies_ns: of every timed query.
        duration_ns: their sum.
        error: what it failed with, if it did; nothing was sent to it after that.
    """

    system: str
    latencies_ns: list[int] = field(default_factory=list)
    duration_ns: int = 0
    error: str | None = None

    def done(self, scenario: SingleStream) -> bool:
        """Whether both minima are reached, or the system has failed."""
        return self.error is not None or (
            len(self.latencies_ns) >= scenario.min_queries
            and self.duration_ns >= scenario.min_duration_ns
        )


def run(
    systems: Sequence[System],
    samples: SampleLibrary,
    scenario: SingleStream,
    clock: Clock = time.perf_counter_ns,
) -> list[Measurement]:
    """Send the scenario's queries to each system, in turns.

    Each system is warmed up first. Then, in every round, each has one turn; the order of turns is
    rotated by one from round to round. A turn begins with one query that is not timed, since the
    system before has left its own data in the caches. Samples come in the library's order, from
    the start again at its end, the same for each system.

    Returns:
        One measurement for each system, in the order given.
    """
    measured = [Measurement(system=system.name) for system in systems]
    for system, measurement in zip(systems, measured, strict=True):
        try:
            warm_up(system, samples, scenario, clock)
        except EdgeshipError as error:
            measurement.error = str(error)
    order = list(zip(systems, measured, strict=True))
    while not all(measurement.done(scenario) for measurement in measured):
        for system, measurement in order:
            if not measurement.done(scenario):
                _turn(system, measurement, samples, scenario, clock)
        order = order[1:] + order[:1]
    return measured


def warm_up(
    system: System,
    samples: SampleLibrary,
    scenario: SingleStream,
    clock: Clock = time.perf_counter_ns,
) -> int:
    """Send blocks of queries until their median falls no further; return how many were sent.

    Raises:
        EdgeshipError: where the system fails.
    """
    best = float("inf")
    sent = 0
    for _ in range(scenario.warm_up_blocks):
        times = [_time(system, samples, sent + i, clock) for i in range(scenario.warm_up_queries)]
        sent += len(times)
        median = statistics.median(times)
        if median >= best * (1 - scenario.stable):
            break
        best = min(best, median)
    return sent


def _turn(
    system: System,
    measurement: Measurement,
    samples: SampleLibrary,
    scenario: SingleStream,
    clock: Clock,
) -> None:
    sent = len(measurement.latencies_ns)
    left = scenario.min_queries - sent
    count = min(scenario.turn_queries, left) if left > 0 else scenario.turn_queries
    try:
        _time(system, samples, sent, clock)
        for i in range(sent, sent + count):
            latency_ns = _time(system, samples, i, clock)
            measurement.latencies_ns.append(latency_ns)
            measurement.duration_ns += latency_ns
    except EdgeshipError as error:
        measurement.error = str(error)


def _time(system: System, samples: SampleLibrary, index: int, clock: Clock) -> int:
    sample = samples[index % len(samples)]
    start = clock()
    system.predict(sample)
    return clock() - start
