"""Estimators whose converter in skl2onnx is right, and as fast as one of our own would be."""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType
from sklearn.base import is_classifier, is_regressor

from edgeship_converters.steps.classical.answers import Answers, flat
from edgeship_converters.steps.classical.graph import OPSETS, Graph
from edgeship_converters.steps.classical.rows import Rows
from edgeship_runtime.arrays import Array


def by_skl2onnx(model: Any, rows: Rows, graph: Graph) -> Answers:
    """Convert by skl2onnx, and take its nodes over."""
    real = DoubleTensorType if graph.real == np.float64 else FloatTensorType
    classes = is_classifier(model)
    scores = classes and hasattr(model, "predict_proba")
    if classes:
        if isinstance(model.classes_, list):
            raise ValueError("it gives several labels a row")
        # skl2onnx knows words and int64 only; the place of a label is asked for anyway.
        model = copy(model)
        model.classes_ = np.arange(len(model.classes_))
    converted = convert_sklearn(
        model,
        initial_types=[("x", real([None, rows.width]))],
        options={id(model): {"zipmap": False}} if classes else None,
        target_opset=OPSETS,
    )
    values = graph.inline(converted.graph, {"x": rows.matrix(graph)})
    if classes:
        index = graph.cast(graph.Reshape(values[0], [-1]), np.int64)
        if scores:
            return Answers(index=index, probabilities=graph.cast(values[1]))
        decision = graph.cast(values[1])
        if len(model.classes_) == 2:
            # Of support vector machines, which alone come here, the first column is the second's.
            decision = flat(graph, graph.Gather(decision, [0], axis=1))
        return Answers(index=index, decision=decision)
    if is_regressor(model):
        return Answers(prediction=_prediction(model, values[0], rows, graph))
    width = model.transform(_example(rows)).shape[1]
    return Answers(transformed=Rows.of(graph.cast(values[0]), width, graph))


def _prediction(model: Any, value: str, rows: Rows, graph: Graph) -> str:
    value = graph.cast(value)
    single = np.ndim(model.predict(_example(rows))) == 1
    return flat(graph, value) if single else value


def _example(rows: Rows) -> Array:
    return np.ones((1, rows.width))
