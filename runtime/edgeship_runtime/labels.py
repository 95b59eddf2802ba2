"""Which class a row was given: one rule for every variant, table and sketch."""

from __future__ import annotations

import numpy as np

from edgeship_runtime.arrays import Array, Arrays
from edgeship_runtime.bundle.manifest import Contract, OutputSpec


def decide(contract: Contract, outputs: Arrays) -> Array | None:
    """The class label of each row, in the labels' own type; None for a model that has no classes.

    A model's own `label` output decides where there is one. Otherwise the largest of its
    probabilities or logits does, the first one on a tie; a single column is the second class's
    probability (decided above 0.5) or logit (above 0).
    """
    for spec in contract.outputs:
        if spec.role == "label":
            return np.asarray(outputs[spec.name])
    scores = score_output(contract)
    if scores is None or contract.classes is None:
        return None
    values = np.asarray(outputs[scores.name])
    if values.shape[1] == 1:
        index = (values[:, 0] > (0.5 if scores.role == "probabilities" else 0.0)).astype(np.intp)
    else:
        index = values.argmax(axis=1)
    return np.asarray(contract.classes)[index]


def flipped(contract: Contract, expected: Arrays, outputs: Arrays) -> Array | None:
    """For each row, whether other outputs decide it otherwise; None where nothing is decided."""
    before, after = decide(contract, expected), decide(contract, outputs)
    return None if before is None or after is None else ~same(before, after)


def score_output(contract: Contract) -> OutputSpec | None:
    """The output that holds a score for each class, or None."""
    for spec in contract.outputs:
        if spec.role in ("probabilities", "logits"):
            return spec
    return None


def value_output(contract: Contract) -> OutputSpec | None:
    """The output that holds a regression's prediction, or None."""
    for spec in contract.outputs:
        if spec.role == "value":
            return spec
    return None


def same(one: Array, other: Array) -> Array:
    """Where two arrays of labels agree, also when one of them was read from a text file."""
    if one.dtype.kind != other.dtype.kind and "U" in (one.dtype.kind, other.dtype.kind):
        return np.asarray(one.astype(np.str_) == other.astype(np.str_))
    return np.asarray(one == other)
