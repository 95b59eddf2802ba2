"""What becomes of a case in each format: through the same steps and engines as any conversion."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from edgeship_converters.artifact import Artifact, Task
from edgeship_converters.errors import ParityError, StepError
from edgeship_converters.parity import Judge
from edgeship_converters.plan import Step, reachable, take
from edgeship_converters.sources import open_source
from edgeship_runtime.arrays import Array
from edgeship_runtime.bundle import Contract
from edgeship_runtime.errors import EngineError
from edgeship_runtime.quiet import quiet
from tests.converters.keras_layers.case import Case
from tests.converters.trial import loaded

FORMATS = ("savedmodel", "tflite", "onnx")
Verdict = Literal["parity", "refused", "wrong"]
# Rows and free steps of each comparison: none is the batch or the length of the trace.
_SHAPES = ((37, 7), (33, 11))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a case in one format.

    Attributes:
        verdict: `parity` where it converts and agrees with the source on all rows.
        detail: the message of a refusal, or what is wrong.
    """

    verdict: Verdict
    detail: str = ""


def outcomes(case: Case, folder: Path) -> dict[str, Outcome]:
    """Convert a case to every float format, and hold each against the Keras model."""
    path = folder / "case.keras"
    with quiet():
        case.model().save(path)
        source: Any = open_source(path)
        made: dict[str, Any] = {"keras": source}
        found: dict[str, Outcome] = {}
        task = Task("case", source.contract, layers=tuple(layer.name for layer in source.layers))
        for format in FORMATS:
            step = _step(format)
            if step.start not in made:
                # It is made of a form that was refused.
                found[format] = found["savedmodel"]
                continue
            try:
                made[step.variant] = take(step, made[step.start], task)
            except StepError as error:
                found[format] = Outcome("refused", str(error))
        if set(found) != set(FORMATS):
            rows = [case.rows(source.contract.inputs, *shape) for shape in _SHAPES]
            expected = [source.predict(inputs) for inputs in rows]
        for format in FORMATS:
            if format not in found:
                found[format] = _proof(source.contract, format, made, rows, expected)
    return {format: found[format] for format in FORMATS}


def _proof(
    contract: Contract,
    format: str,
    made: dict[str, Any],
    rows: list[dict[str, Array]],
    expected: list[dict[str, Array]],
) -> Outcome:
    step = _step(format)
    try:
        _judge(contract, step, made[step.variant], rows, expected)
    except (ParityError, EngineError) as error:
        return Outcome("wrong", str(error))
    return Outcome("parity")


def _step(format: str) -> Step:
    return reachable("keras")[f"{format}-float32"]


def _judge(
    contract: Contract,
    step: Step,
    artifact: Artifact,
    rows: list[dict[str, Array]],
    expected: list[dict[str, Array]],
) -> None:
    model = loaded(contract, step.variant, artifact, rows[0], expected[0])
    for inputs, answers in zip(rows, expected, strict=True):
        judge = Judge(contract, inputs, answers, None, "synthetic")
        outputs = model.predict(inputs)
        fault = judge.shape_fault(outputs)
        if fault is None:
            fault = judge.fault(outputs, judge.evidence(outputs, step.number), step.number)
        if fault is not None:
            raise ParityError(str(fault))
    first = model.predict({name: array[:1] for name, array in rows[0].items()})
    for name, array in first.items():
        if array.dtype.kind == "f" and not np.allclose(
            array, expected[0][name][:1], rtol=1e-3, atol=1e-4 * _size(expected[0][name])
        ):
            raise ParityError(f"differs in output {name!r} for a row alone")


def _size(array: Array) -> float:
    return max(1.0, float(np.abs(array).max(initial=0.0)))
