"""What the figures are held to."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass

from classical.forests import MILLION, SMALL
from classical.tally import COMPILED, LITERT, OURS, PLAIN, SOURCE, CaseTally, Forest, Tally

MILLION_SECONDS = 120
MILLION_PEAK_BYTES = 4_000_000_000
# How many times as long as the other engines of trees LiteRT may take for a row.
_TREES_AT_MOST = {OURS: 2.0, COMPILED: 4.0}
# How many times a TFLite file's bytes may be taken in memory to load it and ask it.
GROWTH_AT_MOST = 3.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """A target, what was measured, and whether that reaches it; None where it cannot be said."""

    of: str
    asked: str
    measured: str
    met: bool | None


def verdicts(tally: Tally) -> list[Verdict]:
    """Every target, held against the cases and the forests."""
    found = [verdict for case in tally.cases for verdict in _of_case(case)]
    return found + [verdict for forest in tally.forests for verdict in _of_forest(forest)]


def _of_case(case: CaseTally) -> Iterator[Verdict]:
    asked = case.asked
    yield _at_least(case, SOURCE, OURS, asked.edgeship)
    yield _at_least(case, PLAIN, OURS, 1.0)
    yield _at_least(case, SOURCE, LITERT, asked.litert)
    if asked.trees:
        for way, most in _TREES_AT_MOST.items():
            ratios = case.ratios(LITERT, way)
            met = statistics.median(ratios) <= most if ratios else None
            yield Verdict(f"{case.name}: {LITERT} ÷ {way}", f"≤ {most:g}", spread(ratios), met)
        yield _labels(case)
    for way, times in asked.smaller_than.items():
        sizes = case.times_as_large(way, LITERT)
        met = None if sizes is None else sizes >= times
        measured = spread([] if sizes is None else [sizes])
        yield Verdict(f"{case.name}: bytes, {way} ÷ {LITERT}", f"≥ {times:g}", measured, met)


def _at_least(case: CaseTally, way: str, over: str, asked: float) -> Verdict:
    ratios = case.ratios(way, over)
    met = statistics.median(ratios) >= asked if ratios else None
    return Verdict(f"{case.name}: {way} ÷ {over}", f"≥ {asked:g}", spread(ratios), met)


def _labels(case: CaseTally) -> Verdict:
    way = case.ways.get(LITERT)
    of = f"{case.name}: labels that differ in {LITERT}"
    if way is None:
        return Verdict(of, "0", "–", None)
    return Verdict(of, "0", f"{way.disagreements} of {case.rows}", way.disagreements == 0)


def _of_forest(forest: Forest) -> Iterator[Verdict]:
    if forest.name == MILLION:
        for form, made in forest.made.items():
            seconds, peak = made.convert_seconds, made.convert_peak_bytes
            yield Verdict(
                f"{forest.name}: {form} converted in",
                f"< {MILLION_SECONDS} s",
                f"{seconds:.1f} s",
                seconds < MILLION_SECONDS,
            )
            yield Verdict(
                f"{forest.name}: peak memory of that, {form}",
                f"< {MILLION_PEAK_BYTES / 1e9:g} GB",
                f"{peak / 1e9:.2f} GB",
                peak < MILLION_PEAK_BYTES,
            )
    for way, loading in forest.loaded.items():
        if forest.name == SMALL or not loading.form.startswith("tflite"):
            continue
        growth = forest.growth(way)
        yield Verdict(
            f"{forest.name}: memory ÷ file, {way}",
            f"≤ {GROWTH_AT_MOST:g}",
            spread([growth]),
            growth <= GROWTH_AT_MOST,
        )
        yield Verdict(
            f"{forest.name}: labels that differ, {way}",
            "0",
            f"{loading.disagreements} of {loading.rows}",
            loading.disagreements == 0,
        )


def spread(ratios: list[float]) -> str:
    """The median of the rounds' ratios, and the range of the middle half of them.

    >>> spread([2.0, 1.0, 4.0, 3.0, 5.0]), spread([20.0]), spread([])
    ('3.00 (2.00–4.00)', '20.0', '–')
    """
    if not ratios:
        return "–"
    middle = statistics.median(ratios)
    if len(ratios) == 1:
        return _three(middle)
    low, _, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return f"{_three(middle)} ({_three(low)}–{_three(high)})"


def _three(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:.1f}" if ratio < 100 else f"{ratio:.0f}"
