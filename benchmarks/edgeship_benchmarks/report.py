"""`report.json`: what was measured, on what, as typed, checked structs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec

from edgeship_benchmarks.errors import BenchError
from edgeship_devices import Machine
from edgeship_runtime.metrics import Metric

SCHEMA_VERSION = 1

Nanoseconds = Annotated[int, msgspec.Meta(ge=0)]
Count = Annotated[int, msgspec.Meta(ge=0)]
Share = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]


class _Fact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of the report's structs: immutable, and closed to fields that it does not know."""


class Result(_Fact, frozen=True, kw_only=True):
    """What one variant showed; what could not be measured is None.

    Attributes:
        variant: its name in the bundle.
        device: name of the profile of the machine that the figures hold for.
        evidence: how they came about; `measured` is by running on that machine itself.
        engine: the engine's package and release.
        bytes: of the variant in the bundle.
        load_ns: time to read, hash and load it.
        p50_ns: latency by nearest rank; see `percentiles`, also for when it is None.
        p90_ns: the same.
        p99_ns: the same.
        queries: how many were timed.
        latencies_ns: of each of them, in the order in which they were sent.
        metric: what `metric_value` is.
        metric_value: over the report's rows, against their truth.
        agreement: share of rows with the label that the reference variant gives.
        max_abs_difference: from the reference variant's outputs, for a model without classes.
        error: why the variant could not be measured, in words for people.
    """

    variant: str
    device: str | None
    evidence: Literal["measured"] = "measured"
    engine: str | None = None
    bytes: Count
    load_ns: Nanoseconds | None = None
    p50_ns: Nanoseconds | None = None
    p90_ns: Nanoseconds | None = None
    p99_ns: Nanoseconds | None = None
    queries: Count = 0
    latencies_ns: tuple[Nanoseconds, ...] = ()
    metric: Metric | None = None
    metric_value: float | None = None
    agreement: Share | None = None
    max_abs_difference: float | None = None
    error: str | None = None


class Report(_Fact, frozen=True, kw_only=True):
    """All of `report.json`.

    Attributes:
        model: the bundle's name for it.
        version: the bundle's version of it.
        bundle_sha256: of the bundle's manifest, which names all that the bundle holds.
        machine: as it was found before the first measurement.
        scenario: in MLPerf's words.
        threads: how many an engine was allowed.
        rows: how many rows were asked.
        rows_from: `data` that was given, or the bundle's `goldens`.
        reference: the variant that agreement and difference are against.
        results: one for each variant, in the bundle's order.
    """

    schema_version: int = SCHEMA_VERSION
    model: str
    version: str
    bundle_sha256: str
    machine: Machine
    scenario: Literal["SingleStream"] = "SingleStream"
    threads: int
    rows: int
    rows_from: Literal["data", "goldens"]
    reference: str | None
    results: tuple[Result, ...]


class _Versioned(msgspec.Struct):
    schema_version: int


def encode(report: Report) -> bytes:
    """The bytes of `report.json`: the same facts give the same bytes."""
    return msgspec.json.encode(report) + b"\n"


def decode(data: bytes) -> Report:
    """Read and check a report.

    Raises:
        BenchError: for anything but a complete, consistent report of this schema version.
    """
    try:
        version = msgspec.json.decode(data, type=_Versioned).schema_version
        if version != SCHEMA_VERSION:
            raise BenchError(
                f"the report's schema version is {version}, this edgeship reads {SCHEMA_VERSION}: "
                "measure again, or install the edgeship that made it"
            )
        report = msgspec.json.decode(data, type=Report)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BenchError(f"the report is not valid: {error}") from error
    for fault in _faults(report):
        raise BenchError(f"the report is not valid: {fault}")
    return report


def _faults(report: Report) -> Iterator[str]:
    names = [result.variant for result in report.results]
    if len(set(names)) != len(names):
        yield "two results share a variant"
    if report.reference is not None and report.reference not in names:
        yield f"its reference {report.reference!r} is none of its variants"
    if report.threads < 1 or report.rows < 1:
        yield "threads and rows must be at least 1"
    for result in report.results:
        if result.queries != len(result.latencies_ns):
            yield (
                f"{result.variant!r} states {result.queries} queries and has "
                f"{len(result.latencies_ns)} latencies"
            )
        if (result.metric is None) != (result.metric_value is None):
            yield f"{result.variant!r} has a metric without a value, or a value without a metric"
