"""The calibration lint: seeded mistakes are named with their figures."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from keras import layers

from edgeship_converters.lint import Finding, lint, lint_answers
from edgeship_runtime.arrays import Array
from tests.converters.lint_data import (
    DIGIT_LABELS,
    FEATURES,
    IMAGES,
    RANDOM,
    TABLE,
    contract,
    embedded,
    lint_one,
    normalized,
    pictures,
    planes_reshaped,
    rescaled,
    tokens,
    trained_on,
)


def stuck(column: int, value: float) -> Array:
    table = TABLE.copy()
    table[:, column] = value
    return table


def wild() -> Array:
    table = TABLE.copy()
    table[7, 3] = 1e7
    return table


def cut(images: Array) -> Array:
    return images.astype(np.int32).astype(np.float32)


def half_unread() -> Array:
    images = IMAGES[:400].copy()
    images[::2] = 0
    return images


def nan_row() -> Array:
    table = TABLE.copy()
    table[5, 2] = np.nan
    return table


def shuffled_words() -> Array:
    words = tokens()
    words[3, 1] = 1000
    return words


# What was done wrong; the findings; the check that names it; whether it must stop; the figure.
Mistake = tuple[Callable[[], list[Finding]], str, bool, str]
MISTAKES: dict[str, Mistake] = {
    "ten rows": (lambda: lint_one(IMAGES[:10]), "few-rows", False, "10 rows"),
    "zeros written for images": (
        lambda: lint_one(np.zeros_like(IMAGES)),
        "all-zero",
        True,
        "0 in all 1797 rows",
    ),
    "ones written for images": (
        lambda: lint_one(np.ones_like(IMAGES)),
        "one-value",
        True,
        "1 in all 1797 rows",
    ),
    "one row repeated": (
        lambda: lint_one(np.repeat(TABLE[:1], 200, axis=0)),
        "rows-equal",
        True,
        "all 200",
    ),
    "the file appended to itself": (
        lambda: lint_one(np.concatenate([TABLE, TABLE])),
        "duplicate-rows",
        False,
        "50% of the 1138",
    ),
    "images oversampled": (
        lambda: lint_one(np.repeat(IMAGES[:50], 4, axis=0)),
        "duplicate-rows",
        False,
        "75% of the 200",
    ),
    "calibrated on the rows that judge": (
        lambda: lint_one(IMAGES, IMAGES[:300]),
        "judged-rows-calibrate",
        False,
        "100% of 300",
    ),
    "divided by 255 before a Rescaling layer": (
        lambda: lint_one(IMAGES, model=rescaled()),
        "range",
        True,
        "from 0 to 1, the Rescaling layer",
    ),
    "centred to -1…1 before a Rescaling layer": (
        lambda: lint_one(IMAGES * 2 - 1, model=rescaled()),
        "range",
        True,
        "from -1 to 1,",
    ),
    "16-bit pixels where bytes are expected": (
        lambda: lint_one(np.rint(IMAGES * 65535), model=rescaled()),
        "range",
        True,
        "to 6.55e+04",
    ),
    "12-bit pixels where bytes are expected": (
        lambda: lint_one(np.rint(IMAGES * 4095), model=rescaled()),
        "range",
        False,
        "to 4.1e+03",
    ),
    "bytes minus 128 where bytes are expected": (
        lambda: lint_one(IMAGES * 255 - 128, model=rescaled()),
        "range",
        False,
        "from -128 to 127",
    ),
    "calibration 0…255, judging 0…1": (
        lambda: lint_one(IMAGES[:900] * 255, IMAGES[900:]),
        "scale",
        True,
        "times larger than judging rows",
    ),
    "calibration 0…1, judging 0…255": (
        lambda: lint_one(IMAGES[:900], IMAGES[900:] * 255),
        "scale",
        True,
        "times smaller than judging rows",
    ),
    "a column in grams, then in kilograms": (
        lambda: lint_one(
            TABLE[:300] * np.where(np.arange(30) == 3, 1000, 1).astype(np.float32),
            TABLE[300:],
            names=FEATURES,
        ),
        "scale",
        False,
        "'mean area'",
    ),
    "cut to whole numbers": (
        lambda: lint_one(cut(IMAGES[:900] * 1.5), IMAGES[900:]),
        "whole-numbers",
        False,
        "whole numbers from 0 to 1",
    ),
    "pictures of 0…1 stored as bytes": (
        lambda: lint_one((IMAGES > 0.5).astype(np.uint8)),
        "whole-numbers",
        False,
        "no value is above 1",
    ),
    "standardized before a Normalization layer": (
        lambda: lint_one((TABLE - TABLE.mean(0)) / TABLE.std(0), model=normalized()),
        "normalized-twice",
        True,
        "standard deviation 1 ",
    ),
    "millimetres for metres, adapted": (
        lambda: lint_one(TABLE * 1000, model=normalized()),
        "unlike-training",
        True,
        "30 of 30 features",
    ),
    "columns in another order, adapted": (
        lambda: lint_one(TABLE[:, ::-1].copy(), model=normalized(), names=FEATURES),
        "unlike-training",
        False,
        "was adapted to",
    ),
    "0…255 for a network with batch normalization first": (
        lambda: lint_one(IMAGES * 255, model=trained_on(IMAGES, [layers.BatchNormalization()])),
        "size",
        True,
        "root mean square of 1",
    ),
    "0…1 for a network with batch normalization first": (
        lambda: lint_one(IMAGES, model=trained_on(IMAGES * 255, [layers.BatchNormalization()])),
        "size",
        True,
        "trained on at least",
    ),
    "0…255 for a convolution with batch normalization": (
        lambda: lint_one(
            IMAGES * 255,
            model=trained_on(IMAGES, [layers.Conv2D(8, 3), layers.BatchNormalization()]),
        ),
        "size",
        False,
        "trained on about",
    ),
    "0…255 for a convolution with ReLU before the batch normalization": (
        lambda: lint_one(
            IMAGES * 255,
            model=trained_on(
                IMAGES, [layers.Conv2D(8, 3, activation="relu"), layers.BatchNormalization()]
            ),
        ),
        "size",
        False,
        "trained on about",
    ),
    "ids beyond the vocabulary": (
        lambda: lint_one(shuffled_words(), model=embedded()),
        "ids",
        True,
        "to 1000, the Embedding layer",
    ),
    "-1 for padding": (
        lambda: lint_one(np.where(tokens() == 0, -1, tokens()).astype(np.int32), model=embedded()),
        "ids",
        True,
        "from -1 to",
    ),
    "ids scaled to 0…1": (
        lambda: lint_one((tokens() / 1000).astype(np.float32), model=embedded()),
        "ids",
        True,
        "no whole numbers",
    ),
    "a sensor stuck": (
        lambda: lint_one(stuck(4, 0.1), names=FEATURES),
        "constant-columns",
        False,
        "1 of 30 columns never change ('mean smoothness' = 0.1)",
    ),
    "a column never filled": (
        lambda: lint_one(stuck(4, 0.0), names=FEATURES),
        "constant-columns",
        False,
        "'mean smoothness' = 0",
    ),
    "half of the images not read": (
        lambda: lint_one(half_unread()),
        "flat-rows",
        False,
        "200 of 400 rows (50%)",
    ),
    "each image averaged away": (
        lambda: lint_one(np.broadcast_to(IMAGES.mean((1, 2, 3), keepdims=True), IMAGES.shape)),
        "flat-rows",
        True,
        "1797 of 1797 rows",
    ),
    "one wild cell": (
        lambda: lint_one(wild(), names=FEATURES),
        "outliers",
        False,
        "'mean area': the largest magnitude 1e+07",
    ),
    "one wild pixel": (
        lambda: lint_one(np.where(np.arange(IMAGES.size).reshape(IMAGES.shape) == 99, 5e4, IMAGES)),
        "outliers",
        False,
        "5e+04",
    ),
    "a cell is missing": (lambda: lint_one(nan_row()), "not-finite", True, "in 1 of 569 rows"),
    "planes reshaped instead of transposed": (
        lambda: lint_one(planes_reshaped(pictures().astype(np.float32))),
        "layout",
        False,
        "times as much",
    ),
    "channels first where every axis is free": (
        lambda: lint_one(np.moveaxis(pictures(), -1, 1), free=True),
        "layout",
        False,
        "(3, 32, 32)",
    ),
    "width and height swapped in one file": (
        lambda: lint_one(
            pictures()[:, :24].astype(np.float32),
            np.swapaxes(pictures(seed=1)[:, :24], 1, 2).astype(np.float32),
            free=True,
        ),
        "layout",
        False,
        "(24, 32, 3), the judging rows have (32, 24, 3)",
    ),
    "the file sorted by class and cut": (
        lambda: lint(
            contract(("x", "float32", (None, 8, 8, 1)), classes=10),
            {"x": IMAGES[DIGIT_LABELS == 0]},
            None,
            DIGIT_LABELS[DIGIT_LABELS == 0],
            None,
        ),
        "one-class",
        False,
        "all 178 rows are of the class '0', one of 10",
    ),
    "a class left out": (
        lambda: lint(
            contract(("x", "float32", (None, 8, 8, 1)), classes=10),
            {"x": IMAGES[DIGIT_LABELS < 9]},
            None,
            DIGIT_LABELS[DIGIT_LABELS < 9],
            None,
        ),
        "missing-classes",
        False,
        "1 of 10 classes are in none of 1617 rows (9)",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES, ids=str)
def test_a_mistake_is_named_with_its_figure(mistake: str) -> None:
    made, check, fatal, figure = MISTAKES[mistake]
    found = made()
    named = [finding for finding in found if finding.check == check]
    assert named, found
    assert named[0].fatal is fatal, named
    assert figure in named[0].message, named
    assert all(finding.message.isprintable() for finding in found)
    assert len(found) <= 2, found


def answers(labels: Array, classes: int = 10) -> dict[str, Array]:
    return {"out": np.eye(classes, dtype=np.float32)[labels]}


def test_a_source_that_only_guesses_is_named_with_both_figures() -> None:
    known = contract(("x", "float32", (None, 8, 8, 1)), classes=10)
    always = np.full(len(DIGIT_LABELS), 3)
    constant, found = lint_answers(known, answers(always), DIGIT_LABELS)
    assert (constant.check, found.check) == ("same-answer", "guessing")
    assert not found.fatal
    assert "right on 10.2% of 1797 rows, guessing gives 10.2%" in found.message
    shuffled = RANDOM(0).permutation(DIGIT_LABELS)
    assert lint_answers(known, answers(shuffled), DIGIT_LABELS)


def test_a_source_that_knows_something_is_left_alone() -> None:
    known = contract(("x", "float32", (None, 8, 8, 1)), classes=10)
    half = np.where(np.arange(len(DIGIT_LABELS)) % 2, DIGIT_LABELS, 0)
    assert lint_answers(known, answers(half), DIGIT_LABELS) == []
    assert lint_answers(known, answers(half.astype(int)), DIGIT_LABELS.astype(str)) == []
    assert lint_answers(known, answers(half), None) == []
    one = np.zeros(100, int)
    assert [found.check for found in lint_answers(known, answers(one), one)] == ["same-answer"]


def test_a_source_that_answers_to_nothing_is_named() -> None:
    known = contract(("x", "float32", (None, 8, 8, 1)))
    constant = np.full((100, 1), 0.2, np.float32)
    (found,) = lint_answers(known, {"out": constant * (1 + 1e-7)}, None)
    assert (found.check, found.fatal) == ("same-answer", False)
    assert "the same answer to all 100 rows in output 'out'" in found.message
    varied = constant + RANDOM(0).normal(0, 1e-4, constant.shape).astype(np.float32)
    assert lint_answers(known, {"out": varied}, None) == []
    assert lint_answers(known, {"out": constant[:9]}, None) == []


def test_nonsense_comes_first() -> None:
    found = lint_one(IMAGES[:40], model=rescaled())
    assert [finding.fatal for finding in found] == [True, False]
    assert [finding.check for finding in found] == ["range", "few-rows"]


def test_no_rows_are_nonsense() -> None:
    (found,) = lint_one(IMAGES[:0])
    assert found.fatal
    assert found.message.startswith("0 rows calibrate")
