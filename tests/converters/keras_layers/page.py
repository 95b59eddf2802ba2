"""docs/keras-layers.md: what becomes of each layer in each format, with the counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from platform import python_version

from tests.converters.keras_layers.case import Case
from tests.converters.keras_layers.outcome import FORMATS
from tests.converters.keras_layers.reasons import NOT_AT_INFERENCE, REASONS

_TITLES = {"savedmodel": "SavedModel", "tflite": "TFLite", "onnx": "ONNX"}
_TOOLS = ("keras", "tensorflow-cpu", "tf2onnx", "onnx", "onnxruntime", "ai-edge-litert", "numpy")


def page(cases: Sequence[Case]) -> str:
    """The page in Markdown, for cases that were found to be as their table says."""
    used = [key for key in REASONS if any(key in case.refused.values() for case in cases)]
    numbers = {key: place for place, key in enumerate(used, start=1)}
    lines = [
        "# Keras layers",
        "",
        "Every layer of Keras 3 that makes sense at inference, converted to each format in float32 "
        "and held against the Keras model, on 70 rows, in batches that the trace did not have, "
        "and where the length or size is free on two of them. Weights, biases and moving averages "
        "are random. ✓ is parity with the source within the limits of float32; a number is a "
        "refusal, which names the layer and the remedy. None is converted and wrong.",
        "",
        "Made by `python -m tests.converters.keras_layers`, which runs every case; "
        "`pytest -m slow tests/converters/test_keras_layers.py` does the same as a test.",
        "",
        *(f"- {_TITLES[format]}: {count(cases, format)}" for format in FORMATS),
        "",
        "| layer | cases | SavedModel | TFLite | ONNX |",
        "|---|---|---|---|---|",
        *_rows(cases, numbers),
        "",
        "Refusals:",
        "",
        *(f"{numbers[key]}. {REASONS[key]}." for key in used),
        "",
        "Not at inference, or no layers of their own:",
        "",
        *(f"- {layer}: {why}." for layer, why in NOT_AT_INFERENCE.items()),
        "",
        f"With Python {python_version()}, {', '.join(f'{t} {version(t)}' for t in _TOOLS)}.",
    ]
    return "\n".join(lines) + "\n"


def count(cases: Sequence[Case], format: str) -> str:
    """How many cases of how many layers convert, and how many are refused."""
    refused = sum(format in case.refused for case in cases)
    layers = len({case.layer for case in cases})
    return (
        f"{len(cases)} cases of {layers} layers: {len(cases) - refused} converted with parity, "
        f"{refused} refused"
    )


def _rows(cases: Sequence[Case], numbers: Mapping[str, int]) -> list[str]:
    by_layer: dict[str, list[Case]] = {}
    for case in cases:
        by_layer.setdefault(case.layer, []).append(case)
    return [
        f"| {layer} | {len(group)} | "
        + " | ".join(_cell(group, format, numbers) for format in FORMATS)
        + " |"
        for layer, group in sorted(by_layer.items())
    ]


def _cell(group: Sequence[Case], format: str, numbers: Mapping[str, int]) -> str:
    refused = [case for case in group if format in case.refused]
    if not refused:
        return "✓"
    if len(refused) == len(group):
        return ", ".join(str(n) for n in sorted({numbers[c.refused[format]] for c in refused}))
    return "✓, but " + ", ".join(
        f"{case.option or 'plain'}: {numbers[case.refused[format]]}" for case in refused
    )
