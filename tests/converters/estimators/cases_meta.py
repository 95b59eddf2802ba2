"""Models made of other models."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from sklearn import (
    calibration,
    compose,
    ensemble,
    frozen,
    linear_model,
    model_selection,
    multiclass,
    multioutput,
    naive_bayes,
    neighbors,
    pipeline,
    preprocessing,
    semi_supervised,
    svm,
    tree,
)

from tests.converters.estimators.case import Case
from tests.converters.estimators.data import Name, data


def _classifiers() -> list[tuple[str, object]]:
    return [
        ("logistic", linear_model.LogisticRegression()),
        ("forest", ensemble.RandomForestClassifier(10, random_state=0)),
        ("scaled", pipeline.make_pipeline(preprocessing.StandardScaler(),
                                          linear_model.SGDClassifier(loss="log_loss"))),
    ]  # fmt: skip


def _always(places: list[int], inner: Any) -> Any:
    """A model of several labels, the fit of which met some labels always or never."""
    rows, truth = data("indicators")
    given = truth.copy()
    given[:, places] = [1, 0][: len(places)]
    return frozen.FrozenEstimator(multiclass.OneVsRestClassifier(inner).fit(rows, given))


def _regressors() -> list[tuple[str, object]]:
    return [
        ("ridge", linear_model.Ridge()),
        ("forest", ensemble.RandomForestRegressor(10, random_state=0)),
    ]


_CLASSES: tuple[Name, ...] = ("two", "three")
_SEVERAL: tuple[Name, ...] = ("two", "three", "counts")
_LABELS: tuple[Name, ...] = ("two", "three", "indicators")

CASES = (
    *(Case("VotingClassifier",
           partial(ensemble.VotingClassifier, _classifiers(), voting=voting, weights=weights),
           "three", f"{voting}, weights {weights}")
      for voting in ("hard", "soft") for weights in (None, [1, 2, 3])),
    Case("VotingRegressor", lambda: ensemble.VotingRegressor(_regressors()), "numbers"),
    Case("VotingRegressor", lambda: ensemble.VotingRegressor(_regressors(), weights=[1, 3]),
         "numbers", "transform", "transform"),
    *(Case("StackingClassifier",
           partial(ensemble.StackingClassifier, _classifiers(), passthrough=through, cv=3),
           on, f"{on} classes, passthrough {through}")
      for on in _CLASSES for through in (False, True)),
    Case("StackingRegressor", lambda: ensemble.StackingRegressor(_regressors(), cv=3), "numbers"),
    Case("BaggingClassifier", ensemble.BaggingClassifier, "three"),
    Case("BaggingClassifier",
         lambda: ensemble.BaggingClassifier(linear_model.Perceptron(), max_features=0.5),
         "three", "of votes, some features"),
    Case("BaggingRegressor", lambda: ensemble.BaggingRegressor(linear_model.Ridge()), "numbers"),
    Case("MultiOutputClassifier",
         lambda: multioutput.MultiOutputClassifier(linear_model.LogisticRegression()),
         "several labels"),
    Case("MultiOutputRegressor",
         lambda: multioutput.MultiOutputRegressor(linear_model.Ridge()), "several numbers"),
    Case("ClassifierChain",
         lambda: multioutput.ClassifierChain(linear_model.LogisticRegression(), order=[2, 0, 1]),
         "indicators"),
    Case("RegressorChain", lambda: multioutput.RegressorChain(linear_model.Ridge()),
         "several numbers"),
    *(Case("OneVsRestClassifier",
           partial(multiclass.OneVsRestClassifier, inner()), on,
           f"{on}, {inner.__name__}")
      for on in _LABELS
      for inner in (linear_model.LogisticRegression, tree.DecisionTreeClassifier)),
    *(Case("OneVsRestClassifier", partial(_always, places, inner()), "indicators",
           f"labels {places} always the same, {inner.__name__}")
      for places in ([0, 2], [2, 1])
      for inner in (linear_model.LogisticRegression, tree.DecisionTreeClassifier)),
    *(Case(kind.__name__, partial(kind, inner()), on, f"{on}, {inner.__name__}")
      for kind in (multiclass.OneVsOneClassifier, multiclass.OutputCodeClassifier)
      for on in _SEVERAL
      for inner in (linear_model.LogisticRegression, tree.DecisionTreeClassifier,
                    svm.LinearSVC)),
    Case("OneVsOneClassifier",
         lambda: multiclass.OneVsOneClassifier(linear_model.LinearRegression()), "three",
         "three, LinearRegression"),
    Case("OneVsOneClassifier",
         lambda: multiclass.OneVsOneClassifier(ensemble.RandomForestClassifier(5, random_state=0)),
         "counts", "counts, forests"),
    *(Case("OutputCodeClassifier",
           partial(multiclass.OutputCodeClassifier, inner(), code_size=size), "counts",
           f"{inner.__name__}, code of {size}")
      for inner in (naive_bayes.MultinomialNB, linear_model.LogisticRegression)
      for size in (0.5, 4.0)),
    Case("OutputCodeClassifier", lambda: multiclass.OutputCodeClassifier(
             ensemble.RandomForestClassifier(10, random_state=0), code_size=3.0), "counts",
         "forests, code of 3.0"),
    *(Case("CalibratedClassifierCV",
           partial(calibration.CalibratedClassifierCV, inner(), cv=3), on,
           f"{on} classes, {inner.__name__}")
      for on in _CLASSES
      for inner in (linear_model.RidgeClassifier, ensemble.RandomForestClassifier)),
    Case("CalibratedClassifierCV",
         lambda: calibration.CalibratedClassifierCV(neighbors.NearestCentroid(), cv=3), "counts",
         "sure of no class"),
    Case("TransformedTargetRegressor",
         lambda: compose.TransformedTargetRegressor(
             linear_model.Ridge(), func=np.log1p, inverse_func=np.expm1), "numbers", "logarithm"),
    Case("TransformedTargetRegressor",
         lambda: compose.TransformedTargetRegressor(
             linear_model.Ridge(), transformer=preprocessing.StandardScaler()), "numbers",
         "scaled"),
    Case("FrozenEstimator",
         lambda: frozen.FrozenEstimator(linear_model.LinearRegression().fit(*data("numbers"))),
         "numbers"),
    Case("RANSACRegressor", lambda: linear_model.RANSACRegressor(random_state=0), "numbers"),
    Case("SelfTrainingClassifier",
         lambda: semi_supervised.SelfTrainingClassifier(linear_model.LogisticRegression()), "two"),
    Case("FixedThresholdClassifier",
         lambda: model_selection.FixedThresholdClassifier(
             linear_model.LogisticRegression(), threshold=0.8), "two"),
    Case("TunedThresholdClassifierCV",
         lambda: model_selection.TunedThresholdClassifierCV(linear_model.LogisticRegression()),
         "two"),
    Case("GridSearchCV",
         lambda: model_selection.GridSearchCV(
             linear_model.LogisticRegression(), {"C": [0.1, 1.0]}), "three"),
    Case("RandomizedSearchCV",
         lambda: model_selection.RandomizedSearchCV(
             linear_model.Ridge(), {"alpha": [0.1, 1.0]}, n_iter=2), "numbers"),
    Case("FeatureUnion",
         lambda: pipeline.FeatureUnion(
             [("a", preprocessing.StandardScaler()), ("b", preprocessing.MinMaxScaler())],
             transformer_weights={"a": 2.0}), "two"),
    Case("ColumnTransformer",
         lambda: compose.ColumnTransformer(
             [("a", preprocessing.StandardScaler(), [3, 1]),
              ("b", preprocessing.MinMaxScaler(), slice(5, 8))], remainder="passthrough"), "two"),
    Case("FunctionTransformer", lambda: preprocessing.FunctionTransformer(np.log1p), "two"),
    Case("FunctionTransformer", preprocessing.FunctionTransformer, "two", "none"),
)  # fmt: skip
