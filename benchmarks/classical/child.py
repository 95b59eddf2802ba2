"""One case, in this process: `python -m classical.child NAME --json PATH --rounds N`."""

from __future__ import annotations

import argparse
import gc
import io
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import joblib
import msgspec
import numpy as np

import edgeship
from classical.cases import Case, Split, case
from classical.plain import feeds, plain_onnx
from classical.session import session
from classical.tally import OURS, PLAIN, RUNTIME, SOURCE, CaseTally, Way
from edgeship_benchmarks.percentiles import percentile
from edgeship_runtime.arrays import Array, Arrays
from edgeship_runtime.inputs import check_inputs
from edgeship_runtime.model import Model

FORM = "onnx-float32"
_BLOCK_NS = 100_000_000
_MOST_CALLS = 200
_LEAST_CALLS = 10
_WARMING_CALLS = 5

# What is asked, by the number of the row.
Call = Callable[[int], object]


def main() -> None:
    """Measure a case and write what was found as JSON."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("name")
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    given = parser.parse_args()
    given.json.write_bytes(msgspec.json.encode(measure_case(case(given.name), given.rounds)))


def measure_case(chosen: Case, rounds: int) -> CaseTally:
    """Fit a case's model, convert it both ways, and ask all forms row by row, in turns.

    Raises:
        EdgeshipError: where edgeship cannot convert or prove it.
    """
    data = chosen.data()
    model = chosen.build()
    model.fit(data.training, data.training_truth)
    rows = data.judging
    truth = model.predict(rows)
    loaded, form = _converted(model, data)
    ours, given = session(form), check_inputs(loaded.contract.inputs, _named(rows))
    calls: dict[str, Call] = {
        SOURCE: _asking(model.predict, [rows[place : place + 1] for place in range(len(rows))]),
        OURS: _asking(lambda row: ours.run(None, row), one_by_one(given)),
        RUNTIME: _asking(loaded.predict, one_by_one(given)),
    }
    sizes = {SOURCE: _pickled(model), OURS: len(form), RUNTIME: len(form)}
    wrong = {name: _wrong(loaded.predict(given)["label"], truth) for name in (OURS, RUNTIME)}
    failed = {}
    try:
        made = plain_onnx(model, data.training)
        plain = session(made)
        asked = feeds(plain, rows)
        wrong[PLAIN] = _wrong(plain.run(None, asked)[0], truth)
    except Exception as error:
        failed[PLAIN] = _in_a_line(error)
    else:
        calls[PLAIN] = _asking(lambda row: plain.run(None, row), one_by_one(asked))
        sizes[PLAIN] = len(made)
    times = in_turns(calls, rounds)
    return CaseTally(
        name=chosen.name,
        asked=chosen.asked,
        rows=len(rows),
        ways={name: _way(times[name], sizes[name], wrong.get(name, 0)) for name in calls},
        failed=failed,
    )


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


def _converted(model: Any, data: Split) -> tuple[Model, bytes]:
    """The form as edgeship ships it, loaded, and its bytes."""
    with TemporaryDirectory(prefix="classical-") as folder:
        bundle = edgeship.convert(
            model,
            Path(folder) / "model.edgeship",
            data=_named(data.training),
            eval_data={**_named(data.judging), "y": data.judging_truth},
            variants=[FORM],
            cache=False,
        )
        loaded = edgeship.load(bundle, threads=1)
        return loaded, bundle.artifact(loaded.variant)


def _named(rows: Array) -> dict[str, Array]:
    """Rows by the names of the contract's inputs."""
    if rows.dtype != object:
        return {"x": rows.astype(np.float32)}
    return {f"x{place}": column for place, column in enumerate(rows.T)}


def _asking(answer: Callable[[Any], object], rows: list[Any]) -> Call:
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


def _way(rounds: list[list[int]], size: int, wrong: int) -> Way:
    times = [ns for block in rounds for ns in block]
    return Way(
        bytes=size,
        calls=len(times),
        p50_ns=round(statistics.median(times)),
        p90_ns=percentile(times, 90),
        round_p50_ns=[round(statistics.median(block)) for block in rounds],
        disagreements=wrong,
    )


def _wrong(labels: Array, truth: Array) -> int:
    return int((np.asarray(labels) != truth).sum())


def _in_a_line(error: BaseException) -> str:
    """Converters and engine raise what they like; what began it is enough to look it up."""
    while error.__cause__ is not None:
        error = error.__cause__
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"


def _pickled(model: Any) -> int:
    kept = io.BytesIO()
    joblib.dump(model, kept)
    return len(kept.getvalue())


if __name__ == "__main__":
    main()
