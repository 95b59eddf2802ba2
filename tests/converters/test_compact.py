"""Compaction changes bytes, never answers."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import onnx
import pytest

from edgeship_converters.layer_names import LayerNames
from edgeship_converters.steps import onnx_compact, tflite_compact
from edgeship_runtime.arrays import Array
from edgeship_runtime.bundle import Bundle
from edgeship_runtime.engines.litert import LiteRT
from edgeship_runtime.engines.onnx_runtime import OnnxRuntime

LAYERS = LayerNames(["probabilities"])


@pytest.fixture(scope="module")
def images(digits: Path) -> Array:
    """Rows of the digits model."""
    held: Array = np.load(digits / "digits-test.npz")["image"]
    return held


@pytest.mark.parametrize("variant", ["tflite-float32", "tflite-int8", "tflite-dynamic-int8"])
def test_a_compacted_tflite_file_is_smaller_and_gives_the_same_bits(
    digits_bundle: Path, images: Array, variant: str
) -> None:
    bundle = Bundle.open(digits_bundle)
    given = bundle.artifact(bundle.manifest.variant(variant))
    compacted = tflite_compact.compact(given, LAYERS)
    assert len(compacted) <= len(given)
    inputs = {"image": images}
    np.testing.assert_array_equal(
        LiteRT(compacted).run(inputs)["probabilities"], LiteRT(given).run(inputs)["probabilities"]
    )


def test_a_compacted_file_compacts_no_further(digits_bundle: Path) -> None:
    bundle = Bundle.open(digits_bundle)
    for variant, compact in (
        ("tflite-int8", tflite_compact.compact),
        ("onnx-int8", onnx_compact.compact),
    ):
        given = bundle.artifact(bundle.manifest.variant(variant))
        once = compact(given, LAYERS)
        assert len(compact(once, LAYERS)) <= len(once)


def test_a_compacted_onnx_file_is_smaller_valid_and_gives_the_same_bits(
    digits_bundle: Path, images: Array
) -> None:
    bundle = Bundle.open(digits_bundle)
    given = bundle.artifact(bundle.manifest.variant("onnx-float32"))
    compacted = onnx_compact.compact(given, LAYERS)
    assert len(compacted) < len(given)
    model = onnx.load_model_from_string(compacted)
    onnx.checker.check_model(model)
    inputs = {"image": images}
    np.testing.assert_array_equal(
        OnnxRuntime(compacted).run(inputs)["probabilities"],
        OnnxRuntime(given).run(inputs)["probabilities"],
    )


def test_values_are_named_after_their_layers(digits: Path, digits_bundle: Path) -> None:
    layers = [layer.name for layer in keras.saving.load_model(digits / "digits.keras").layers]
    bundle = Bundle.open(digits_bundle)
    given = bundle.artifact(bundle.manifest.variant("onnx-float32"))
    model = onnx.load_model_from_string(onnx_compact.compact(given, LayerNames(layers)))
    names = {name.split(".")[0] for node in model.graph.node for name in node.output}
    computing = {name for name in layers if not name.startswith(("dropout", "image"))}
    assert computing <= names


def test_constants_in_loops_and_equal_constants_are_told_apart_from_values() -> None:
    body = onnx.parser.parse_graph(
        """
        body (int64 i, bool keep, float[2] state) => (bool again, float[2] next)
        <float[2] one = {1, 1}> {
            again = Identity(keep)
            next = Add(state, one)
        }
        """
    )
    model = onnx.parser.parse_model(
        """
        <ir_version: 8, opset_import: ["" : 15]>
        looped (float[2] x) => (float[2] y)
        <int64 trips = {3}, float[2] a = {2, 2}, float[2] b = {2, 2}> {
            scaled = Mul(x, a)
            shifted = Mul(scaled, b)
            yes = Constant<value: tensor = bool {1}>()
        }
        """
    )
    loop = onnx.helper.make_node("Loop", ["trips", "yes", "shifted"], ["y"], body=body)
    model.graph.node.append(loop)
    onnx.checker.check_model(model)
    compacted = onnx_compact.compact(model.SerializeToString(), LayerNames([]))
    onnx.checker.check_model(onnx.load_model_from_string(compacted))
    assert len(onnx.load_model_from_string(compacted).graph.initializer) == 2
    outputs = OnnxRuntime(compacted).run({"x": np.array([1, 2], np.float32)})
    np.testing.assert_array_equal(outputs["y"], [7, 11])
