"""What conversion is held to, and whether a tally reaches it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from conversion.tally import CaseTally, Tally

SMALL_PARAMETERS = 50_000
INT8_SHARE = 0.30
INT4_SHARE = 0.20
INT8_POINTS = 0.5
INT16X8_POINTS = 0.1
TIME_RATIO = 1.25
PEAK_BYTES = 3_000_000_000


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure that a target judges: of which case and what, and the text that shows it."""

    of: str
    value: float
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """A target, in words, with every figure that it judges."""

    target: str
    limit: float
    figures: tuple[Figure, ...]

    @property
    def missed(self) -> tuple[Figure, ...]:
        """The figures above the limit."""
        return tuple(figure for figure in self.figures if figure.value > self.limit)


def verdicts(tally: Tally) -> list[Verdict]:
    """Every target, held against all cases that it speaks of."""
    return [
        _verdict(
            tally,
            f"int8 bytes ≤ {INT8_SHARE:.2f} × float32, CNN or MLP above 50 k parameters",
            INT8_SHARE,
            lambda case: _shares(case, ("tflite-int8", "onnx-int8")),
        ),
        _verdict(
            tally,
            f"int4 bytes ≤ {INT4_SHARE:.2f} × float32, the same models",
            INT4_SHARE,
            lambda case: _shares(case, ("tflite-int4",)),
        ),
        _verdict(
            tally,
            f"int8 accuracy within {INT8_POINTS} points of float, trained",
            INT8_POINTS,
            lambda case: _lost(case, ("tflite-int8", "onnx-int8")),
        ),
        _verdict(
            tally,
            f"int16x8 accuracy within {INT16X8_POINTS} points of float, trained",
            INT16X8_POINTS,
            lambda case: _lost(case, ("tflite-int16x8",)),
        ),
        _verdict(
            tally, f"time ≤ {TIME_RATIO} × the bare tool calls, proving included", TIME_RATIO, _time
        ),
        _verdict(tally, "peak memory under 3 GB", PEAK_BYTES, _peak),
    ]


def share(case: CaseTally, variant: str) -> float | None:
    """A variant's bytes over those of the float32 of its format; None where either is missing."""
    base = case.variants.get(f"{variant.partition('-')[0]}-float32")
    given = case.variants.get(variant)
    return given.bytes / base.bytes if given and base else None


def points_lost(case: CaseTally, variant: str) -> float | None:
    """Percentage points of accuracy below the source's; None for a case without accuracy."""
    given = case.variants.get(variant)
    if given is None or given.accuracy is None or given.source_accuracy is None:
        return None
    # Accuracies are whole rows over their number: what lies beyond is rounding of the floats.
    return round(100 * (given.source_accuracy - given.accuracy), 9)


def _verdict(
    tally: Tally, target: str, limit: float, figures: Callable[[CaseTally], Iterator[Figure]]
) -> Verdict:
    return Verdict(target, limit, tuple(f for case in tally.cases for f in figures(case)))


def _shares(case: CaseTally, variants: tuple[str, ...]) -> Iterator[Figure]:
    if case.family not in ("cnn", "mlp") or case.parameters <= SMALL_PARAMETERS:
        return
    for variant in variants:
        found = share(case, variant)
        if found is not None:
            yield Figure(f"{case.name} {variant}", found, f"{found:.3f}")


def _lost(case: CaseTally, variants: tuple[str, ...]) -> Iterator[Figure]:
    for variant in variants:
        lost = points_lost(case, variant) if case.trained else None
        if lost is not None:
            yield Figure(f"{case.name} {variant}", lost, f"{lost:+.2f} points lost")


def _time(case: CaseTally) -> Iterator[Figure]:
    ratio = case.ratio()
    if ratio is not None:
        yield Figure(case.name, ratio, f"{ratio:.2f}")


def _peak(case: CaseTally) -> Iterator[Figure]:
    if case.edgeship:
        most = max(run.peak_bytes for run in case.edgeship)
        yield Figure(case.name, most, f"{most / 1e9:.2f} GB")
