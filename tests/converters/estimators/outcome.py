"""What became of a case: converted with its error, refused with its reason, or wrong."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from edgeship_converters.artifact import Task
from edgeship_converters.errors import SourceError, StepError
from edgeship_converters.parity import Judge
from edgeship_converters.sources.sklearn_model import SklearnSource
from edgeship_converters.steps.sklearn_to_onnx import sklearn_to_onnx
from edgeship_runtime.engines.onnx_runtime import OnnxRuntime
from edgeship_runtime.errors import EngineError
from tests.converters.estimators.case import Case


@dataclass(frozen=True, slots=True)
class Outcome:
    """One cell of the matrix.

    Attributes:
        status: `converted` and proven by the gate, `refused` by source or converter, or `wrong`
            where the gate stopped what the converter made.
        error: the largest difference over all outputs, as a share of the output's size.
        reason: why it was refused or is wrong.
        size: of the ONNX file, in bytes.
    """

    status: str
    error: float = 0.0
    reason: str = ""
    size: int = 0


def outcome(case: Case) -> Outcome:
    """Fit, convert, run and judge."""
    model = case.fitted()
    inputs = {"x": case.rows()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            source = SklearnSource(model, "0" * 64)
            expected = source.predict(inputs)
            # The rows that choose the precision are not all of those that judge.
            some = {name: array[: len(array) // 2] for name, array in inputs.items()}
            artifact = sklearn_to_onnx(source, Task("model", source.contract, some))
        except (SourceError, StepError) as error:
            return Outcome("refused", reason=str(error))
    try:
        got = OnnxRuntime(artifact.data).run(inputs)
    except EngineError as error:
        return Outcome("wrong", reason=str(error))
    judge = Judge(source.contract, inputs, expected, None, "held-out")
    fault = judge.verdict(got, "float32")
    if fault is not None:
        return Outcome("wrong", reason=str(fault))
    worst = 0.0
    for name, array in expected.items():
        if array.dtype.kind == "f":
            size = float(np.abs(array).max(initial=0.0)) or 1.0
            worst = max(worst, float(np.abs(got[name] - array).max(initial=0.0)) / size)
    return Outcome("converted", error=worst, size=len(artifact.data))
