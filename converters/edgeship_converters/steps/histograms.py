"""Ranges from histograms of all values seen, by onnxruntime's collector."""

from __future__ import annotations

import os
from typing import Any

# As in edgeship_runtime.engines.onnx_runtime.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

from onnxruntime.quantization.calibrate import HistogramCollector

from edgeship_converters.recipe import Recipe
from edgeship_runtime.arrays import Array

# Onnxruntime's entropy calibration looks for ends among 128 bins to be held in 128, and so finds
# but one choice; finer bins give it some.
BINS = {"percentile": 2048, "entropy": 512}
QUANTIZED_BINS = 128


class Histograms:
    """Counts of the values of named tensors, batch by batch, and the ends that they suggest."""

    def __init__(self, how: Recipe) -> None:
        """Prepare for the recipe's `percentile` or `entropy`."""
        method: Any = how.calibration
        self._collector = HistogramCollector(
            method=method,
            symmetric=False,
            num_bins=BINS[method],
            num_quantized_bins=QUANTIZED_BINS,
            percentile=how.percentile,
            scenario="same",
        )

    def update(self, values: dict[str, Array]) -> None:
        """Count the values of each tensor; tensors without any are passed over."""
        self._collector.collect({name: [held] for name, held in values.items() if held.size})

    def ends(self) -> dict[str, tuple[Array, Array]]:
        """The least and the largest value to be represented, by tensor name."""
        found = self._collector.compute_collection_result()
        return {name: (ends[0], ends[1]) for name, ends in found.items()}
