"""Calibration lint: what an expert would say of the data before a model is quantized with it.

docs/calibration-lint.md has each check with its limit and the reason for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from edgeship_converters.lint.compare import (
    binary_bytes,
    outliers,
    unlike_judged,
    whole_numbers,
)
from edgeship_converters.lint.constants import blank_rows, constant_columns, not_finite, one_value
from edgeship_converters.lint.expectation import Expectation, Expectations, Ids, Range
from edgeship_converters.lint.expected import expected
from edgeship_converters.lint.finding import Finding
from edgeship_converters.lint.labels import lint_answers, lint_labels
from edgeship_converters.lint.layout import layout
from edgeship_converters.lint.repeats import few_rows, repeated_rows
from edgeship_converters.lint.values import Values, measure
from edgeship_runtime.arrays import Array, Arrays
from edgeship_runtime.bundle import Contract


def lint(
    contract: Contract,
    calibration: Arrays,
    judged: Arrays | None,
    labels: Array | None,
    expects: Expectations | None,
) -> list[Finding]:
    """What is wrong with the data, nonsense first.

    Args:
        contract: names, dtypes and shapes of the inputs; the classes.
        calibration: rows that choose ranges, by input name, in the contract's dtype and shape.
        judged: rows that judge the variants, likewise; None where there are none of the user's.
        labels: of the calibration rows [rows], where known.
        expects: what the model tells about each input, by name.

    Returns:
        The findings; none for sound data.
    """
    count = len(next(iter(calibration.values())))
    few = few_rows(count)
    if few is not None and few.fatal:
        return [few]
    theirs = _measured(contract, judged or {})
    found = _keep([few])
    for name, values in _measured(contract, calibration).items():
        told: Sequence[Expectation] = (expects or {}).get(name, ())
        alone = len(contract.inputs) == 1
        found += _lint_input(values, theirs.get(name), told, alone=alone)
    found += _repeats(calibration, judged, found)
    found += lint_labels(contract, labels)
    return sorted(found, key=lambda finding: not finding.fatal)


def _lint_input(
    values: Values, judged: Values | None, told: Sequence[Expectation], *, alone: bool
) -> list[Finding]:
    """The checks of one input; what follows from a finding is not said again."""
    ruined = not_finite(values) or one_value(values, alone=alone)
    if ruined is not None:
        return [ruined]
    found = _keep(
        [
            *(expected(values, expectation) for expectation in told),
            *(expected(judged, ids) for ids in told if judged and isinstance(ids, Ids)),
            blank_rows(values),
            constant_columns(values, judged),
            layout(values, judged),
            outliers(values),
        ]
    )
    if not any(isinstance(expectation, Range) for expectation in told):
        found += _keep([binary_bytes(values)])
    if judged is not None and not any(finding.fatal for finding in found):
        scale = unlike_judged(values, judged)
        found += _keep([scale or whole_numbers(values, judged)])
    return found


def _repeats(calibration: Arrays, judged: Arrays | None, found: Sequence[Finding]) -> list[Finding]:
    """Repeated rows, but not where all values are the same, which says it already."""
    if any(finding.check in ("one-value", "all-zero") and finding.fatal for finding in found):
        return []
    return repeated_rows(calibration, judged)


def _measured(contract: Contract, arrays: Mapping[str, Array]) -> dict[str, Values]:
    taken = {
        spec.name: measure(spec, arrays[spec.name])
        for spec in contract.inputs
        if spec.name in arrays
    }
    return {name: values for name, values in taken.items() if values is not None}


def _keep(findings: Iterable[Finding | None]) -> list[Finding]:
    return [finding for finding in findings if finding is not None]


__all__ = ["Expectations", "Finding", "lint", "lint_answers"]
