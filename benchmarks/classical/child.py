"""One case, in this process: `python -m classical.child NAME --json PATH --rounds N`."""

from __future__ import annotations

import argparse
import io
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import joblib
import msgspec
import numpy as np

import edgeship
from classical.cases import Case, Split, case
from classical.compiled import CompiledTrees
from classical.interpreter import BareInterpreter
from classical.plain import feeds, plain_onnx
from classical.session import session
from classical.tally import COMPILED, LITERT, OURS, PLAIN, PREPARED, RUNTIME, SOURCE, CaseTally, Way
from classical.turns import Call, asking, in_turns, one_by_one
from edgeship_benchmarks.percentiles import percentile
from edgeship_converters.artifact import Artifact, Task
from edgeship_converters.steps.onnx_to_savedmodel import onnx_to_tflite
from edgeship_runtime.arrays import Array
from edgeship_runtime.inputs import check_inputs
from edgeship_runtime.model import Model

FORM = "onnx-float32"


def main() -> None:
    """Measure a case and write what was found as JSON."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("name")
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    given = parser.parse_args()
    found = measure_case(case(given.name), given.rounds, given.json.parent)
    given.json.write_bytes(msgspec.json.encode(found))


def measure_case(chosen: Case, rounds: int, work: Path | None = None) -> CaseTally:
    """Fit a case's model, convert it in each way, and ask all forms row by row, in turns.

    Args:
        chosen: what is measured.
        rounds: how often the ways take turns.
        work: where trees are compiled, and nothing of it left; None for the system's own folder.

    Raises:
        EdgeshipError: where edgeship cannot convert or prove it.
    """
    data = chosen.data()
    model = chosen.build()
    model.fit(data.training, data.training_truth)
    rows = data.judging
    found = _Found(model.predict(rows))
    loaded, form = _converted(model, data)
    ours, given = session(form), check_inputs(loaded.contract.inputs, _named(rows))
    singles = one_by_one(given)
    found.add(SOURCE, asking(model.predict, _rows(rows)), _pickled(model))
    found.add(OURS, asking(lambda row: ours.run(None, row), singles), len(form))
    found.add(RUNTIME, asking(loaded.predict, singles), len(form))
    found.wrong[OURS] = found.wrong[RUNTIME] = found.differ(loaded.predict(given)["label"])
    with found.trying(PLAIN):
        made = plain_onnx(model, data.training)
        plain = session(made)
        asked = feeds(plain, rows)
        found.wrong[PLAIN] = found.differ(plain.run(None, asked)[0])
        found.add(PLAIN, asking(lambda row: plain.run(None, row), one_by_one(asked)), len(made))
    task = Task(chosen.name, loaded.contract, classical=True)
    small = onnx_to_tflite(Artifact.of_file(form), task)
    bare = BareInterpreter(small.data, small.words)
    taken = bare.taken(given)
    found.wrong[LITERT] = found.differ(bare.labels(taken))
    found.add(LITERT, asking(bare.run, taken), len(small.data))
    if chosen.asked.trees:
        with found.trying(COMPILED), TemporaryDirectory(dir=work) as folder:
            compiled = CompiledTrees(model, Path(folder))
            exact = rows.astype(np.float32)
            found.wrong[COMPILED] = found.wrong[PREPARED] = found.differ(compiled.labels(exact))
            found.add(COMPILED, asking(compiled.run, _rows(exact)), compiled.bytes)
            matrices = [compiled.matrix(row) for row in _rows(exact)]
            found.add(PREPARED, asking(compiled.predict, matrices), compiled.bytes)
    return CaseTally(
        name=chosen.name,
        asked=chosen.asked,
        rows=len(rows),
        ways=found.ways(rounds),
        failed=found.failed,
    )


class _Found:
    """What is known of a case so far, and the calls that are to be timed, by way."""

    def __init__(self, truth: Array) -> None:
        self.wrong: dict[str, int] = {}
        self.failed: dict[str, str] = {}
        self._truth = truth
        self._calls: dict[str, Call] = {}
        self._sizes: dict[str, int] = {}

    def add(self, way: str, call: Call, size: int) -> None:
        self._calls[way], self._sizes[way] = call, size

    def differ(self, labels: Array) -> int:
        """How many labels are not the source's."""
        return int((np.asarray(labels) != self._truth).sum())

    @contextmanager
    def trying(self, way: str) -> Iterator[None]:
        """A way that may fail: the converters of others raise what they like."""
        try:
            yield
        except Exception as error:
            self.failed[way] = _in_a_line(error)

    def ways(self, rounds: int) -> dict[str, Way]:
        """All ways that there are, asked in turns."""
        times = in_turns(self._calls, rounds)
        return {
            name: _way(times[name], self._sizes[name], self.wrong.get(name, 0))
            for name in self._calls
        }


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


def _rows(rows: Array) -> list[Array]:
    return [rows[place : place + 1] for place in range(len(rows))]


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


def _in_a_line(error: BaseException) -> str:
    """What began it is enough to look it up."""
    while error.__cause__ is not None:
        error = error.__cause__
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"


def _pickled(model: Any) -> int:
    kept = io.BytesIO()
    joblib.dump(model, kept)
    return len(kept.getvalue())


if __name__ == "__main__":
    main()
