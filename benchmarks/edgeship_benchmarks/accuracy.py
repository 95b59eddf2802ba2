"""How good a variant's answers are: against the truth, and against the most exact variant."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from edgeship_benchmarks.errors import BenchError
from edgeship_benchmarks.samples import Rows
from edgeship_benchmarks.systems import VariantSystem
from edgeship_runtime import labels
from edgeship_runtime.arrays import Array, Arrays
from edgeship_runtime.bundle import Contract

# The source's own framework comes first, then the formats made from it, unquantized.
_EXACT = ("savedmodel-float32", "onnx-float32", "tflite-float32")


def reference(names: Collection[str]) -> str | None:
    """The most exact of the variants called `names`, the first one if none is known as exact.

    >>> reference(["tflite-int8", "tflite-float32", "onnx-float32"])
    'onnx-float32'
    """
    for name in _EXACT:
        if name in names:
            return name
    return next(iter(names), None)


def answer(system: VariantSystem, rows: Rows, contract: Contract) -> dict[str, Array]:
    """A variant's outputs for all rows.

    Raises:
        EdgeshipError: where it fails on them, or does not answer for each of them.
    """
    if all(spec.shape[0] is None for spec in contract.inputs):
        outputs = system.predict(rows.arrays)
    else:
        answers = [system.predict(rows[i]) for i in range(len(rows))]
        outputs = {
            spec.name: np.concatenate([answer[spec.name] for answer in answers])
            for spec in contract.outputs
        }
    for name, array in outputs.items():
        if array.shape[:1] != (len(rows),):
            raise BenchError(
                f"{system.name} gives the shape {array.shape} in output {name!r} for {len(rows)} "
                "rows, expected one for each: convert the model again"
            )
    return outputs


def agreement(contract: Contract, outputs: Arrays, exact: Arrays) -> float | None:
    """The share of rows that get the same label in both; None for a model without classes."""
    decided = labels.decide(contract, outputs)
    expected = labels.decide(contract, exact)
    if decided is None or expected is None:
        return None
    return float(labels.same(decided, expected).mean())


def largest_difference(contract: Contract, outputs: Arrays, exact: Arrays) -> float | None:
    """The largest absolute difference between two answers, over all outputs that are numbers.

    Infinite where one has NaN or an infinity and the other has not the same; None where a model
    has classes, or no output is a number.
    """
    names = [spec.name for spec in contract.outputs if spec.dtype not in ("string", "bool")]
    if contract.task == "classification" or not names:
        return None
    return max(_difference(outputs[name], exact[name]) for name in names)


def _difference(one: Array, other: Array) -> float:
    a, b = one.astype(np.float64), other.astype(np.float64)
    if a.shape != b.shape:
        return float("inf")
    with np.errstate(invalid="ignore"):
        apart = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, np.abs(a - b))
    return float(np.nan_to_num(apart, nan=np.inf, posinf=np.inf).max(initial=0.0))
