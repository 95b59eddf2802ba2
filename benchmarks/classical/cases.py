"""The classical models that are measured, and the rows that they are fitted and judged on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC

from classical.tally import PLAIN, SOURCE, Asked
from conversion.chosen import named
from edgeship_runtime.arrays import Array

_SEED = 0
_JUDGING_SHARE = 0.3
_TREES = 200


@dataclass(frozen=True, slots=True)
class Split:
    """Rows as the source takes them, float64 or a table of objects; none is in both parts.

    Numbers are such as float32 holds, so that every form is asked the same.
    """

    training: Array
    training_truth: Array
    judging: Array
    judging_truth: Array


@dataclass(frozen=True, slots=True)
class Case:
    """A model, and what it is measured with.

    Attributes:
        name: of the case.
        build: makes the model, not fitted.
        data: gives the rows, the same every time.
        asked: what its forms are held to.
        needs: the module that the model comes from, where that is not scikit-learn.
    """

    name: str
    build: Callable[[], Any]
    data: Callable[[], Split]
    asked: Asked = field(default_factory=Asked)
    needs: str | None = None

    @property
    def installed(self) -> bool:
        """Whether the model's own library is there."""
        return self.needs is None or find_spec(self.needs) is not None


def digits() -> Split:
    """scikit-learn's digits: 1797 rows of 64 numbers, 10 classes."""
    return _split(*load_digits(return_X_y=True))


def cancer() -> Split:
    """scikit-learn's breast_cancer: 569 rows of 30 numbers, 2 classes."""
    return _split(*load_breast_cancer(return_X_y=True))


def table() -> Split:
    """A drawn table: 3 columns of text and 4 of numbers, some missing in either, 2 classes."""
    random = np.random.default_rng(_SEED)
    count = 2000
    rows = np.empty((count, 7), object)
    for place, kinds in enumerate((4, 8, 20)):
        rows[:, place] = random.choice([f"kind {kind}" for kind in range(kinds)], count)
    numbers = random.normal(size=(count, 4)).astype(np.float32)
    rows[:, 3:] = numbers.astype(float)
    score = numbers[:, 0] + (rows[:, 0] == "kind 0") - (rows[:, 1] == "kind 1")
    truth = np.where(score + random.normal(0, 0.5, count) > 0, "yes", "no")
    rows[random.random(rows.shape) < 0.05] = np.nan
    return _split(rows, truth)


def _split(rows: Array, truth: Array) -> Split:
    if rows.dtype != object:
        rows = rows.astype(np.float32).astype(np.float64)
    training, judging, training_truth, judging_truth = train_test_split(
        rows, truth, test_size=_JUDGING_SHARE, random_state=_SEED
    )
    return Split(training, training_truth, judging, judging_truth)


def _scaled(model: Any) -> Any:
    return make_pipeline(StandardScaler(), model)


def _columns() -> Any:
    text = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder())
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    encoded = ColumnTransformer([("text", text, [0, 1, 2]), ("numbers", numbers, [3, 4, 5, 6])])
    return make_pipeline(encoded, LogisticRegression())


def _stack() -> Any:
    models = [
        ("forest", RandomForestClassifier(100, random_state=_SEED)),
        ("logistic", _scaled(LogisticRegression(max_iter=1000))),
        ("svm", _scaled(SVC())),
    ]
    return StackingClassifier(models, LogisticRegression(max_iter=1000))


def _lightgbm() -> Any:
    from lightgbm import LGBMClassifier

    return LGBMClassifier(n_estimators=_TREES, random_state=_SEED, n_jobs=1, verbose=-1)


def _xgboost() -> Any:
    from xgboost import XGBClassifier

    return XGBClassifier(n_estimators=_TREES, random_state=_SEED, n_jobs=1)


_FAST = Asked(edgeship=15, litert=15)
_FAST_TREES = Asked(edgeship=15, litert=15, trees=True)
_NEAR = Asked(edgeship=5, litert=5)
_FOREST = Asked(edgeship=150, litert=60, trees=True, smaller_than={SOURCE: 10, PLAIN: 6})

CASES = (
    Case("forest", lambda: RandomForestClassifier(100, random_state=_SEED), digits, _FOREST),
    Case(
        "hist-boosting",
        lambda: HistGradientBoostingClassifier(random_state=_SEED),
        cancer,
        _FAST_TREES,
    ),
    Case("boosting", lambda: GradientBoostingClassifier(random_state=_SEED), cancer, _FAST_TREES),
    Case("logistic", lambda: _scaled(LogisticRegression(max_iter=1000)), digits, _FAST),
    Case("svm", lambda: _scaled(SVC()), digits, _NEAR),
    Case("neighbours", lambda: _scaled(KNeighborsClassifier()), digits, _NEAR),
    Case("mlp", lambda: _scaled(MLPClassifier(max_iter=500, random_state=_SEED)), digits, _FAST),
    Case("columns", _columns, table),
    Case("lightgbm", _lightgbm, cancer, _FAST_TREES, "lightgbm"),
    Case("xgboost", _xgboost, cancer, _FAST_TREES, "xgboost"),
    Case("stack", _stack, digits),
)


def case(name: str) -> Case:
    """The case called `name`; see `named`."""
    return named(CASES, name)
