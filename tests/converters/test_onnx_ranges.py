"""Ranges of ONNX activations, against those that onnxruntime's own calibrator finds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from onnxruntime.quantization import CalibrationMethod
from onnxruntime.quantization.calibrate import create_calibrator

from edgeship_converters.recipe import load_recipes
from edgeship_converters.steps import onnx_ranges as ranges
from edgeship_converters.steps.onnx_quantize import OPS


def _model(path: Path, rows: int | str) -> Path:
    """Two inputs, one activation between them and the output."""
    random = np.random.default_rng(3)
    weights = numpy_helper.from_array(random.normal(size=(4, 3)).astype(np.float32), "w")
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["left", "w"], ["product"]),
            helper.make_node("Add", ["product", "right"], ["sum"]),
            helper.make_node("Relu", ["sum"], ["y"]),
        ],
        "two-inputs",
        [
            helper.make_tensor_value_info("left", onnx.TensorProto.FLOAT, [rows, 4]),
            helper.make_tensor_value_info("right", onnx.TensorProto.FLOAT, [rows, 3]),
        ],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [rows, 3])],
        [weights],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7)
    onnx.save(onnx.shape_inference.infer_shapes(model), path)
    return path


@pytest.mark.parametrize("free", ["rows", 1])
@pytest.mark.parametrize("batch_bytes", [1, 300, 2**20])
def test_least_and_largest_are_those_of_onnxruntime(
    tmp_path: Path, free: int | str, batch_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranges, "_BATCH_BYTES", batch_bytes)
    random = np.random.default_rng(5)
    rows = {
        "left": random.normal(size=(50, 4)).astype(np.float32),
        "right": random.normal(size=(50, 3)).astype(np.float32),
    }
    path = _model(tmp_path / "model.onnx", free)
    found = ranges.onnx_ranges(path, rows, load_recipes()["onnx-int8"], OPS)
    theirs = create_calibrator(
        path, OPS, str(tmp_path / "augmented.onnx"), calibrate_method=CalibrationMethod.MinMax
    )
    theirs.collect_data(ranges._Rows(rows))
    expected = theirs.compute_data()
    assert set(found.keys()) == set(expected.keys()) == {"left", "right", "product", "sum", "y"}
    for name in expected.keys():  # noqa: SIM118 - TensorsData is no mapping
        np.testing.assert_allclose(found[name].range_value, expected[name].range_value, rtol=1e-6)
