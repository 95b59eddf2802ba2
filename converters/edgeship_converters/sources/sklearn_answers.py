"""What a fitted scikit-learn estimator answers, and the names that its answers have."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import is_classifier, is_clusterer, is_outlier_detector, is_regressor

from edgeship_converters.errors import SourceError, in_a_line
from edgeship_runtime.arrays import Array, numpy_dtype
from edgeship_runtime.bundle import OutputSpec
from edgeship_runtime.bundle.manifest import DType, Role, Task


@dataclass(frozen=True, slots=True)
class Question:
    """A method of an estimator, and the output that its answer becomes."""

    output: str
    method: str
    role: Role = "tensor"


@dataclass(frozen=True, slots=True)
class Interface:
    """The part of the contract that an estimator's kind decides.

    Attributes:
        task: what the model does.
        outputs: by the method that gives each.
        classes: a classifier's, where a row has one label.
    """

    task: Task
    outputs: dict[str, OutputSpec]
    classes: tuple[Any, ...] | None


def interface(estimator: Any, example: Any) -> Interface:
    """Ask an estimator about an example row: only its answers tell every shape and dtype.

    Raises:
        SourceError: for an estimator that answers nothing about new rows, or not about this one.
    """
    asked = _asked(estimator)
    if not asked:
        raise SourceError(
            f"a {type(estimator).__name__} says nothing about new rows: it has neither predict nor "
            "transform for them"
        )
    answers = {question.method: answer(estimator, question.method, example) for question in asked}
    if [question.output for question in asked][:1] == ["cluster"] and (
        answers["predict"].dtype.kind == "f"
    ):
        # A ranker's scores.
        asked = (Question("prediction", "predict", "value"), *asked[1:])
    outputs = {question.method: _spec(question, answers[question.method]) for question in asked}
    label = outputs.get("predict")
    single = label is not None and label.role == "label" and len(label.shape) == 1
    if is_classifier(estimator) and not single:
        # Several labels a row: no one class can be named, nor an accuracy.
        outputs = {
            method: OutputSpec(name=spec.name, dtype=spec.dtype, shape=spec.shape)
            for method, spec in outputs.items()
        }
        return Interface("other", outputs, None)
    if is_classifier(estimator):
        classes = np.asarray(estimator.classes_)
        return Interface("classification", outputs, tuple(classes.tolist()))
    if is_outlier_detector(estimator):
        return Interface("classification", outputs, (-1, 1))
    return Interface("regression" if is_regressor(estimator) else "other", outputs, None)


def answer(estimator: Any, method: str, rows: Any) -> Array:
    """What one of an estimator's methods gives for rows, as a dense array in the contract's types.

    Raises:
        SourceError: where the estimator refuses the rows.
    """
    try:
        with warnings.catch_warnings():
            # A model fitted on named columns warns of a bare matrix; the contract keeps the order.
            warnings.filterwarnings("ignore", message="X does not have valid feature names")
            given = getattr(estimator, method)(rows)
    except Exception as error:
        # Any step of a pipeline may refuse a row, in its own way.
        raise SourceError(
            f"the model itself fails on these rows: {in_a_line(error)}; give rows that it can "
            "take with --data"
        ) from error
    if isinstance(given, list) and all(isinstance(part, np.ndarray) for part in given):
        # One set of probabilities for each of several labels.
        given = np.concatenate([part.reshape(len(part), -1) for part in given], axis=1)
    dense = np.asarray(given.toarray() if hasattr(given, "toarray") else given)
    if method == "predict" and is_regressor(estimator) and dense.dtype.kind != "f":
        dense = dense.astype(np.float64)
    label = method == "predict" and is_classifier(estimator)
    return dense.astype(numpy_dtype(_dtype(dense, label=label)))


def _asked(estimator: Any) -> tuple[Question, ...]:
    return tuple(asked for asked in _questions(estimator) if hasattr(estimator, asked.method))


def _questions(estimator: Any) -> tuple[Question, ...]:
    """What an estimator of a kind may answer."""
    likely = Question("probabilities", "predict_proba", "probabilities")
    sure = Question("decision", "decision_function")
    score = Question("score", "score_samples")
    if is_outlier_detector(estimator):
        return (Question("label", "predict", "label"), sure, score)
    if is_classifier(estimator):
        scores = likely if hasattr(estimator, "predict_proba") else sure
        return (Question("label", "predict", "label"), scores)
    if is_regressor(estimator):
        return (Question("prediction", "predict", "value"),)
    if hasattr(estimator, "predict"):
        # Clusterers may give distances too, mixtures probabilities and scores.
        more = (
            (Question("transformed", "transform"),) if is_clusterer(estimator) else (likely, score)
        )
        return (Question("cluster", "predict"), *more)
    if hasattr(estimator, "transform"):
        return (Question("transformed", "transform"),)
    return (score,)


def _spec(asked: Question, given: Array) -> OutputSpec:
    return OutputSpec(
        name=asked.output,
        dtype=_dtype(given, label=asked.role == "label"),
        shape=(None, *given.shape[1:]),
        role=asked.role,
    )


def _dtype(array: Array, *, label: bool) -> DType:
    """Reals as float32 or, as labels, float64; whole numbers as int64; words and truths so."""
    real: DType = "float64" if label else "float32"
    kinds: dict[str, DType] = {"f": real, "i": "int64", "u": "int64", "b": "bool"}
    if array.dtype.kind in kinds:
        return kinds[array.dtype.kind]
    if array.dtype.kind in "UT" or all(isinstance(value, str) for value in array.flat):
        return "string"
    raise SourceError(
        "the model gives words and numbers in one array, which no variant can: let it give "
        "numbers only"
    )
