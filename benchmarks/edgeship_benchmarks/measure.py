"""A bundle's variants, measured one against the other on this machine."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from edgeship_benchmarks.accuracy import agreement, answer, largest_difference, reference
from edgeship_benchmarks.errors import BenchError
from edgeship_benchmarks.percentiles import percentile
from edgeship_benchmarks.report import Report, Result
from edgeship_benchmarks.samples import Rows, sample_rows
from edgeship_benchmarks.scenario import Measurement, SingleStream, run
from edgeship_benchmarks.systems import VariantSystem, open_variant
from edgeship_devices import detect
from edgeship_runtime.arrays import Array, Arrays
from edgeship_runtime.bundle import Bundle, Contract
from edgeship_runtime.errors import DataError, EdgeshipError
from edgeship_runtime.metrics import score


@dataclass(slots=True)
class _Opened:
    """Which variants run, what they answer, and why the others do not run."""

    systems: list[VariantSystem] = field(default_factory=list)
    answers: dict[str, dict[str, Array]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


def bench(
    bundle: Bundle,
    inputs: Arrays | None = None,
    truth: Array | None = None,
    *,
    threads: int = 1,
    queries: int = 1000,
    on_step: Callable[[str], None] = lambda step: None,
) -> Report:
    """Measure every variant of a bundle: size, time to load, latency, and how good it is.

    A variant that cannot be loaded or fails is marked with its error, and the others go on.

    Args:
        bundle: what is measured.
        inputs: rows to ask; the bundle's goldens where None is given.
        truth: the true label or value of each row.
        threads: how many an engine may use.
        queries: how many are sent to each variant at the least; see `SingleStream`.
        on_step: called with words for people as each step begins.

    Raises:
        InputError: where `inputs` do not fit the contract.
        DataError: where there is no row, or `truth` does not fit the rows.
        BenchError: where `threads` or `queries` is below 1.
    """
    for name, count in (("threads", threads), ("queries", queries)):
        if count < 1:
            raise BenchError(f"{name} is {count}: expected at least 1")
    rows = sample_rows(bundle, inputs)
    if truth is not None and len(truth) != len(rows):
        raise DataError(f"there are {len(truth)} labels for {len(rows)} rows: give one for each")
    machine = detect()
    opened = _open(bundle, rows, threads, on_step)
    results = _judge(bundle, opened, truth, machine.profile)
    on_step(f"timing {len(opened.systems)} variants, {queries} queries each")
    measured = run(opened.systems, rows, SingleStream(min_queries=queries))
    times = {measurement.system: measurement for measurement in measured}
    return Report(
        model=bundle.manifest.name,
        version=bundle.manifest.version,
        bundle_sha256=bundle.sha256,
        machine=machine,
        threads=threads,
        rows=len(rows),
        rows_from="goldens" if inputs is None else "data",
        reference=reference(list(opened.answers)),
        results=tuple(
            _with_times(result, times[result.variant]) if result.variant in times else result
            for result in results
        ),
    )


def _open(bundle: Bundle, rows: Rows, threads: int, on_step: Callable[[str], None]) -> _Opened:
    opened = _Opened()
    for spec in bundle.manifest.variants:
        on_step(f"loading {spec.name}")
        try:
            system = open_variant(bundle, spec.name, threads)
            outputs = answer(system, rows, bundle.manifest.contract)
        except EdgeshipError as error:
            opened.errors[spec.name] = str(error)
            continue
        opened.systems.append(system)
        opened.answers[spec.name] = outputs
    return opened


def _judge(
    bundle: Bundle, opened: _Opened, truth: Array | None, device: str | None
) -> list[Result]:
    contract = bundle.manifest.contract
    best = reference(list(opened.answers))
    systems = {system.name: system for system in opened.systems}
    results = []
    for spec in bundle.manifest.variants:
        result = Result(variant=spec.name, device=device, bytes=spec.bytes)
        if spec.name in systems and best is not None:
            result = msgspec.structs.replace(
                result, engine=systems[spec.name].engine, load_ns=systems[spec.name].load_ns
            )
            outputs, exact = opened.answers[spec.name], opened.answers[best]
            result = _with_accuracy(result, contract, outputs, exact, truth)
        else:
            result = msgspec.structs.replace(result, error=opened.errors[spec.name])
        results.append(result)
    return results


def _with_accuracy(
    result: Result, contract: Contract, outputs: Arrays, exact: Arrays, truth: Array | None
) -> Result:
    scored = None if truth is None else score(contract, outputs, truth)
    difference = largest_difference(contract, outputs, exact)
    finite = all(
        figure is None or math.isfinite(figure)
        for figure in (difference, scored[1] if scored else None)
    )
    if not finite:
        return msgspec.structs.replace(result, error="it gives NaN or infinite values")
    return msgspec.structs.replace(
        result,
        metric=scored[0] if scored else None,
        metric_value=scored[1] if scored else None,
        agreement=agreement(contract, outputs, exact),
        max_abs_difference=difference,
    )


def _with_times(result: Result, measurement: Measurement) -> Result:
    times = measurement.latencies_ns
    failed = measurement.error is not None
    return msgspec.structs.replace(
        result,
        queries=len(times),
        latencies_ns=tuple(times),
        p50_ns=None if failed else percentile(times, 50),
        p90_ns=None if failed else percentile(times, 90),
        p99_ns=None if failed else percentile(times, 99),
        error=measurement.error or result.error,
    )
