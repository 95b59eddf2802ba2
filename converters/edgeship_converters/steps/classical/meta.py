"""Models that decide by what several others answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
from sklearn.base import is_classifier, is_regressor
from sklearn.dummy import DummyClassifier
from sklearn.multiclass import OneVsRestClassifier

from edgeship_converters.steps.classical.answers import (
    Answers,
    above,
    flat,
    most_probable,
    reached,
    shares_or_even,
    with_first,
)
from edgeship_converters.steps.classical.graph import Graph
from edgeship_converters.steps.classical.rows import Rows, beside, joined
from edgeship_converters.steps.classical.target import back
from edgeship_runtime.arrays import Array


def voting_classifier(model: Any, rows: Rows, graph: Graph) -> Answers:
    """VotingClassifier: the most votes, or the largest weighted mean of probabilities."""
    voters = [graph.answer(estimator, rows) for estimator in model.estimators_]
    weights = _weights(model, len(voters))
    count = len(model.classes_)
    if model.voting == "soft":
        for estimator in model.estimators_:
            # scikit-learn adds their columns as they stand, whatever classes they are of.
            if len(estimator.classes_) != count:
                raise ValueError(
                    f"a model inside it knows {len(estimator.classes_)} classes and it itself "
                    f"{count}, so that their probabilities do not stand beside each other"
                )
        return most_probable(
            graph, _mean([_one(v, "probabilities") for v in voters], graph, weights)
        )
    # Equal sums of weights are ties in float64 only.
    with graph.computing_in(np.float64 if len(set(weights)) > 1 else graph.real):
        total = _sum(
            [
                _vote(estimator, voter, count, graph, weight)
                for estimator, voter, weight in zip(model.estimators_, voters, weights, strict=True)
            ],
            graph,
        )
    return Answers(index=graph.ArgMax(total, axis=1, keepdims=0))


def voting_regressor(model: Any, rows: Rows, graph: Graph) -> Answers:
    """VotingRegressor: the weighted mean of predictions, or as transformer all of them."""
    voters = [graph.answer(estimator, rows) for estimator in model.estimators_]
    predictions = [_one(voter, "prediction") for voter in voters]
    columns = [graph.Unsqueeze(value, [1]) for value in predictions]
    return Answers(
        prediction=_mean(predictions, graph, _weights(model, len(voters))),
        transformed=Rows.of(graph.Concat(*columns, axis=1), len(columns), graph),
    )


def stacking(model: Any, rows: Rows, graph: Graph) -> Answers:
    """StackingClassifier and StackingRegressor: a last model on what the first ones answer."""
    classes = getattr(model, "classes_", [])
    if isinstance(classes, list) and classes:
        raise ValueError("it gives several labels a row")
    parts = []
    first = [estimator for estimator in model.estimators_ if estimator != "drop"]
    for estimator, method, width in zip(
        first, model.stack_method_, model._n_feature_outs, strict=True
    ):
        if width == 0:
            # Of two classes it knows one, and of its one column the first is left out.
            continue
        value = _stacked(estimator, graph.answer(estimator, rows), method, graph)
        if method == "predict_proba" and len(classes) == 2:
            # Of two classes the first one says nothing more.
            value = graph.Gather(value, np.arange(1, width + 1), axis=1)
        parts.append(Rows.of(graph.Reshape(value, [-1, width]), width, graph))
    if model.passthrough:
        parts.append(rows)
    before = beside(parts)
    answers = graph.answer(model.final_estimator_, before)
    index = answers.index
    if index is not None:
        known = places_among(model.final_estimator_, np.arange(len(classes)))
        index = _renumbered(index, known, graph)
    return replace(answers, index=index, transformed=before)


def bagging_classifier(model: Any, rows: Rows, graph: Graph) -> Answers:
    """BaggingClassifier: the mean of probabilities, or the share of votes where there are none."""
    count = len(model.classes_)
    values = []
    for estimator, voter in zip(model.estimators_, _bagged(model, rows, graph), strict=True):
        if not hasattr(estimator, "predict_proba"):
            values.append(_vote(estimator, voter, count, graph))
            continue
        likely = _one(voter, "probabilities")
        if len(estimator.classes_) != count:
            # Its bag held no row of some class.
            known = places_among(estimator, np.arange(count))
            likely = spread(likely, known, count, graph)
        values.append(likely)
    return most_probable(graph, _mean(values, graph))


def bagging_regressor(model: Any, rows: Rows, graph: Graph) -> Answers:
    """BaggingRegressor: the mean of predictions."""
    values = [_one(voter, "prediction") for voter in _bagged(model, rows, graph)]
    return Answers(prediction=_mean(values, graph))


def multi_output(model: Any, rows: Rows, graph: Graph) -> Answers:
    """MultiOutputClassifier and MultiOutputRegressor: one model for each output."""
    parts = [graph.answer(estimator, rows) for estimator in model.estimators_]
    if is_regressor(model):
        columns = [graph.Unsqueeze(_one(part, "prediction"), [1]) for part in parts]
        return Answers(prediction=graph.Concat(*columns, axis=1))
    columns = [graph.Unsqueeze(_one(part, "index"), [1]) for part in parts]
    several = tuple(part.probabilities for part in parts if part.probabilities)
    return Answers(index=graph.Concat(*columns, axis=1), several=several)


def chain(model: Any, rows: Rows, graph: Graph) -> Answers:
    """ClassifierChain and RegressorChain: each model also sees what those before it said."""
    before = rows
    columns: list[str] = []
    likely: list[str] = []
    for estimator in model.estimators_:
        answers = graph.answer(estimator, before)
        if is_classifier(model):
            if getattr(model, "chain_method_", "predict") != "predict":
                raise ValueError("its chain_method is not 'predict'")
            if not np.array_equal(estimator.classes_, [0, 1]):
                raise ValueError("one of its labels is not 0 or 1")
            column = graph.Unsqueeze(_one(answers, "index"), [1])
            if answers.probabilities is not None:
                likely.append(graph.Gather(answers.probabilities, [1], axis=1))
        else:
            column = graph.Unsqueeze(_one(answers, "prediction"), [1])
        columns.append(column)
        before = beside([before, Rows.of(graph.cast(column), 1, graph)])
    order = np.argsort(model.order_)
    given = graph.Gather(graph.Concat(*columns, axis=1), order, axis=1)
    if is_regressor(model):
        return Answers(prediction=given)
    probabilities = None
    if len(likely) == len(columns):
        probabilities = graph.Gather(graph.Concat(*likely, axis=1), order, axis=1)
    return Answers(index=given, probabilities=probabilities)


def one_against_rest(model: Any, rows: Rows, graph: Graph) -> Answers:
    """OneVsRestClassifier: the class whose own model is the surest; several labels as well."""
    several = bool(model.multilabel_)
    parts = [graph.answer(estimator, rows) for estimator in model.estimators_]
    sure = []
    likely = []
    for estimator, part in zip(model.estimators_, parts, strict=True):
        if part.probabilities is not None and hasattr(estimator, "predict_proba"):
            likely.append(graph.Gather(part.probabilities, [1], axis=1))
        if hasattr(estimator, "decision_function"):
            sure.append(graph.Unsqueeze(_one(part, "decision"), [1]))
    columns = sure if len(sure) == len(parts) else likely
    # The first one decides for all there; one that always says the same is no classifier.
    decided = columns is sure and is_classifier(model.estimators_[0])
    threshold = 0.0 if decided else 0.5
    probabilities = None
    if len(likely) == len(parts):
        probabilities = joined(likely, graph)
    if several:
        index = above(graph, graph.Concat(*columns, axis=1), threshold)
        return Answers(index=index, probabilities=probabilities)
    if len(parts) == 1:
        index = above(graph, flat(graph, columns[0]), threshold)
        if probabilities is not None:
            probabilities = with_first(graph, probabilities)
        decision = flat(graph, sure[0]) if sure else None
        return Answers(index=index, probabilities=probabilities, decision=decision)
    if probabilities is not None:
        total = graph.ReduceSum(probabilities, [1], keepdims=1)
        # A row that none of them takes keeps its zeros.
        total = graph.Where(graph.Equal(total, 0.0), 1.0, total)
        probabilities = graph.Div(probabilities, total)
    surest = graph.Concat(*columns, axis=1)
    return Answers(
        index=graph.ArgMax(surest, axis=1, keepdims=0, select_last_index=_last_of_a_tie()),
        probabilities=probabilities,
        decision=surest if columns is sure else None,
    )


@cache
def _last_of_a_tie() -> int:
    """Whether OneVsRestClassifier takes the last of equally sure classes, as it did until 1.7."""
    tied = OneVsRestClassifier(DummyClassifier(strategy="prior"))
    return int(tied.fit([[0]] * 3, [0, 1, 2]).predict([[0]])[0] == 2)


def calibrated(model: Any, rows: Rows, graph: Graph) -> Answers:
    """CalibratedClassifierCV with sigmoids or steps: the mean of its calibrated classifiers."""
    methods = {one.method for one in model.calibrated_classifiers_}
    if other := methods - {"sigmoid", "isotonic"}:
        raise ValueError(
            f"its method is {other.pop()!r}, only 'sigmoid' and 'isotonic' have an ONNX form here"
        )
    # Calibrated by steps many rows are a tie, and those between two steps lie on steep lines.
    with graph.computing_in(np.float64 if "isotonic" in methods else graph.real):
        parts = [
            _calibrated(one, graph.answer(one.estimator, rows), graph)
            for one in model.calibrated_classifiers_
        ]
        answers = most_probable(graph, parts[0] if len(parts) == 1 else _mean(parts, graph))
    return answers.in_reals_of(graph) if "isotonic" in methods else answers


def transformed_target(model: Any, rows: Rows, graph: Graph) -> Answers:
    """TransformedTargetRegressor: a prediction, and the way back from what it was trained on."""
    inside = _one(graph.answer(model.regressor_, rows), "prediction")
    return Answers(prediction=back(model.transformer_, inside, graph))


def by_estimator(model: Any, rows: Rows, graph: Graph) -> Answers:
    """RANSACRegressor, SelfTrainingClassifier: the estimator inside answers."""
    return graph.answer(model.estimator_, rows)


def threshold_classifier(model: Any, rows: Rows, graph: Graph) -> Answers:
    """FixedThresholdClassifier and TunedThresholdClassifierCV: a label by another threshold."""
    inside = graph.answer(model.estimator_, rows)
    threshold = model.best_threshold_ if hasattr(model, "best_threshold_") else model.threshold
    wanted = getattr(model, "pos_label", None)
    classes = model.classes_.tolist()
    positive = 1 if wanted is None else classes.index(wanted)
    method = model.response_method
    if method == "auto":
        method = "predict_proba" if inside.probabilities is not None else "decision_function"
    if method == "predict_proba":
        if inside.probabilities is None:
            raise ValueError("its estimator gives no probabilities")
        score = flat(graph, graph.Gather(inside.probabilities, [positive], axis=1))
        usual = 0.5
    else:
        score = _one(inside, "decision")
        score = score if positive == 1 else graph.Neg(score)
        usual = 0.0
    threshold = usual if threshold == "auto" else float(threshold)
    index = reached(graph, score, threshold)
    index = index if positive == 1 else graph.Sub(1, index)
    return Answers(index=index, probabilities=inside.probabilities, decision=inside.decision)


def places_among(estimator: Any, classes: Array) -> list[int]:
    """The place of each class of an inner model among those of the outer one.

    Raises:
        ValueError: where it has a class that the outer one lacks.
    """
    if isinstance(estimator.classes_, list):
        raise ValueError("a model inside it gives several labels a row")
    places = {label: place for place, label in enumerate(np.asarray(classes).tolist())}
    known = np.asarray(estimator.classes_).tolist()
    unknown = [label for label in known if label not in places]
    if unknown:
        raise ValueError(f"a model inside it gives the label {unknown[0]!r}, which it itself lacks")
    return [places[label] for label in known]


def spread(values: str, known: Sequence[int], count: int, graph: Graph) -> str:
    """(rows, known classes) as (rows, count), with 0 for the classes not known.

    Args:
        values: of the known classes, a column each.
        known: the place of each of them among all.
        count: how many classes there are.
        graph: where the columns are put.
    """
    if list(known) == list(range(count)):
        return values
    columns = np.full(count, len(known))
    columns[list(known)] = np.arange(len(known))
    return graph.Gather(graph.Pad(values, [0, 0, 0, 1]), columns, axis=1)


def _renumbered(index: str, known: list[int], graph: Graph) -> str:
    """A place among the classes known as one among all."""
    if known == list(range(len(known))):
        return index
    return graph.Gather(np.array(known), index, axis=0)


def _vote(estimator: Any, answers: Answers, count: int, graph: Graph, weight: float = 1.0) -> str:
    """(rows, count), the weight for the class that an inner model chooses, 0 for the others."""
    known = places_among(estimator, np.arange(count))
    return graph.Gather(weight * np.eye(count)[known], _one(answers, "index"), axis=0)


def _calibrated(one: Any, inside: Answers, graph: Graph) -> str:
    known = places_among(one.estimator, one.classes)
    if len(known) == 1:
        raise ValueError("a model inside it knows a single class")
    if hasattr(one.estimator, "decision_function"):
        raw = _one(inside, "decision")
        raw = graph.Unsqueeze(raw, [1]) if len(known) == 2 else raw
    else:
        raw = _one(inside, "probabilities")
        raw = graph.Gather(raw, [1], axis=1) if len(known) == 2 else raw
    many = len(one.calibrators)
    if one.method == "sigmoid":
        slopes, shifts = (
            np.array([getattr(c, name) for c in one.calibrators], np.float64)
            for name in ("a_", "b_")
        )
        # Of one against one there are more columns than classes, and the first ones are taken.
        raw = graph.Slice(raw, [0], [many], [1])
        values = graph.Sigmoid(graph.Neg(graph.Add(graph.Mul(raw, slopes), shifts)))
    else:
        columns = []
        for place, calibrator in enumerate(one.calibrators):
            column = Rows.of(graph.Gather(raw, [place], axis=1), 1, graph)
            level = _one(graph.answer(calibrator, column), "prediction")
            columns.append(graph.Unsqueeze(level, [1]))
        values = joined(columns, graph)
    if len(one.classes) == 2:
        return with_first(graph, values)
    # Of a model of two among more classes scikit-learn holds its one column for the first one's.
    return shares_or_even(graph, spread(values, known[:many], len(one.classes), graph))


def _bagged(model: Any, rows: Rows, graph: Graph) -> list[Answers]:
    return [
        graph.answer(estimator, rows.take(list(features), graph))
        for estimator, features in zip(model.estimators_, model.estimators_features_, strict=True)
    ]


def _stacked(estimator: Any, answers: Answers, method: str, graph: Graph) -> str:
    """What a first model answers by one of its methods, as columns or a single one."""
    if method != "predict":
        return _one(answers, "probabilities" if method == "predict_proba" else "decision")
    if is_regressor(estimator):
        return _one(answers, "prediction")
    if not is_classifier(estimator):
        raise ValueError("a model inside it is neither a classifier nor a regressor")
    classes = np.asarray(estimator.classes_)
    if classes.dtype.kind not in "iufb":
        raise ValueError(
            f"a model inside it passes on its label, and {str(classes[0])!r} is no number: fit it "
            "with stack_method='predict_proba' or on numbers"
        )
    return graph.Gather(classes.astype(np.float64), _one(answers, "index"), axis=0)


def _weights(model: Any, count: int) -> list[float]:
    given = model._weights_not_none
    return [1.0] * count if given is None else [float(weight) for weight in given]


def _mean(values: list[str], graph: Graph, weights: Sequence[float] = (1.0,)) -> str:
    if len(set(weights)) == 1:
        return graph.Div(_sum(values, graph), float(len(values)))
    parts = [graph.Mul(v, w) for v, w in zip(values, weights, strict=True)]
    return graph.Div(_sum(parts, graph), float(sum(weights)))


def _sum(values: list[str], graph: Graph) -> str:
    return values[0] if len(values) == 1 else graph.Sum(*values)


def _one(answers: Answers, name: str) -> str:
    value: str | None = getattr(answers, name)
    if value is None:
        said = "label" if name == "index" else name
        raise ValueError(f"a model inside it gives no {said}")
    return value
