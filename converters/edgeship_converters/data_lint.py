"""The lint over the rows of a conversion, before anything is quantized with them."""

from __future__ import annotations

from edgeship_converters.cache import Cache, digest, digest_arrays
from edgeship_converters.lint import Expectations, Finding, lint, lint_answers
from edgeship_converters.plan import Plan
from edgeship_converters.remembered import RememberedSource
from edgeship_converters.rows import Rows
from edgeship_converters.tools import own_code, releases
from edgeship_runtime.arrays import Arrays
from edgeship_runtime.errors import DataError
from edgeship_runtime.quiet import quiet


def check_data(source: RememberedSource, rows: Rows, plan: Plan, cache: Cache) -> tuple[str, ...]:
    """What is wrong with the rows, to be warned of; the model is not asked yet.

    Raises:
        DataError: where variants are quantized and their outcome would be nonsense.
    """
    loses_precision = any(step.real_rows for step in plan.steps)
    findings = _findings(source, rows, cache)
    for finding in findings:
        if finding.fatal and loses_precision:
            raise DataError(finding.message)
    return tuple(finding.message for finding in findings)


def check_answers(rows: Rows, expected: Arrays) -> tuple[str, ...]:
    """What the source's own answers to the judged rows tell against them."""
    if rows.calibration is None:
        return ()
    found = lint_answers(rows.contract, expected, rows.truth)
    return tuple(finding.message for finding in found)


def _findings(source: RememberedSource, rows: Rows, cache: Cache) -> list[Finding]:
    if rows.calibration is None:
        return []
    labels = {
        name: array
        for name, array in (("calibration", rows.calibration_truth), ("judged", rows.truth))
        if array is not None
    }
    arrays = (rows.calibration, rows.judged, labels)
    key = digest(
        "lint",
        source.key,
        rows.contract,
        [digest_arrays(held) for held in arrays],
        own_code(),
        releases(("keras",)),
    )
    found = cache.find(key, list[Finding])
    if found is None:
        found = lint(
            rows.contract,
            rows.calibration,
            rows.judged,
            rows.calibration_truth,
            _expectations(source),
        )
        cache.keep(key, found)
    return found


def _expectations(source: RememberedSource) -> Expectations:
    if source.kind != "keras":
        return {}
    model = getattr(source.loaded, "model", None)
    with quiet():
        from edgeship_converters.sources.expected_range import expected_ranges

        return expected_ranges(model, [spec.name for spec in source.contract.inputs])
