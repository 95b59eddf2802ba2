"""Trees and their ensembles."""

from __future__ import annotations

from functools import partial
from typing import Any

from sklearn import ensemble, tree
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from tests.converters.estimators.case import Case
from tests.converters.estimators.data import Name

_CLASSIFIERS = (
    tree.DecisionTreeClassifier,
    tree.ExtraTreeClassifier,
    ensemble.ExtraTreesClassifier,
    ensemble.RandomForestClassifier,
)
_REGRESSORS = (
    tree.DecisionTreeRegressor,
    tree.ExtraTreeRegressor,
    ensemble.ExtraTreesRegressor,
    ensemble.RandomForestRegressor,
)

_LABELS: tuple[tuple[Name, str], ...] = (
    ("two", "two classes"),
    ("three", "three classes"),
    ("several labels", "several labels"),
)
_NUMBERS: tuple[tuple[Name, str], ...] = (
    ("numbers", ""),
    ("several numbers", "several outputs"),
)
_BOOSTED: tuple[tuple[Any, int, Name], ...] = (
    (tree.DecisionTreeClassifier(max_depth=3), 120, "counts"),
    (tree.ExtraTreeClassifier(max_depth=2), 30, "few"),
    (LogisticRegression(), 5, "two"),
    (GaussianNB(), 12, "counts"),
    (SVC(), 4, "three"),
)
_EMBEDDED: tuple[tuple[dict[str, Any], Name], ...] = (
    ({}, "counts"),
    ({"n_estimators": 20, "max_depth": 3, "sparse_output": False}, "numbers"),
    ({"n_estimators": 1, "max_leaf_nodes": 9}, "three"),
    ({"n_estimators": 7, "min_samples_leaf": 4}, "few"),
)

CASES = (
    *(Case(kind.__name__, kind, on, note)
      for kind in _CLASSIFIERS
      for on, note in _LABELS),
    *(Case(kind.__name__, kind, on, note)
      for kind in _REGRESSORS
      for on, note in _NUMBERS),
    Case("GradientBoostingClassifier", ensemble.GradientBoostingClassifier, "two", "two classes"),
    Case("GradientBoostingClassifier", ensemble.GradientBoostingClassifier, "three",
         "three classes"),
    Case("GradientBoostingClassifier",
         lambda: ensemble.GradientBoostingClassifier(loss="exponential"), "two", "exponential"),
    Case("GradientBoostingRegressor", ensemble.GradientBoostingRegressor, "numbers"),
    Case("GradientBoostingRegressor", lambda: ensemble.GradientBoostingRegressor(loss="quantile"),
         "numbers", "quantile"),
    *(Case("AdaBoostClassifier", ensemble.AdaBoostClassifier, on, note)
      for on, note in _LABELS[:2]),
    *(Case("AdaBoostClassifier",
           partial(ensemble.AdaBoostClassifier, inner, n_estimators=many), on,
           f"{on}, {many} of {type(inner).__name__}")
      for inner, many, on in _BOOSTED),
    Case("AdaBoostClassifier", lambda: make_pipeline(
             StandardScaler(), ensemble.AdaBoostClassifier(LogisticRegression(), n_estimators=3)),
         "three", "scaled"),
    Case("AdaBoostRegressor", ensemble.AdaBoostRegressor, "numbers"),
    *(Case("AdaBoostRegressor",
           partial(ensemble.AdaBoostRegressor, inner, n_estimators=many, loss="square"), "numbers",
           f"{many} of {type(inner).__name__}")
      for inner, many in ((tree.ExtraTreeRegressor(max_depth=2), 100), (Ridge(), 9),
                          (tree.DecisionTreeRegressor(), 1))),
    Case("AdaBoostRegressor", lambda: make_pipeline(
             StandardScaler(), ensemble.AdaBoostRegressor(n_estimators=20)), "numbers", "scaled"),
    Case("IsolationForest", ensemble.IsolationForest, "two"),
    Case("IsolationForest", lambda: ensemble.IsolationForest(contamination=0.1, max_samples=50),
         "three", "contamination"),
    Case("Pipeline", lambda: make_pipeline(StandardScaler(), ensemble.RandomForestClassifier()),
         "two", "scaled forest"),
    *(Case("RandomTreesEmbedding", partial(ensemble.RandomTreesEmbedding, **options), on,
           ", ".join((on, *(f"{name} {value}" for name, value in options.items()))))
      for options, on in _EMBEDDED),
    Case("RandomTreesEmbedding", lambda: make_pipeline(
             StandardScaler(), ensemble.RandomTreesEmbedding(10)), "two", "scaled"),
)  # fmt: skip
