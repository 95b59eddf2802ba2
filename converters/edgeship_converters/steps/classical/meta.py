"""Models that decide by what several others answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import is_classifier, is_regressor

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


def voting_classifier(model: Any, rows: Rows, graph: Graph) -> Answers:
    """VotingClassifier: the most votes, or the largest weighted mean of probabilities."""
    voters = [graph.answer(estimator, rows) for estimator in model.estimators_]
    weights = _weights(model, len(voters))
    if model.voting == "soft":
        return most_probable(
            graph, _mean([_one(v, "probabilities") for v in voters], graph, weights)
        )
    eye = np.eye(len(model.classes_))
    votes = [graph.Gather(eye, _one(voter, "index"), axis=0) for voter in voters]
    total = _sum([graph.Mul(v, w) for v, w in zip(votes, weights, strict=True)], graph)
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
    parts = []
    first = [estimator for estimator in model.estimators_ if estimator != "drop"]
    for estimator, method in zip(first, model.stack_method_, strict=True):
        parts.append(_stacked(estimator, graph.answer(estimator, rows), method, graph))
    if model.passthrough:
        parts.append(rows)
    before = beside(parts)
    answers = graph.answer(model.final_estimator_, before)
    return Answers(
        index=answers.index,
        probabilities=answers.probabilities,
        decision=answers.decision,
        prediction=answers.prediction,
        transformed=before,
    )


def bagging_classifier(model: Any, rows: Rows, graph: Graph) -> Answers:
    """BaggingClassifier: the mean of probabilities, or the share of votes where there are none."""
    voters = _bagged(model, rows, graph)
    several = all(hasattr(estimator, "predict_proba") for estimator in model.estimators_)
    eye = np.eye(len(model.classes_))
    values = [
        _one(v, "probabilities") if several else graph.Gather(eye, _one(v, "index"), axis=0)
        for v in voters
    ]
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
        index=graph.ArgMax(surest, axis=1, keepdims=0),
        probabilities=probabilities,
        decision=surest if columns is sure else None,
    )


def calibrated(model: Any, rows: Rows, graph: Graph) -> Answers:
    """CalibratedClassifierCV with sigmoids: the mean of its calibrated classifiers."""
    parts = []
    for one in model.calibrated_classifiers_:
        if one.method != "sigmoid":
            raise ValueError(f"its method is {one.method!r}, only 'sigmoid' has an ONNX form here")
        parts.append(_calibrated(one, graph.answer(one.estimator, rows), graph))
    return most_probable(graph, parts[0] if len(parts) == 1 else _mean(parts, graph))


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


def _calibrated(one: Any, inside: Answers, graph: Graph) -> str:
    classes = one.classes
    if hasattr(one.estimator, "decision_function"):
        raw = _one(inside, "decision")
        columns = (
            [graph.Unsqueeze(raw, [1])] if len(classes) == 2 else _split(raw, len(classes), graph)
        )
    else:
        probabilities = _one(inside, "probabilities")
        columns = _split(probabilities, len(classes), graph)
        columns = columns[1:] if len(classes) == 2 else columns
    values = [
        graph.Sigmoid(graph.Neg(graph.Add(graph.Mul(column, float(c.a_)), float(c.b_))))
        for column, c in zip(columns, one.calibrators, strict=True)
    ]
    if len(classes) == 2:
        return with_first(graph, values[0])
    return shares_or_even(graph, graph.Concat(*values, axis=1))


def _split(values: str, count: int, graph: Graph) -> list[str]:
    return [graph.Gather(values, [place], axis=1) for place in range(count)]


def _bagged(model: Any, rows: Rows, graph: Graph) -> list[Answers]:
    return [
        graph.answer(estimator, rows.take(list(features), graph))
        for estimator, features in zip(model.estimators_, model.estimators_features_, strict=True)
    ]


def _stacked(estimator: Any, answers: Answers, method: str, graph: Graph) -> Rows:
    if method == "predict_proba":
        probabilities = _one(answers, "probabilities")
        count = len(estimator.classes_)
        # Of two classes the first one says nothing more.
        if count == 2:
            return Rows.of(graph.Gather(probabilities, [1], axis=1), 1, graph)
        return Rows.of(probabilities, count, graph)
    if method == "decision_function":
        decision = _one(answers, "decision")
        count = len(estimator.classes_)
        if count == 2:
            return Rows.of(graph.Unsqueeze(decision, [1]), 1, graph)
        return Rows.of(decision, count, graph)
    value = (
        _one(answers, "prediction")
        if is_regressor(estimator)
        else graph.cast(_one(answers, "index"))
    )
    return Rows.of(graph.Unsqueeze(value, [1]), 1, graph)


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
