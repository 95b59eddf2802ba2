"""What became of a case: converted with its error, refused with its reason, or wrong."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, replace

import numpy as np

from edgeship_converters.artifact import Artifact, Task
from edgeship_converters.errors import SourceError, StepError
from edgeship_converters.parity import Judge, shake
from edgeship_converters.sources.sklearn_model import SklearnSource
from edgeship_converters.steps.sklearn_to_onnx import sklearn_to_onnx
from edgeship_runtime.arrays import Array
from edgeship_runtime.errors import EngineError
from edgeship_runtime.quiet import quiet
from tests.converters.estimators.case import Case
from tests.converters.lowered import FORMS
from tests.converters.trial import loaded


@dataclass(frozen=True, slots=True)
class Outcome:
    """One cell of the matrix.

    Attributes:
        status: `converted` and proven by the gate, `refused` by source or converter, or `wrong`
            where the gate stopped what the converter made.
        error: the largest difference over all outputs, as a share of the output's size.
        reason: why it was refused or is wrong.
        size: of the form, in bytes.
        case: which one it is of.
        lowered: what became of the forms made of this one, by variant.
    """

    status: str
    error: float = 0.0
    reason: str = ""
    size: int = 0
    case: str = ""
    lowered: dict[str, Outcome] = field(default_factory=dict)


def outcome(case: Case, *, lower: bool = False) -> Outcome:
    """Fit, convert, run and judge; with `lower` the SavedModel and TFLite forms too."""
    model = case.fitted()
    inputs = {"x": case.rows()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            source = SklearnSource(model, "0" * 64)
            expected = source.predict(inputs)
            # The rows that choose the precision are not all of those that judge.
            some = {name: array[: len(array) // 2] for name, array in inputs.items()}
            task = Task("model", source.contract, some, classical=True)
            artifact = sklearn_to_onnx(source, task)
        except (SourceError, StepError) as error:
            return Outcome("refused", reason=str(error))
        judge = Judge(source.contract, inputs, expected, None, "held-out")
        found = _judged("onnx-float32", artifact, judge)
        if not lower or found.status != "converted":
            return found
        made = {}
        for variant, step in FORMS.items():
            try:
                with quiet():
                    form = step(artifact, task)
            except StepError as error:
                made[variant] = Outcome("refused", reason=str(error))
                continue
            made[variant] = _judged(variant, form, judge)
            if made[variant].status == "wrong":
                # As the gate does for a model that magnifies roundings.
                shaken = replace(judge, shaken=source.predict(shake(inputs)))
                made[variant] = _judged(variant, form, shaken)
        return replace(found, case=case.id, lowered=made)


def _judged(variant: str, artifact: Artifact, judge: Judge) -> Outcome:
    try:
        model = loaded(judge.contract, variant, artifact, judge.inputs, judge.expected)
        got = model.predict(judge.inputs)
    except EngineError as error:
        return Outcome("wrong", reason=str(error))
    size = sum(map(len, artifact.files.values()))
    fault = judge.verdict(got, "float32")
    if fault is not None:
        return Outcome("wrong", reason=fault.reason, size=size)
    worst = max((_error(got[name], array) for name, array in judge.expected.items()), default=0.0)
    return Outcome("converted", error=worst, size=size)


def _error(got: Array, expected: Array) -> float:
    if expected.dtype.kind != "f":
        return 0.0
    size = float(np.abs(expected).max(initial=0.0)) or 1.0
    return float(np.abs(got - expected).max(initial=0.0)) / size
