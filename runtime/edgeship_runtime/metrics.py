"""How good predictions are: one number for each kind of task, higher is better."""

from __future__ import annotations

from typing import Literal

import numpy as np

from edgeship_runtime import labels
from edgeship_runtime.arrays import Array, Arrays
from edgeship_runtime.bundle.manifest import Contract
from edgeship_runtime.errors import DataError

Metric = Literal["accuracy", "r2"]


def score(contract: Contract, outputs: Arrays, truth: Array) -> tuple[Metric, float] | None:
    """The task's metric over all rows: accuracy for classification, R² for regression.

    Args:
        contract: what the outputs mean.
        outputs: a model's outputs, by name.
        truth: the true label or value of each row; integers or strings as the classes are.

    Returns:
        The metric's name and value; None for a model that has neither classes nor a value, or
        where there is no row.

    Raises:
        DataError: where truth does not have the outputs' shape, or is text for a regression.
    """
    rows = len(next(iter(outputs.values())))
    if len(truth) != rows:
        raise DataError(f"there are {len(truth)} labels for {rows} rows: give one for each row")
    if rows == 0:
        return None
    decided = labels.decide(contract, outputs)
    if decided is not None:
        if truth.shape != decided.shape:
            raise DataError(
                f"labels have the shape {truth.shape}, the model's {decided.shape}: "
                "give one class for each row"
            )
        return "accuracy", float(labels.same(decided, truth).mean())
    value = labels.value_output(contract)
    if value is None:
        return None
    if truth.dtype.kind not in "fiub":
        raise DataError(f"the label column holds {truth.dtype}, a regression needs numbers")
    predicted = np.asarray(outputs[value.name])
    if truth.size != predicted.size:
        raise DataError(
            f"true values have the shape {truth.shape}, the model's {predicted.shape}: "
            "give one for each that the model predicts"
        )
    return "r2", r_squared(truth, predicted)


def r_squared(truth: Array, predicted: Array) -> float:
    """Coefficient of determination, 1 - SSE/SST, averaged over columns.

    As in scikit-learn, a constant column gives 1.0 when met exactly and 0.0 otherwise.
    """
    rows = len(truth)
    t = truth.astype(np.float64).reshape(rows, -1)
    p = predicted.astype(np.float64).reshape(rows, -1)
    residual = ((t - p) ** 2).sum(axis=0)
    total = ((t - t.mean(axis=0)) ** 2).sum(axis=0)
    constant = np.where(residual == 0.0, 1.0, 0.0)
    return float(
        np.where(total == 0.0, constant, 1.0 - residual / np.where(total == 0.0, 1.0, total)).mean()
    )
