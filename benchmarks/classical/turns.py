"""Asking a model in several ways, row by row, in turns."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Any

from edgeship_runtime.arrays import Array, Arrays

_BLOCK_NS = 100_000_000
_MOST_CALLS = 200
_LEAST_CALLS = 10
_WARMING_CALLS = 5

# What is asked, by the number of the row.
Call = Callable[[int], object]


def in_turns(calls: dict[str, Call], rounds: int) -> dict[str, list[list[int]]]:
    """Nanoseconds of each call, round by round.

    In each round every way is asked for a tenth of a second or two hundred times, whichever is
    less; another way begins each round.
    """
    times: dict[str, list[list[int]]] = {name: [] for name in calls}
    names = list(calls)
    for round_ in range(rounds):
        first = round_ % len(names)
        for name in names[first:] + names[:first]:
            times[name].append(_block(calls[name], round_ * _LEAST_CALLS))
    return times


def one_by_one(inputs: Arrays) -> list[dict[str, Array]]:
    """The same rows, each as a batch of its own."""
    count = len(next(iter(inputs.values())))
    return [
        {name: array[place : place + 1] for name, array in inputs.items()} for place in range(count)
    ]


def asking(answer: Callable[[Any], object], rows: list[Any]) -> Call:
    """A call that gives `answer` the rows in turn, from the first again after the last."""
    return lambda place: answer(rows[place % len(rows)])


def _block(call: Call, first: int) -> list[int]:
    for place in range(_WARMING_CALLS):
        call(first + place)
    times: list[int] = []
    now = time.perf_counter_ns
    # As timeit does: collecting falls on whichever call happens to allocate.
    gc.disable()
    try:
        end = now() + _BLOCK_NS
        while len(times) < _LEAST_CALLS or (len(times) < _MOST_CALLS and now() < end):
            began = now()
            call(first + len(times))
            times.append(now() - began)
    finally:
        gc.enable()
    return times
