"""A tally as a page in Markdown: the targets first, then every figure."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence

from conversion.measured_on import told
from conversion.tally import CaseTally, Run, Tally
from conversion.targets import Verdict, points_lost, share, verdicts

VARIANTS = (
    "savedmodel-float32",
    "tflite-float32", "tflite-float16", "tflite-dynamic-int8",
    "tflite-int8", "tflite-int16x8", "tflite-int4",
    "onnx-float32", "onnx-float16", "onnx-dynamic-int8", "onnx-int8",
)  # fmt: skip
_METHOD = """\
Made by `python benchmarks/conversion/run.py --out DIR`; the models and rows are in
`benchmarks/conversion/`. Each way of converting runs in fresh processes, the two ways in turns; a
small model goes the same way before the clock starts, so that imports count for neither. Seconds
are medians over the rounds. *Bare tools* is the sum of the calls of each tool's own guide that
make the same variants: `model.export`, one TFLiteConverter each, litert-quantizer for 4 bits,
tf2onnx and onnxruntime, with the same calibration rows. *edgeship* makes them too, and proves each
on the judging rows; its cache is off. Models named `mnist-…` are trained on MNIST and judged by
accuracy on 2000 images that neither train nor calibrate, the autoencoder is trained on drawn
spectra; the others have drawn weights, so their errors say how the arithmetic differs, and their
label flips nothing about use."""


def page(tally: Tally) -> str:
    """The whole page."""
    parts = [
        "# Conversion: size, nearness, time, memory",
        _METHOD,
        _machine(tally),
        "## Targets",
        _targets(verdicts(tally)),
        "## Bytes",
        "Float32 in bytes; the others as a share of the float32 of their own format.",
        _by_variant(tally.cases, _bytes_cell),
        "## Difference from the source",
        "The largest absolute difference over all outputs and judging rows.",
        _by_variant(tally.cases, _error_cell),
        "## Accuracy and labels",
        "Trained: percentage points of accuracy lost (minus: gained). Others with labels: share of "
        "labels that flip.",
        _by_variant(tally.cases, _label_cell),
        "## Time and memory",
        "Both ratios leave out, on both sides, the steps for variants that the bare tools fail at.",
        _times(tally.cases),
        "## Left out",
        _left_out(tally),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _machine(tally: Tally) -> str:
    rounds = (len(case.edgeship) for case in tally.cases if case.edgeship)
    return told(tally.machine, rounds, tally.tools)


def _targets(judged: Sequence[Verdict]) -> str:
    rows = []
    for verdict in judged:
        count, missed = len(verdict.figures), verdict.missed
        worst = max(verdict.figures, key=lambda figure: figure.value, default=None)
        shown = "not measured" if worst is None else f"{worst.text} ({worst.of})"
        outcome = "–" if worst is None else f"{count - len(missed)} of {count}"
        names = "; ".join(f"{figure.of} {figure.text}" for figure in missed) or "none"
        rows.append([verdict.target, shown, outcome, names if worst else "–"])
    return table(["target", "worst", "reached", "missed"], rows)


def _by_variant(cases: Sequence[CaseTally], cell: Callable[[CaseTally, str], str]) -> str:
    """A row for each model, a column for each variant that any model has."""
    made = {variant for case in cases for variant in case.variants}
    variants = [variant for variant in VARIANTS if variant in made]
    variants += sorted(made.difference(VARIANTS))
    rows = [
        [case.name, *(cell(case, v) if v in case.variants else "–" for v in variants)]
        for case in cases
    ]
    return table(["model", *variants], rows)


def _bytes_cell(case: CaseTally, variant: str) -> str:
    part = share(case, variant)
    if part is None or variant.endswith("-float32"):
        return grouped(case.variants[variant].bytes)
    return f"{part:.3f}"


def _error_cell(case: CaseTally, variant: str) -> str:
    return f"{case.variants[variant].max_abs:.2g}"


def _label_cell(case: CaseTally, variant: str) -> str:
    lost = points_lost(case, variant)
    if lost is not None:
        return f"{lost:.2f}"
    given = case.variants[variant]
    return "–" if given.label_flips is None else f"{given.label_flips / given.rows:.1%} flip"


def _times(cases: Sequence[CaseTally]) -> str:
    rows = []
    for case in cases:
        ours, bare = case.edgeship, case.bare
        rows.append(
            [
                case.name,
                grouped(case.parameters),
                _seconds(run.seconds for run in ours),
                _seconds(run.proving() for run in ours),
                _seconds(run.seconds for run in bare),
                _ratio(case.ratio()),
                _ratio(case.ratio(with_proving=False)),
                _peak(ours),
                _peak(bare),
            ]
        )
    head = ["model", "parameters", "edgeship", "of it proving", "bare tools", "ratio"]
    return table([*head, "ratio without proving", "peak, edgeship", "peak, bare"], rows)


def _ratio(ratio: float | None) -> str:
    return "–" if ratio is None else f"{ratio:.2f}"


def _seconds(given: Iterable[float]) -> str:
    measured = list(given)
    return f"{statistics.median(measured):.1f} s" if measured else "–"


def _peak(runs: Sequence[Run]) -> str:
    return f"{max(run.peak_bytes for run in runs) / 1e9:.2f} GB" if runs else "–"


def _left_out(tally: Tally) -> str:
    rows = [
        [case.name, variant, "edgeship", reason]
        for case in tally.cases
        for variant, reason in case.refused.items()
    ]
    rows += [
        [case.name, variant, "bare tools", reason]
        for case in tally.cases
        for variant, reason in (case.bare[0].failed if case.bare else {}).items()
    ]
    rows += [[name, "all", "the suite", reason] for name, reason in tally.skipped.items()]
    return table(["model", "variant", "by", "reason"], rows) if rows else "Nothing."


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown; bars in cells are escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines
    )


def grouped(number: int) -> str:
    """A whole number with a space between each three digits.

    >>> grouped(2547384)
    '2 547 384'
    """
    return f"{number:,}".replace(",", " ")
