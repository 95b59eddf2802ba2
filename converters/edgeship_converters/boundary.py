"""Rows beside the boundary between two classes, where roundings show before anywhere else."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from msgspec import UNSET, UnsetType

from edgeship_converters.errors import SourceError
from edgeship_runtime import labels
from edgeship_runtime.arrays import Array, Arrays
from edgeship_runtime.bundle import BoundaryEvidence, Contract

_PAIRS = 100
# So many halvings leave less between two float32 numbers than lies between their neighbours.
_HALVINGS = 40
_SEED = 0

Predict = Callable[[Arrays], dict[str, Array]]


def beside_boundary(
    contract: Contract, predict: Predict, inputs: Arrays, expected: Arrays
) -> dict[str, Array]:
    """Rows on both sides of the source's boundaries, as near to them as their floats get.

    Between two rows that the source labels unlike, halving finds two neighbours that it does.
    Whole numbers, truths, words and categories stay those of the first row.

    Args:
        contract: of the source.
        predict: asks the source.
        inputs: rows to start from.
        expected: the source's answers to them.

    Returns:
        Inputs by name, the rows of one side before those of the other; none where no two rows
        are labelled unlike, or the source refuses the numbers between them, as an encoder does.
    """
    try:
        return _halved(contract, predict, inputs, expected)
    except SourceError:
        return {}


def _halved(
    contract: Contract, predict: Predict, inputs: Arrays, expected: Arrays
) -> dict[str, Array]:
    given = labels.decide(contract, expected)
    moved = [
        spec.name
        for spec in contract.inputs
        if spec.dtype.startswith("float") and not spec.categories
    ]
    if given is None or not moved:
        return {}
    order = np.random.default_rng(_SEED).permutation(len(given))
    here, there = order[:-1], order[1:]
    whole = np.all([_finite(inputs[name]) for name in moved], axis=0)
    chosen = ~labels.same(given[here], given[there]) & whole[here] & whole[there]
    here, there = here[chosen][:_PAIRS], there[chosen][:_PAIRS]
    low = {name: array[here] for name, array in inputs.items()}
    high = {name: inputs[name][there if name in moved else here] for name in inputs}
    if len(moved) < len(inputs) and len(here):
        unlike = ~labels.same(given[here], _decided(contract, predict, high))
        here = here[unlike]
        low, high = _some(low, unlike), _some(high, unlike)
    if not len(here):
        return {}
    for _ in range(_HALVINGS):
        middle = low | {name: _halfway(low[name], high[name]) for name in moved}
        if all(
            ((middle[name] == low[name]) | (middle[name] == high[name])).all() for name in moved
        ):
            break
        same = labels.same(given[here], _decided(contract, predict, middle))
        for name in moved:
            side = same.reshape(-1, *(1 for _ in middle[name].shape[1:]))
            low[name] = np.where(side, middle[name], low[name])
            high[name] = np.where(side, high[name], middle[name])
    return {name: np.concatenate([low[name], high[name]]) for name in inputs}


def boundary_evidence(
    contract: Contract, expected: Arrays, outputs: Arrays
) -> BoundaryEvidence | UnsetType:
    """How many rows beside the boundary a variant labels otherwise, and how near they were."""
    flipped = labels.flipped(contract, expected, outputs)
    if flipped is None:
        return UNSET
    gaps = _gaps(contract, expected)
    return BoundaryEvidence(
        rows=len(flipped),
        label_flips=int(flipped.sum()),
        widest_gap=None if gaps is None or not flipped.any() else float(gaps[flipped].max()),
    )


def _gaps(contract: Contract, expected: Arrays) -> Array | None:
    """By how much the source's best score leads the next, for each row."""
    scores = labels.score_output(contract)
    name = scores.name if scores else "decision"
    if name not in expected:
        return None
    values = expected[name].astype(np.float64)
    if scores is None and values.ndim > 1 and values.shape[1] > 1:
        # Decision values of several classes may count votes, which leap.
        return None
    if values.ndim == 1 or values.shape[1] == 1:
        return np.abs(values.reshape(len(values)))
    best = np.sort(values, axis=1)[:, -2:]
    return np.asarray(best[:, 1] - best[:, 0])


def _decided(contract: Contract, predict: Predict, inputs: Arrays) -> Array:
    decided = labels.decide(contract, predict(inputs))
    if decided is None:
        raise ValueError("a source that labelled rows labels them no more")
    return decided


def _finite(array: Array) -> Array:
    return np.asarray(np.isfinite(array).reshape(len(array), -1).all(axis=1))


def _some(inputs: Arrays, rows: Array) -> dict[str, Array]:
    return {name: array[rows] for name, array in inputs.items()}


def _halfway(low: Array, high: Array) -> Array:
    middle: Array = low.astype(np.float64) / 2 + high.astype(np.float64) / 2
    return middle.astype(low.dtype)
