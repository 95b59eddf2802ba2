"""One small network as a bundle of four variants, for tests of the engines: made in seconds."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from litert_quantizer import quantizer, recipe
from onnx import TensorProto, helper, numpy_helper

from edgeship_runtime.arrays import Array
from edgeship_runtime.bundle import (
    Bundle,
    BundleWriter,
    Evidence,
    FileSpec,
    Goldens,
    InputSpec,
    Manifest,
    OutputError,
    OutputSpec,
    Quantization,
    QuantizedTensor,
    SourceInfo,
    VariantSpec,
)
from edgeship_runtime.bundle.manifest import Format
from edgeship_runtime.bundle.reader import variant_hash
from tests.tiny import npy

_RNG = np.random.default_rng(7)
_HIDDEN = _RNG.normal(size=(8, 16)).astype(np.float32)
_OUT = _RNG.normal(size=(16, 3)).astype(np.float32)
ROWS = _RNG.normal(size=(64, 8)).astype(np.float32)


def source(rows: Array) -> Array:
    """The network's probabilities [n, 3] for rows [n, 8], by numpy in float64."""
    logits = np.maximum(rows.astype(np.float64) @ _HIDDEN, 0.0) @ _OUT * 0.2
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def saved_model(folder: Path) -> dict[str, bytes]:
    """The network as a SavedModel's files, by path within it."""

    class Network(tf.Module):  # type: ignore[misc]
        @tf.function(input_signature=[tf.TensorSpec([None, 8], tf.float32, name="x")])  # type: ignore[untyped-decorator]
        def __call__(self, x: Any) -> Any:
            logits = tf.matmul(tf.nn.relu(tf.matmul(x, _HIDDEN)), _OUT) * 0.2
            return {"probabilities": tf.nn.softmax(logits)}

    network = Network()
    tf.saved_model.save(network, str(folder), signatures={"serving_default": network.__call__})
    return read(folder)


def read(folder: Path) -> dict[str, bytes]:
    """The files below `folder`, by path within it."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def tflite(folder: Path) -> bytes:
    """The SavedModel as float TFLite."""
    return bytes(tf.lite.TFLiteConverter.from_saved_model(str(folder)).convert())


def int8(model: bytes) -> bytes:
    """The TFLite model with int8 weights, activations, input and output."""
    work = quantizer.Quantizer(model, recipe.static_wi8_ai8())
    # All rows as one sample: the calibrator averages the ranges of samples, and the range of a
    # single row is too narrow for the others.
    samples = [{"x": ROWS}]
    with warnings.catch_warnings():
        # The calibrator keeps all tensors on purpose, and is warned of the memory that takes.
        warnings.filterwarnings("ignore", ".*experimental_preserve_all_tensors", UserWarning)
        calibrated = work.calibrate({"serving_default": samples})
        return bytes(work.quantize(calibrated).quantized_model)


def quantization(model: bytes) -> Quantization:
    """The parameters of a TFLite model's own input and output."""
    runner = Interpreter(model_content=model).get_signature_runner("serving_default")

    def tensors(details: dict[str, Any]) -> dict[str, QuantizedTensor]:
        return {
            name: QuantizedTensor(
                dtype="int8",
                scale=float(detail["quantization"][0]),
                zero_point=int(detail["quantization"][1]),
            )
            for name, detail in details.items()
            if detail["dtype"] == np.int8
        }

    return Quantization(
        inputs=tensors(runner.get_input_details()), outputs=tensors(runner.get_output_details())
    )


def onnx_model() -> bytes:
    """The network as ONNX."""
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["x", "hidden"], ["before"]),
            helper.make_node("Relu", ["before"], ["after"]),
            helper.make_node("MatMul", ["after", "out"], ["scores"]),
            helper.make_node("Mul", ["scores", "scale"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        ],
        "network",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 8])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 3])],
        [
            numpy_helper.from_array(_HIDDEN, "hidden"),
            numpy_helper.from_array(_OUT, "out"),
            numpy_helper.from_array(np.array(0.2, np.float32), "scale"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def files(folder: Path) -> dict[str, bytes]:
    """The files of all four variants, by path within the bundle."""
    saved = saved_model(folder)
    small = tflite(folder)
    return {
        **{f"variants/savedmodel-float32/1/{path}": data for path, data in saved.items()},
        "variants/tflite-float32.tflite": small,
        "variants/tflite-int8.tflite": int8(small),
        "variants/onnx-float32.onnx": onnx_model(),
    }


def write(
    target: Path,
    variants: dict[str, bytes],
    damage: Callable[[bytes], bytes] = bytes,
    golden: Callable[[Array], Array] = source,
) -> Bundle:
    """A bundle of the variants' files, each put through `damage` first."""
    writer = BundleWriter(target)
    goldens = {
        "goldens/input-0.npy": npy(ROWS[:8]),
        "goldens/output-0.npy": npy(golden(ROWS[:8]).astype(np.float32)),
    }
    damaged = {path: damage(data) for path, data in variants.items()}
    entries = [writer.add(path, data) for path, data in sorted({**goldens, **damaged}.items())]
    manifest = Manifest(
        name="network",
        version="1",
        task="classification",
        inputs=(InputSpec(name="x", dtype="float32", shape=(None, 8)),),
        outputs=(
            OutputSpec(
                name="probabilities", dtype="float32", shape=(None, 3), role="probabilities"
            ),
        ),
        classes=("low", "middle", "high"),
        source=SourceInfo(kind="numpy", sha256="0" * 64),
        tools={},
        variants=(
            _variant("savedmodel", "float32", "variants/savedmodel-float32", entries),
            _variant("tflite", "float32", "variants/tflite-float32.tflite", entries),
            _variant(
                "tflite",
                "int8",
                "variants/tflite-int8.tflite",
                entries,
                quantization(variants["variants/tflite-int8.tflite"]),
            ),
            _variant("onnx", "float32", "variants/onnx-float32.onnx", entries),
        ),
        goldens=Goldens(
            rows=8,
            inputs={"x": "goldens/input-0.npy"},
            outputs={"probabilities": "goldens/output-0.npy"},
        ),
        files=tuple(entries),
    )
    return writer.write(manifest)


def _variant(
    format: Format,
    precision: str,
    path: str,
    entries: list[FileSpec],
    quantization: Quantization | None = None,
) -> VariantSpec:
    own = [file for file in entries if file.path == path or file.path.startswith(path + "/")]
    tolerance = 0.05 if precision == "int8" else 1e-5
    error = OutputError(max_abs=tolerance, max_rel=tolerance, tolerance=tolerance)
    return VariantSpec(
        name=f"{format}-{precision}",
        format=format,
        precision=precision,
        path=path,
        sha256=variant_hash(path, own),
        bytes=sum(file.bytes for file in own),
        quantization=quantization or Quantization(),
        evidence=Evidence(rows=64, rows_from="held-out", errors={"probabilities": error}),
    )
