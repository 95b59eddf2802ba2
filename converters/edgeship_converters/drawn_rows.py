"""Rows for want of data: drawn at random, always the same, within what the model knows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np

from edgeship_runtime.arrays import Array, Arrays, numpy_dtype
from edgeship_runtime.bundle import Contract, InputSpec
from edgeship_runtime.errors import EdgeshipError

SYNTHETIC = 256
_SEED = 0
_FREE_AXIS = 8
_NUMBERS_SHARE = 0.25


class Vocabulary(msgspec.Struct, frozen=True):
    """What a model's own tables hold, for rows that are drawn for want of data.

    Attributes:
        ids: below which number whole numbers stay, by input name.
        words: that text inputs are made of.
        numbers: that the model tells others apart by, finite, by input name.
    """

    ids: dict[str, int] = {}
    words: tuple[str, ...] = ()
    numbers: dict[str, tuple[int | float, ...]] = {}


def drawn(contract: Contract, known: Vocabulary | None = None) -> dict[str, Array]:
    """Rows for want of data, always the same, within what the model knows.

    A quarter of the entries of an input with known numbers are these, or one step beside.
    """
    random = np.random.default_rng(_SEED)
    known = known or Vocabulary()
    rows = {spec.name: _draw(spec, random, known) for spec in contract.inputs}
    for place, spec in enumerate(contract.inputs):
        own = beside(known.numbers.get(spec.name, ()), rows[spec.name].dtype)
        if len(own) and not spec.categories:
            # Of a generator of their own, so that all else is as it was.
            random = np.random.default_rng([_SEED, place])
            array = rows[spec.name]
            chosen = random.random(array.shape) < _NUMBERS_SHARE
            array[chosen] = random.choice(own, array.shape)[chosen]
    return rows


def answered(
    contract: Contract, known: Vocabulary, predict: Callable[[Arrays], dict[str, Array]]
) -> dict[str, Array]:
    """Rows as `drawn`, but with the model's numbers only where it gives finite answers to them.

    An input whose numbers the model fails on has none, as one of places in a table may.

    Args:
        contract: the model's.
        known: to it.
        predict: asks it; raises an EdgeshipError where it fails.
    """
    plain = drawn(contract, msgspec.structs.replace(known, numbers={}))
    if not known.numbers:
        return plain
    rows = drawn(contract, known)
    sound = _finite_rows(rows, predict)
    if sound is None:
        rows, sound = plain, None
        for name in known.numbers:
            one = msgspec.structs.replace(known, numbers={name: known.numbers[name]})
            tried = rows | {name: drawn(contract, one)[name]}
            answers = _finite_rows(tried, predict)
            if answers is not None:
                rows, sound = tried, answers
    if sound is None:
        return plain
    return {
        name: np.where(sound.reshape(-1, *(1 for _ in array.shape[1:])), array, plain[name])
        for name, array in rows.items()
    }


def beside(numbers: Sequence[int | float], dtype: Any) -> Array:
    """Numbers, and those one step beside them, that a type holds, in order."""
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            own = np.array([*numbers], np.float64).astype(dtype)
            steps = [np.nextafter(own, dtype.type(end)) for end in (-np.inf, np.inf)]
        every = np.unique([own, *steps])
        finite: Array = every[np.isfinite(every)]
        return finite
    if dtype.kind not in "iu":
        return np.array([], dtype)
    limits = np.iinfo(dtype)
    whole = {int(np.floor(n)) if isinstance(n, float) else n for n in numbers}
    near = sorted({n + step for n in whole for step in (-1, 0, 1)})
    return np.array([n for n in near if limits.min <= n <= limits.max], dtype)


def _finite_rows(rows: Arrays, predict: Callable[[Arrays], dict[str, Array]]) -> Array | None:
    """For each row, whether all answers are finite; None where the model fails."""
    try:
        answers = predict(rows)
    except EdgeshipError:
        return None
    sound = np.ones(len(next(iter(rows.values()))), bool)
    for array in answers.values():
        if array.dtype.kind == "f":
            sound &= np.isfinite(array).reshape(len(array), -1).all(axis=1)
    return sound


def _draw(spec: InputSpec, random: np.random.Generator, known: Vocabulary) -> Array:
    """Standard normal numbers, on scales from 0.1 to 1000 in turn; bytes; ids; words."""
    shape = (SYNTHETIC, *(size or _FREE_AXIS for size in spec.shape[1:]))
    dtype = numpy_dtype(spec.dtype)
    if spec.categories:
        return random.choice(np.array(spec.categories).astype(dtype), shape)
    if dtype.kind == "f":
        scales = np.geomspace(0.1, 1000.0, SYNTHETIC).reshape(-1, *(1 for _ in shape[1:]))
        return (random.standard_normal(shape) * scales).astype(dtype)
    if dtype.kind in "iub":
        # Where no table tells, only 0 and 1 are sure to be ids.
        below = known.ids.get(spec.name, 256 if dtype == np.uint8 else 2)
        most = 2 if dtype.kind == "b" else int(np.iinfo(dtype).max) + 1
        return random.integers(0, min(below, most), shape).astype(dtype)
    # One word at least is unknown to the model.
    return random.choice(np.array([*known.words, "a", "b", "c"]), shape)
