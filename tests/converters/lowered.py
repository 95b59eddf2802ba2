"""A scikit-learn model in its lowered forms, on the engines that boards run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgeship_converters.artifact import Artifact, Task
from edgeship_converters.sources.sklearn_model import SklearnSource
from edgeship_converters.steps.onnx_to_savedmodel import onnx_to_savedmodel, onnx_to_tflite
from edgeship_converters.steps.sklearn_to_onnx import sklearn_to_onnx
from edgeship_runtime.arrays import Array
from edgeship_runtime.quiet import quiet
from tests.converters.trial import loaded

FORMS = {"savedmodel-float32": onnx_to_savedmodel, "tflite-float32": onnx_to_tflite}


def source_of(model: Any) -> SklearnSource:
    """A fitted model as a source."""
    return SklearnSource(model, "0" * 64)


def form_of(source: SklearnSource, form: str) -> Artifact:
    """One of `FORMS`."""
    task = Task("m", source.contract, classical=True)
    with quiet():
        return FORMS[form](sklearn_to_onnx(source, task), task)


def answers(source: SklearnSource, form: str, inputs: Mapping[str, Array]) -> dict[str, Array]:
    """What one of `FORMS` answers, through the runtime."""
    return run_form(source, form, form_of(source, form), inputs)


def run_form(
    source: SklearnSource, form: str, artifact: Artifact, inputs: Mapping[str, Array]
) -> dict[str, Array]:
    """What a form that is made answers, through the runtime."""
    expected = source.predict(dict(inputs))
    return loaded(source.contract, form, artifact, inputs, expected).predict(inputs)
