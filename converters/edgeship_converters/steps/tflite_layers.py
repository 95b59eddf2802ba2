"""A float TFLite model whose layers are quantized one at a time."""

from __future__ import annotations

import copy
import os
from collections.abc import Collection
from functools import cached_property
from typing import Any

import numpy as np
from litert_quantizer import qtyping
from litert_quantizer.utils import tfl_flatbuffer_utils as flatbuffer

from edgeship_converters.artifact import Artifact, Task
from edgeship_converters.errors import StepError, in_a_line
from edgeship_converters.layer_names import LayerNames
from edgeship_converters.recipe import Recipe
from edgeship_converters.steps.layered import LayeredOp
from edgeship_converters.steps.tflite_ops import tflite_ops
from edgeship_converters.steps.tflite_quantize import quantize_with, rules_for
from edgeship_converters.steps.tflite_ranges import Ranges, tflite_ranges
from edgeship_runtime.arrays import Array, Arrays
from edgeship_runtime.engines.litert import LiteRT

_INT8 = 9  # TensorType.INT8 of the TFLite schema
# Multiplications in all, about half a minute on two cores of a workstation; an upper limit on
# rows as well, since more hardly move the order of the layers.
_WORK = 5e11
_FEWEST, _MOST = 16, 128


class TfliteLayers:
    """See `LayeredModel`."""

    def __init__(self, model: Artifact, task: Task) -> None:
        self.float_model = model.data
        self._task = task
        self._ranges: dict[tuple[Any, ...], Ranges] = {}

    @cached_property
    def ops(self) -> tuple[LayeredOp, ...]:
        """See `LayeredModel.ops`."""
        found = tflite_ops(self.float_model, LayerNames(self._task.layers))
        return tuple(LayeredOp(op.scope, op.layers, op.weights) for op in found)

    def enough_rows(self, models: int) -> int:
        """From 16 to 128, fewer the more the model multiplies."""
        parsed = flatbuffer.read_model(self.float_model)
        work = sum(_work(op, graph, parsed) for graph in parsed.subgraphs for op in graph.operators)
        return int(np.clip(_WORK / max(1, models * work), _FEWEST, _MOST))

    def ranges(self, recipe: Recipe) -> Ranges:
        """See `LayeredModel.ranges`."""
        how = (recipe.calibration, recipe.percentile, recipe.rows)
        if how not in self._ranges:
            rows = self._task.rows(recipe.rows)
            self._ranges[how] = tflite_ranges(self.float_model, rows, recipe)
        return copy.deepcopy(self._ranges[how])

    def alone(self, names: Collection[str], recipe: Recipe) -> bytes | None:
        """See `LayeredModel.alone`."""
        try:
            rules = rules_for(names, recipe, self.float_model)
            model = quantize_with(self.float_model, rules, self.ranges(recipe))
        except Exception as error:
            # As in tflite_quantize: the tool fails in many ways.
            raise StepError(
                f"{', '.join(names)} cannot be quantized: {in_a_line(error)}"
            ) from error
        tensors = (t for graph in flatbuffer.read_model(model).subgraphs for t in graph.tensors)
        return model if any(tensor.type == _INT8 for tensor in tensors) else None

    def run(self, model: bytes, rows: Arrays) -> dict[str, Array]:
        """See `LayeredModel.run`."""
        return LiteRT(model, threads=min(4, os.cpu_count() or 1)).run(rows)


def _work(op: qtyping.OperatorT, graph: qtyping.SubGraphT, model: qtyping.ModelT) -> int:
    """Multiplications for one row: each weight once for every place of the output."""
    constants = [
        graph.tensors[i]
        for i in op.inputs
        if i >= 0 and model.buffers[graph.tensors[i].buffer].data is not None
    ]
    weights = max((_size(t.shape) for t in constants if np.size(t.shape) > 1), default=0)
    output = graph.tensors[op.outputs[0]].shape if len(op.outputs) else ()
    return weights * _size(output[:-1]) if np.size(output) else 0


def _size(shape: Any) -> int:
    return int(np.prod(shape, dtype=np.int64))
