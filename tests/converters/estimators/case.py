"""A case of the estimator matrix: an estimator, fitted on real rows."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from edgeship_runtime.arrays import Array
from tests.converters.estimators.data import Name, data


@dataclass(frozen=True, slots=True)
class Case:
    """What is fitted, on what, and which answer is asked for.

    Attributes:
        estimator: the class's name.
        make: gives one that is not fitted.
        on: the data set.
        note: what sets this case apart from others of the same estimator.
        asks: its own main answers, or what it transforms to, which a predictor only does inside
            of a pipeline.
    """

    estimator: str
    make: Callable[[], Any]
    on: Name
    note: str = ""
    asks: Literal["answers", "transform"] = "answers"

    @property
    def id(self) -> str:
        """How tests and pages call it."""
        asked = " in a pipeline" if self.asks == "transform" else ""
        return f"{self.estimator}{asked}" + (f", {self.note}" if self.note else "")

    def fitted(self) -> Any:
        """The model, fitted on two thirds of the rows."""
        rows, truth = data(self.on)
        many = 2 * len(rows) // 3
        model = self.make()
        drawn = [name for name in model.get_params() if name.endswith("random_state")]
        model.set_params(**dict.fromkeys(drawn, 0))
        if self.asks == "transform":
            model = make_pipeline(model, FunctionTransformer())
        with warnings.catch_warnings():
            # Few rounds do, and some estimators are on their way out.
            warnings.simplefilter("ignore")
            return model.fit(rows[:many], truth[:many])

    def rows(self) -> Array:
        """All rows, those that it was not fitted on among them, as a board sends them."""
        return data(self.on)[0].astype(np.float32)
