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
    neural_network,
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


def _fitted(inner: Any, on: Name, labels: set[Any]) -> Any:
    """A model that was fitted before, on the rows of some labels."""
    rows, truth = data(on)
    chosen = np.isin(truth, list(labels))
    return frozen.FrozenEstimator(inner.fit(rows[chosen], truth[chosen]))


def _last(model: Any) -> str:
    return type(model[-1] if isinstance(model, pipeline.Pipeline) else model).__name__


def _learned(on: Name, *labels: set[Any]) -> list[tuple[str, Any]]:
    return [
        (str(place), _fitted(tree.DecisionTreeClassifier(random_state=place), on, known))
        for place, known in enumerate(labels)
    ]


def _folds(on: Name, *without: set[Any]) -> list[tuple[Any, Any]]:
    """For each fold all rows to judge, and the rows without some labels to fit on."""
    truth = data(on)[1]
    truth = truth[: 2 * len(truth) // 3]
    every = np.arange(len(truth))
    return [(every[~np.isin(truth, list(labels))], every) for labels in without]


def _regressors() -> list[tuple[str, object]]:
    return [
        ("ridge", linear_model.Ridge()),
        ("forest", ensemble.RandomForestRegressor(10, random_state=0)),
    ]


# Models that take weights are fitted on all rows, a pipeline or neighbours on those of the bag.
_BAGS: tuple[tuple[Any, int, Name], ...] = (
    (pipeline.make_pipeline(tree.DecisionTreeClassifier()), 2, "three"),
    (neighbors.KNeighborsClassifier(1), 12, "counts"),
    (pipeline.make_pipeline(linear_model.LogisticRegression()), 12, "counts"),
    (pipeline.make_pipeline(linear_model.Perceptron()), 8, "three"),
    (pipeline.make_pipeline(linear_model.Perceptron()), 12, "counts"),
)
# What folds miss: a class each, then all but two of them.
_MISSED: tuple[tuple[Name, tuple[set[Any], ...]], ...] = (
    ("counts", ({3}, {0, 9}, set())),
    ("three", ({"versicolor"}, {"setosa"}, set())),
    ("three", ({"virginica"},)),
)
_CLASSES: tuple[Name, ...] = ("two", "three")
_SEVERAL: tuple[Name, ...] = ("two", "three", "counts")
_LABELS: tuple[Name, ...] = ("two", "three", "indicators")

CASES = (
    *(Case("VotingClassifier",
           partial(ensemble.VotingClassifier, _classifiers(), voting=voting, weights=weights),
           "three", f"{voting}, weights {weights}")
      for voting in ("hard", "soft") for weights in (None, [1, 2, 3])),
    *(Case("VotingClassifier",
           partial(ensemble.VotingClassifier,
                   _learned("counts", {1, 2, 3, 7}, {0, 4, 5}, set(range(10))), weights=weights),
           "counts", f"fitted before on some classes, weights {weights}")
      for weights in (None, [0.1, 0.2, 0.3])),
    Case("VotingClassifier",
         lambda: ensemble.VotingClassifier(
             _learned("counts", {1, 2, 3, 7}, {0, 4, 5, 6}), voting="soft"),
         "counts", "soft, fitted before on some classes"),
    Case("VotingRegressor", lambda: ensemble.VotingRegressor(_regressors()), "numbers"),
    Case("VotingRegressor", lambda: ensemble.VotingRegressor(_regressors(), weights=[1, 3]),
         "numbers", "transform", "transform"),
    *(Case("StackingClassifier",
           partial(ensemble.StackingClassifier, _classifiers(), passthrough=through, cv=3),
           on, f"{on} classes, passthrough {through}")
      for on in _CLASSES for through in (False, True)),
    *(Case("StackingClassifier",
           partial(ensemble.StackingClassifier,
                   _learned("counts", {1, 2}, {0, 4, 5}, set(range(10))),
                   cv="prefit", stack_method=method), "counts",
           f"fitted before on some classes, {method}")
      for method in ("predict", "predict_proba")),
    Case("StackingClassifier",
         lambda: ensemble.StackingClassifier(
             _learned("few", {0, 1}, {1}), cv="prefit"), "few",
         "fitted before on one of two classes"),
    Case("StackingClassifier",
         lambda: ensemble.StackingClassifier(
             [("ridge", linear_model.RidgeClassifier()), ("tree", tree.DecisionTreeClassifier())],
             cv=3, stack_method="predict"), "three", "of labels"),
    Case("StackingClassifier",
         lambda: ensemble.StackingClassifier(
             [("scores", linear_model.LogisticRegression().fit(*data("three"))),
              ("pairs", svm.SVC(decision_function_shape="ovo").fit(*data("three")))],
             cv="prefit"), "three", "fitted before on words"),
    Case("StackingClassifier",
         lambda: ensemble.StackingClassifier(
             [("words", linear_model.LogisticRegression().fit(*data("three")))], cv="prefit",
             stack_method="predict",
             final_estimator=pipeline.make_pipeline(
                 preprocessing.OneHotEncoder(), linear_model.LogisticRegression())),
         "three", "of words"),
    Case("StackingClassifier",
         lambda: ensemble.StackingClassifier(
             [("pairs", svm.SVC(decision_function_shape="ovo"))], cv=3), "counts",
         "one against one"),
    Case("StackingRegressor", lambda: ensemble.StackingRegressor(_regressors(), cv=3), "numbers"),
    Case("BaggingClassifier", ensemble.BaggingClassifier, "three"),
    Case("BaggingClassifier",
         lambda: ensemble.BaggingClassifier(linear_model.Perceptron(), max_features=0.5),
         "three", "of votes, some features"),
    *(Case("BaggingClassifier",
           partial(ensemble.BaggingClassifier, inner, max_samples=size), on,
           f"{on}, {size} rows a bag, {_last(inner)}")
      for inner, size, on in _BAGS),
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
    *(Case("CalibratedClassifierCV",
           partial(calibration.CalibratedClassifierCV, inner(), cv=3, method="isotonic"), on,
           f"isotonic, {on} classes, {inner.__name__}")
      for on in _CLASSES
      for inner in (linear_model.RidgeClassifier, ensemble.RandomForestClassifier)),
    *(Case("CalibratedClassifierCV",
           partial(calibration.CalibratedClassifierCV, inner(), method=method,
                   cv=_folds(on, *without)), on,
           f"{method}, {on} without {len(without)} times some, {inner.__name__}")
      for on, without in _MISSED
      for method in ("sigmoid", "isotonic")
      for inner in (linear_model.RidgeClassifier, ensemble.RandomForestClassifier)),
    *(Case("CalibratedClassifierCV",
           partial(calibration.CalibratedClassifierCV,
                   svm.SVC(decision_function_shape="ovo"), cv=3, method=method), "counts",
           f"{method}, one against one")
      for method in ("sigmoid", "isotonic")),
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
    *(Case(type(inner).__name__, partial(_fitted, inner, "three", {"setosa"}), "three",
           "a single class")
      for inner in (ensemble.AdaBoostClassifier(), ensemble.BaggingClassifier(),
                    neural_network.MLPClassifier(), naive_bayes.GaussianNB())),
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
