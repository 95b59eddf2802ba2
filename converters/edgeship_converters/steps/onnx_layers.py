"""A float ONNX model whose layers are quantized one at a time."""

from __future__ import annotations

import copy
import math
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import onnx

from edgeship_converters.artifact import Artifact, Task
from edgeship_converters.errors import StepError, in_a_line
from edgeship_converters.layer_names import LayerNames
from edgeship_converters.recipe import Recipe
from edgeship_converters.steps.layered import LayeredOp
from edgeship_converters.steps.onnx_nodes import node_layers
from edgeship_converters.steps.onnx_quantize import OPS, prepared, quantize_with
from edgeship_converters.steps.onnx_ranges import onnx_ranges
from edgeship_runtime.arrays import Array, Arrays
from edgeship_runtime.engines.onnx_runtime import OnnxRuntime

_ROWS = 64


class OnnxLayers:
    """See `LayeredModel`."""

    def __init__(self, model: Artifact, task: Task) -> None:
        self.float_model = model.data
        self._artifact = model
        self._task = task
        self._ranges: dict[tuple[Any, ...], Any] = {}

    @cached_property
    def _prepared(self) -> bytes:
        with prepared(self._artifact, self._task) as path:
            return path.read_bytes()

    @contextmanager
    def _on_disk(self) -> Iterator[Path]:
        """The prepared model in a file, which is how onnxruntime's tools take it."""
        with tempfile.TemporaryDirectory(prefix="edgeship-") as folder:
            path = Path(folder) / "prepared.onnx"
            path.write_bytes(self._prepared)
            yield path

    @cached_property
    def ops(self) -> tuple[LayeredOp, ...]:
        """See `LayeredModel.ops`; those only that can be quantized."""
        model = onnx.load_model_from_string(self._prepared)
        owners = node_layers(model, LayerNames(self._task.layers))
        sizes = {t.name: _bytes(t) for t in model.graph.initializer}
        return tuple(
            LayeredOp(node.name, owners[node.name], sum(sizes.get(i, 0) for i in node.input))
            for node in model.graph.node
            if node.name and node.op_type in OPS
        )

    def enough_rows(self, models: int) -> int:
        """64."""
        return _ROWS

    def ranges(self, recipe: Recipe) -> Any:
        """See `LayeredModel.ranges`."""
        how = (recipe.calibration, recipe.percentile, recipe.rows)
        if how not in self._ranges:
            rows = self._task.rows(recipe.rows)
            with self._on_disk() as path:
                self._ranges[how] = onnx_ranges(path, rows, recipe, OPS)
        return copy.deepcopy(self._ranges[how])

    def alone(self, names: Collection[str], recipe: Recipe) -> bytes | None:
        """See `LayeredModel.alone`."""
        try:
            ranges = self.ranges(recipe)
            with self._on_disk() as path:
                model = quantize_with(path, ranges, recipe, only=list(names)).data
        except Exception as error:
            # onnxruntime's own exceptions share no base but Exception.
            raise StepError(
                f"{', '.join(names)} cannot be quantized: {in_a_line(error)}"
            ) from error
        nodes = onnx.load_model_from_string(model).graph.node
        return model if any(node.op_type == "QuantizeLinear" for node in nodes) else None

    def run(self, model: bytes, rows: Arrays) -> dict[str, Array]:
        """See `LayeredModel.run`."""
        return OnnxRuntime(model).run(rows)


def _bytes(tensor: onnx.TensorProto) -> int:
    itemsize = int(onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize)
    return math.prod(int(size) for size in tensor.dims) * itemsize
