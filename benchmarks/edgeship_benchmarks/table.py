"""A report as cells of text, for a page or a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from edgeship_benchmarks.percentiles import least_queries
from edgeship_benchmarks.report import Report, Result

UNKNOWN = "-"
Line = tuple[str, ...]
_METRIC_TITLES = {"accuracy": "accuracy", "r2": "R²"}


def cells(report: Report) -> tuple[Line, tuple[Line, ...], tuple[str, ...]]:
    """The header, one row for each result (`-` where a figure is not known), and footnotes."""
    difference = any(result.max_abs_difference is not None for result in report.results)
    metric = next((result.metric for result in report.results if result.metric), None)
    if metric is None:
        metric = "r2" if difference else "accuracy"
    header = [
        "variant", "engine", "size", "load", "p50", "p90", "p99",
        _METRIC_TITLES[metric],
        "largest difference" if difference else "agreement",
    ]  # fmt: skip
    rows = tuple(_row(result) for result in report.results)
    return tuple(header), rows, tuple(_footnotes(report))


def kilobytes(count: int) -> str:
    """A size in units of 1000 bytes.

    >>> kilobytes(148_700)
    '148.7 kB'
    """
    return f"{count / 1000:.1f} kB"


def duration(ns: int | None) -> str:
    """A time in the unit that suits it.

    >>> duration(6_120), duration(999_960), duration(15_600_000), duration(None)
    ('6.1 µs', '1.00 ms', '15.60 ms', '-')
    """
    if ns is None:
        return UNKNOWN
    return f"{ns / 1e3:.1f} µs" if ns < 999_950 else f"{ns / 1e6:.2f} ms"


def percentage(share: float | None) -> str:
    """A share of 1 as one of 100.

    >>> percentage(0.9372), percentage(1.0)
    ('93.72%', '100.00%')
    """
    return UNKNOWN if share is None else f"{100 * share:.2f}%"


def _row(result: Result) -> Line:
    metric = result.metric_value
    if result.metric == "r2" and metric is not None:
        quality = f"{metric:.4f}"
    else:
        quality = percentage(metric)
    against = percentage(result.agreement)
    if result.max_abs_difference is not None:
        against = f"{result.max_abs_difference:.3g}"
    return (
        result.variant,
        result.engine or UNKNOWN,
        kilobytes(result.bytes),
        duration(result.load_ns),
        duration(result.p50_ns),
        duration(result.p90_ns),
        duration(result.p99_ns),
        quality,
        against,
    )


def _footnotes(report: Report) -> Iterator[str]:
    for result in report.results:
        if result.error is not None:
            yield f"{result.variant} was not measured: {result.error}"
    for percent in (50, 90, 99):
        short = [
            f"{result.variant} had {result.queries}"
            for result in report.results
            if result.error is None and result.queries < least_queries(percent)
        ]
        if short:
            yield (
                f"p{percent} is given from {least_queries(percent)} queries on (99% confidence, "
                f"MLPerf early stopping): {', '.join(short)}"
            )
    if report.reference is not None:
        yield f"agreement and difference are against {report.reference}, the most exact that ran"
    ran = [result.variant for result in report.results if result.queries]
    if any(name.startswith("savedmodel-") for name in ran):
        yield "TensorFlow's threads belong to the process: the limit does not hold for a SavedModel"
