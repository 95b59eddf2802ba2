"""What loading a form takes, in this process: `python -m classical.loading WAY FOLDER --json PATH`.

A tiny form runs first, so that what the engine itself takes is there before.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np

from classical.forests import EVAL, LABELS, TINY, WHOLE, bundle_of, file_of
from classical.tally import Loading
from conversion.process import forget_peak, resident
from edgeship_runtime.arrays import Array

_CALLS = 500
_ONNX, _TFLITE = "onnx-float32", "tflite-float32"

# The label of one row.
Answer = Callable[[Array], Array]


def main() -> None:
    """Load a forest's form in one way and write what was found as JSON."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("way", choices=tuple(LOADINGS))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", type=Path, required=True)
    given = parser.parse_args()
    given.json.write_bytes(msgspec.json.encode(load(given.folder, given.way)))


def load(folder: Path, way: str) -> Loading:
    """Load and ask the tiny form, then the whole one."""
    form, opened = LOADINGS[way]
    with np.load(folder / EVAL) as kept:
        rows = [kept["x"][place : place + 1] for place in range(len(kept["y"]))]
    truth = np.load(folder / LABELS)
    opened(folder, TINY)(rows[0])
    forget_peak()
    before = resident("VmRSS")
    began = time.perf_counter()
    answer = opened(folder, WHOLE)
    seconds = time.perf_counter() - began
    answer(rows[0])
    growth = resident("VmHWM") - before
    times: list[int] = []
    for place in range(_CALLS):
        row = rows[place % len(rows)]
        started = time.perf_counter_ns()
        answer(row)
        times.append(time.perf_counter_ns() - started)
    labels = np.concatenate([answer(row) for row in rows])
    return Loading(
        form=form,
        load_seconds=seconds,
        growth_bytes=growth,
        p50_ns=round(statistics.median(times)),
        rows=len(rows),
        disagreements=int((labels != truth).sum()),
    )


def _in_onnxruntime(folder: Path, which: str) -> Answer:
    from classical.session import session

    form = session(file_of(folder, which, _ONNX).read_bytes())

    def answer(row: Array) -> Array:
        label: Array = form.run(None, {"x": row})[0]
        return label

    return answer


def _by_path(folder: Path, which: str) -> Answer:
    return _in_litert(file_of(folder, which, _TFLITE))


def _by_content(folder: Path, which: str) -> Answer:
    return _in_litert(file_of(folder, which, _TFLITE).read_bytes())


def _in_litert(model: bytes | Path) -> Answer:
    from classical.interpreter import BareInterpreter

    form = BareInterpreter(model)
    ((index, _),) = form.taken({"x": np.zeros((1, 1), np.float32)})[0]
    return lambda row: form.labels([[(index, row)]])


def _through_runtime(folder: Path, which: str) -> Answer:
    from edgeship_runtime.model import load as load_bundle

    form = load_bundle(bundle_of(folder, which, _TFLITE), threads=1)

    def answer(row: Array) -> Array:
        label: Array = form.predict({"x": row})["label"]
        return label

    return answer


# Each way's form, and how it is opened.
LOADINGS: dict[str, tuple[str, Callable[[Path, str], Answer]]] = {
    "onnxruntime": (_ONNX, _in_onnxruntime),
    "LiteRT by path": (_TFLITE, _by_path),
    "LiteRT by content": (_TFLITE, _by_content),
    "edgeship_runtime": (_TFLITE, _through_runtime),
}


if __name__ == "__main__":
    main()
