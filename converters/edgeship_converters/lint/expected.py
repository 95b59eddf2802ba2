"""The data held against what the model tells about the values that it was trained on."""

from __future__ import annotations

import numpy as np

from edgeship_converters.lint.expectation import Expectation, Ids, Moments, Range, Size
from edgeship_converters.lint.finding import Finding, figure, some
from edgeship_converters.lint.values import Values, some_rows
from edgeship_runtime.arrays import Array

_OFF = 50.0
_OVER = 1.1
_SHIFTED = 5.0
_ESTIMATE_OFF = 100.0
_TINY = 1e-12


def expected(values: Values, expectation: Expectation) -> Finding | None:
    """What is unlike the expectation, if anything."""
    match expectation:
        case Range():
            return _range(values, expectation)
        case Moments():
            return _moments(values, expectation)
        case Size():
            return _size(values, expectation)
        case Ids():
            return _ids(values, expectation)


def _range(values: Values, told: Range) -> Finding | None:
    """Below a fiftieth or above fifty times the range nothing is left of a picture."""
    width = told.high - told.low
    small, large = values.largest * _OFF <= told.high, values.largest >= _OFF * told.high
    below = values.low < told.low - (_OVER - 1) * width
    if not (small or large or below or values.high > _OVER * told.high):
        return None
    fatal = small or large
    return Finding(
        "range",
        fatal,
        f"input {values.spec.name!r} holds values from {figure(values.low)} to "
        f"{figure(values.high)}, {told.layer} takes {figure(told.low)} to {figure(told.high)}: "
        + ("give raw values, not scaled ones" if small or below else "scale them as in training"),
    )


def _moments(values: Values, told: Moments) -> Finding | None:
    rows, mean, deviation = values.array, told.mean, told.deviation
    if len(mean) not in (1, rows.shape[-1]):
        return None
    features = some_rows(rows.reshape(-1, rows.shape[-1] if len(mean) > 1 else 1))
    got_mean, got_deviation = features.mean(axis=0), features.std(axis=0)
    known = deviation > 0
    divisor = np.where(known, deviation, 1.0)
    shift = np.where(known, np.abs(got_mean - mean) / divisor, 0.0)
    ratio = np.where(known, np.maximum(got_deviation, _TINY) / divisor, 1.0)
    far = (shift >= 2) | (ratio >= 5) | (ratio <= 0.2)
    if (
        _standard(got_mean, got_deviation).all()
        and (far & ~_standard(mean, deviation)).mean() > 0.5
    ):
        return Finding(
            "normalized-twice",
            True,
            f"input {values.spec.name!r} has mean {figure(float(np.median(got_mean)))} and "
            f"standard deviation {figure(float(np.median(got_deviation)))} (medians over "
            f"features), {told.layer} expects {figure(float(np.median(mean)))} and "
            f"{figure(float(np.median(deviation)))}, since it normalizes itself: give raw values",
        )
    still = got_deviation == 0
    unlike = (shift >= _SHIFTED) | (ratio >= _OFF) | ((ratio * _OFF <= 1) & (shift >= 1) & ~still)
    if not unlike.any():
        return None
    middle = float(np.median(ratio))
    worst = int(np.argmax(np.where(unlike, np.maximum(shift, np.abs(np.log(ratio))), -1.0)))
    names = some([values.column(int(index)) for index in np.flatnonzero(unlike)])
    return Finding(
        "unlike-training",
        bool(2 * unlike.sum() > len(unlike)) and not 1 / _OFF < middle < _OFF,
        f"input {values.spec.name!r}: {int(unlike.sum())} of {len(unlike)} features ({names}) are "
        f"unlike what {told.layer} was adapted to, feature {values.column(worst)} with mean "
        f"{figure(float(got_mean[worst]))} and standard deviation "
        f"{figure(float(got_deviation[worst]))} for {_at(mean, worst)} and "
        f"{_at(deviation, worst)}: check units and the order of the columns",
    )


def _standard(mean: Array, deviation: Array) -> Array:
    """Which features are about standard normal, or a constant 0."""
    spread = (deviation == 0) | ((deviation > 0.3) & (deviation < 3))
    near: Array = (np.abs(mean) < 0.5) & spread
    return near


def _size(values: Values, told: Size) -> Finding | None:
    got = float(np.sqrt(np.mean(np.square(values.sample))))
    small = told.at_least is not None and got * _OFF <= told.at_least
    if not small and got < (_ESTIMATE_OFF if told.estimated else _OFF) * told.about:
        return None
    return Finding(
        "size",
        small or not told.estimated,
        f"input {values.spec.name!r} has a root mean square of {figure(got)}, {told.layer} was "
        f"trained on {'at least' if small else 'about'} "
        f"{figure(told.at_least if small and told.at_least else told.about)}: scale it as in "
        "training (0 to 255 against 0 to 1?)",
    )


def _ids(values: Values, told: Ids) -> Finding | None:
    name, rows = values.spec.name, values.rows
    if values.low < 0 or values.high >= told.below:
        bad = int(((rows < 0) | (rows >= told.below)).sum())
        return Finding(
            "ids",
            True,
            f"input {name!r} holds ids from {_id(values.low)} to {_id(values.high)}, "
            f"{told.layer} knows 0 to {told.below - 1} ({bad} ids are outside): use the "
            "vocabulary that the model was trained with",
        )
    fractions = float((values.sample != np.rint(values.sample)).mean())
    if fractions == 0:
        return None
    return Finding(
        "ids",
        True,
        f"input {name!r} holds ids for {told.layer}, but {fractions:.0%} of them are no whole "
        "numbers: give ids, neither scaled nor embedded",
    )


def _id(value: float) -> str:
    """An id in full: its last digit matters."""
    return f"{value:.0f}"


def _at(vector: Array, index: int) -> str:
    return figure(float(vector[index if len(vector) > 1 else 0]))
