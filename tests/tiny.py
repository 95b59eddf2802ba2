"""A tiny but real bundle, made without any converter: softmax regression on three features."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from edgeship_runtime.arrays import Array
from edgeship_runtime.bundle import (
    Bundle,
    BundleWriter,
    Evidence,
    Goldens,
    InputSpec,
    Manifest,
    OutputError,
    OutputSpec,
    Quantization,
    SourceInfo,
    VariantSpec,
)

FEATURES = ("length", "width", "weight")
CLASSES = (0, 1)
WEIGHTS = np.array([[1.0, -1.0], [0.5, -0.5], [-2.0, 2.0]], np.float32)
ROWS = np.array([[1.0, 2.0, 0.1], [0.0, 0.0, 3.0], [5.0, 1.0, 1.0], [-1.0, 0.0, 2.0]], np.float32)


def onnx_model() -> bytes:
    """The model as ONNX: `x` [n, 3] float32 → `label` [n] int64, `probabilities` [n, 2] float32."""
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["x", "weights"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
            helper.make_node("ArgMax", ["logits"], ["label"], axis=1, keepdims=0),
        ],
        "tiny",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 3])],
        [
            helper.make_tensor_value_info("label", TensorProto.INT64, [None]),
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 2]),
        ],
        [numpy_helper.from_array(WEIGHTS, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def source_outputs(rows: Array) -> dict[str, Array]:
    """What the model gives for `rows`, computed by numpy."""
    logits = rows @ WEIGHTS
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
    return {"label": logits.argmax(axis=1).astype(np.int64), "probabilities": probabilities}


def manifest_and_files(baseline: bytes | None = None) -> tuple[Manifest, dict[str, bytes]]:
    """The bundle's manifest, and every other file that belongs to it."""
    goldens = source_outputs(ROWS)
    files = {
        "goldens/input-0.npy": npy(ROWS),
        "goldens/output-0.npy": npy(goldens["label"]),
        "goldens/output-1.npy": npy(goldens["probabilities"]),
        "variants/onnx-float32.onnx": onnx_model(),
    }
    if baseline is not None:
        files["baseline.json"] = baseline
    entries = {path: BundleWriter("unused").add(path, data) for path, data in files.items()}
    model = entries["variants/onnx-float32.onnx"]
    evidence = Evidence(
        rows=len(ROWS),
        rows_from="held-out",
        errors={"probabilities": OutputError(max_abs=1e-7, max_rel=1e-6, tolerance=1e-4)},
        label_flips=0,
        metric="accuracy",
        source_metric=1.0,
        variant_metric=1.0,
    )
    manifest = Manifest(
        name="tiny",
        version="1",
        task="classification",
        inputs=(InputSpec(name="x", dtype="float32", shape=(None, 3), feature_names=FEATURES),),
        outputs=(
            OutputSpec(name="label", dtype="int64", shape=(None,), role="label"),
            OutputSpec(
                name="probabilities", dtype="float32", shape=(None, 2), role="probabilities"
            ),
        ),
        classes=CLASSES,
        label_column="species",
        source=SourceInfo(kind="numpy", sha256="0" * 64),
        tools={"onnx": onnx.__version__},
        variants=(
            VariantSpec(
                name="onnx-float32",
                format="onnx",
                precision="float32",
                path=model.path,
                sha256=model.sha256,
                bytes=model.bytes,
                quantization=Quantization(),
                evidence=evidence,
            ),
        ),
        goldens=Goldens(
            rows=len(ROWS),
            inputs={"x": "goldens/input-0.npy"},
            outputs={"label": "goldens/output-0.npy", "probabilities": "goldens/output-1.npy"},
        ),
        baseline="baseline.json" if baseline is not None else None,
        files=tuple(entries[path] for path in sorted(entries)),
    )
    return manifest, files


def write(target: Path, baseline: bytes | None = None) -> Bundle:
    """Write the bundle to `target`, a folder or an `.edgeship` file."""
    manifest, files = manifest_and_files(baseline)
    writer = BundleWriter(target)
    for path, data in files.items():
        writer.add(path, data)
    return writer.write(manifest)


def npy(array: Array) -> bytes:
    """An array as the bytes of an `.npy` file."""
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    return stream.getvalue()
