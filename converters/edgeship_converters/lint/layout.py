"""Axes in another order than the model's, where the shape alone does not tell."""

from __future__ import annotations

import numpy as np

from edgeship_converters.lint.finding import Finding
from edgeship_converters.lint.values import Values
from edgeship_runtime.arrays import Array

_CHANNELS = (1, 3, 4)
_SMALLEST_SIDE = 8
_ROWS = 64
_ROUGHER = 1.25
_TRANSPOSE = "transpose with np.moveaxis(x, 1, -1)"


def layout(values: Values, judged: Values | None) -> Finding | None:
    """Channels first where the model takes them last, or axes unlike those of the judged rows."""
    name, array = values.spec.name, values.array
    if _first_by_shape(values):
        return Finding(
            "layout",
            False,
            f"input {name!r} has rows of the shape {array.shape[1:]}, which looks like channels "
            f"first, the model takes them last: {_TRANSPOSE}",
        )
    rougher = rougher_than_planes(array)
    if rougher is not None and rougher > _ROUGHER:
        return Finding(
            "layout",
            False,
            f"input {name!r}: neighbouring pixels differ {rougher:.1f} times as much as they do "
            "when the same bytes are read with channels first (expected less than "
            f"{_ROUGHER}), so it was reshaped, not transposed: read it in its own shape, then "
            f"{_TRANSPOSE}",
        )
    if judged is None:
        return None
    ours, theirs = array.shape[1:], judged.array.shape[1:]
    if ours != theirs and sorted(ours) == sorted(theirs):
        return Finding(
            "layout",
            False,
            f"input {name!r} has rows of the shape {ours}, the judging rows have {theirs}: "
            "bring the axes of both into one order",
        )
    return None


def _first_by_shape(values: Values) -> bool:
    shape = values.array.shape
    return (
        len(shape) == 4
        and values.spec.shape[-1] is None
        and shape[1] in _CHANNELS
        and shape[-1] not in _CHANNELS
        and min(shape[2:]) > shape[1]
    )


def rougher_than_planes(array: Array) -> float | None:
    """How much rougher images [n, height, width, channels] are than their bytes read as planes.

    In a picture, neighbours are alike. A file of channel planes given the model's shape by
    `reshape` puts pixels side by side that lie `channels` apart, in both directions. The smaller
    of both directions' ratios of mean absolute differences counts: stripes make one direction
    rough in a sound picture, never both.

    Returns:
        About 2 to 3 for such a file, below 0.8 for photographs, about 1 for noise; None where it
        cannot be told.
    """
    if array.ndim != 4 or not 2 <= array.shape[3] <= 4 or min(array.shape[1:3]) < _SMALLEST_SIDE:
        return None
    given = np.ascontiguousarray(array[:_ROWS]).astype(np.float64)
    count, height, width, channels = given.shape
    planes = given.reshape(count, channels, height, width)
    ratios = []
    for axis in (1, 2):
        smooth = float(np.abs(np.diff(planes, axis=axis + 1)).mean())
        if smooth == 0:
            return None
        ratios.append(float(np.abs(np.diff(given, axis=axis)).mean()) / smooth)
    return min(ratios)
