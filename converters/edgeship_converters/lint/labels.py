"""The labels of the data, and the source model's own answers held against them."""

from __future__ import annotations

import numpy as np

from edgeship_converters.lint.finding import Finding, some
from edgeship_runtime import labels as deciding
from edgeship_runtime.arrays import Array, Arrays
from edgeship_runtime.bundle import Contract

_ROWS_PER_CLASS = 10
_FEWEST_ANSWERS = 50
_FEWEST_SAME = 10
# Of the largest answer: what float32 rounds away in a sum or two.
_SAME = 1e-6
_LEAST_KAPPA = 0.1


def lint_labels(contract: Contract, labels: Array | None) -> list[Finding]:
    """One class only, or classes that never occur though there are rows enough for them."""
    if labels is None or contract.classes is None or labels.ndim != 1 or len(labels) < 2:
        return []
    seen = {str(label) for label in np.unique(labels)}
    if len(seen) == 1:
        return [
            Finding(
                "one-class",
                False,
                f"all {len(labels)} rows are of the class {seen.pop()!r}, one of "
                f"{len(contract.classes)}: data of one class calibrates and proves little; "
                "shuffle before you cut, and give rows of every class",
            )
        ]
    missing = _missing(contract.classes, labels)
    if not missing or len(labels) < _ROWS_PER_CLASS * len(contract.classes):
        return []
    return [
        Finding(
            "missing-classes",
            False,
            f"{len(missing)} of {len(contract.classes)} classes are in none of {len(labels)} rows "
            f"({some(missing)}): give rows of every class",
        )
    ]


def lint_answers(contract: Contract, outputs: Arrays, truth: Array | None) -> list[Finding]:
    """The source's own answers tell against the rows: a guess, or the same to all of them.

    Agreement beyond chance is Cohen's kappa (Cohen 1960, Educational and Psychological
    Measurement 20): (right - guessed) / (1 - guessed), where `guessed` is the share of rows on
    which the labels would agree if both were shuffled.

    Args:
        contract: the source's.
        outputs: the source's own for the judged rows.
        truth: their labels [rows].
    """
    return [*_same_answers(contract, outputs), *_guessing(contract, outputs, truth)]


def _same_answers(contract: Contract, outputs: Arrays) -> list[Finding]:
    """Outputs that hang on no row: agreement on them proves nothing."""
    found = []
    for spec in contract.outputs:
        answers = np.asarray(outputs[spec.name])
        if len(answers) < _FEWEST_SAME or not answers.size:
            continue
        if answers.dtype.kind == "f":
            size = float(np.abs(answers).max())
            same = float(np.ptp(answers, axis=0).max()) <= _SAME * size
        else:
            same = bool((answers == answers[:1]).all())
        if same:
            message = (
                f"the source model gives the same answer to all {len(answers)} rows in output "
                f"{spec.name!r}, and agreement on that proves nothing: the rows are not as the "
                "model was trained on, or it is not trained"
            )
            found.append(Finding("same-answer", False, message))
    return found


def _guessing(contract: Contract, outputs: Arrays, truth: Array | None) -> list[Finding]:
    """The source does no better than a guess: it is fed what it does not know."""
    decided = deciding.decide(contract, outputs)
    if truth is None or decided is None or truth.ndim != 1 or len(truth) < _FEWEST_ANSWERS:
        return []
    right = float(deciding.same(decided, truth).mean())
    guessed = _by_chance(decided, truth)
    if guessed == 1 or (right - guessed) / (1 - guessed) >= _LEAST_KAPPA:
        return []
    return [
        Finding(
            "guessing",
            False,
            f"the source model is right on {right:.1%} of {len(truth)} rows, guessing gives "
            f"{guessed:.1%}: the rows are not as the model was trained on (range, layout, order of "
            "the columns or of the classes), or it is not trained",
        )
    ]


def _by_chance(one: Array, other: Array) -> float:
    if "U" in (one.dtype.kind, other.dtype.kind):
        one, other = one.astype(np.str_), other.astype(np.str_)
    return float(sum((one == value).mean() * (other == value).mean() for value in np.unique(other)))


def _missing(classes: tuple[bool | int | float | str, ...], labels: Array) -> list[str]:
    known = np.asarray(classes)
    if "U" in (known.dtype.kind, labels.dtype.kind):
        known, labels = known.astype(np.str_), labels.astype(np.str_)
    return [str(label) for label in known[~np.isin(known, labels)]]
