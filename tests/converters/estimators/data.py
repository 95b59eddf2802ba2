"""Small real data sets that estimators are fitted on: rows, and what is to be learned of them."""

from __future__ import annotations

from functools import cache
from typing import Literal

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris

from edgeship_runtime.arrays import Array

Name = Literal[
    "three", "two", "numbers", "several numbers", "counts", "several labels", "indicators", "one",
    "shares", "gaps", "holes", "few",
]  # fmt: skip


@cache
def data(name: Name) -> tuple[Array, Array]:
    """float32 rows in float64, so that a fit sees what a board will send, and their truth."""
    random = np.random.default_rng(0)
    rows: Array
    truth: Array
    match name:
        case "three":
            rows, truth = load_iris(return_X_y=True)
            truth = np.array(["setosa", "versicolor", "virginica"])[truth]
        case "two":
            rows, truth = load_breast_cancer(return_X_y=True)
            rows = rows[:, :12]
        case "numbers":
            rows, truth = load_diabetes(return_X_y=True)
        case "several numbers":
            rows, truth = load_diabetes(return_X_y=True)
            truth = np.stack([truth, truth[::-1] + rows[:, 0] * 100], axis=1)
        case "counts":
            rows, truth = load_digits(return_X_y=True)
            rows, truth = rows[:400], truth[:400]
        case "several labels":
            rows, truth = load_iris(return_X_y=True)
            truth = np.stack([truth * 10, (rows[:, 1] > 3).astype(int)], axis=1)
        case "indicators":
            rows, truth = load_iris(return_X_y=True)
            truth = np.stack([truth > 0, rows[:, 1] > 3, rows[:, 0] > 5.8], axis=1).astype(int)
        case "one":
            rows, truth = load_diabetes(return_X_y=True)
            rows = rows[:, 2:3]
        case "shares":
            rows = random.random((200, 5))
            rows /= rows.sum(axis=1, keepdims=True)
            truth = rows[:, 0]
        case "gaps":
            rows, truth = load_iris(return_X_y=True)
            rows[random.random(rows.shape) < 0.2] = np.nan
        case "holes":
            # Unlike those of the irises, no two distances are the same.
            rows = random.normal(size=(200, 5))
            truth = (rows[:, 0] > 0).astype(int)
            rows[random.random(rows.shape) < 0.2] = np.nan
        case "few":
            rows = random.integers(0, 8, (240, 5)) - np.array([0, 3, 0, 1, 0])
            # One column of two values, one where some are rare, one of halves.
            rows = np.where([False, False, True, False, False], rows > 3, rows).astype(float)
            rows[:, 3] = np.minimum(random.geometric(0.4, 240), 9)
            rows[:, 4] /= 2
            truth = (rows[:, 0] > 3).astype(int)
    order = np.random.default_rng(1).permutation(len(rows))
    return rows[order].astype(np.float32).astype(np.float64), truth[order]
