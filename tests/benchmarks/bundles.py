"""Bundles of several variants, made from the tiny one without any converter."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from edgeship_runtime.arrays import Array
from edgeship_runtime.bundle import Bundle, BundleWriter, Goldens, Manifest, OutputSpec, VariantSpec
from edgeship_runtime.bundle.manifest import Format
from tests import tiny


def several(target: Path) -> Bundle:
    """The tiny classifier three times: exact, with the labels swapped, and as a broken TFLite."""
    manifest, files = tiny.manifest_and_files()
    exact = manifest.variants[0]
    return write(
        target,
        manifest,
        files,
        [
            (exact, "tflite", "int8", b"this is no flatbuffer"),
            (exact, "onnx", "float32", tiny.onnx_model()),
            (exact, "onnx", "int8", classifier(-tiny.WEIGHTS)),
        ],
    )


def regressions(target: Path, *others: bytes) -> Bundle:
    """The sum of three features as `onnx-float32`, and `others` as `onnx-int8`, `onnx-float16`."""
    manifest, files = tiny.manifest_and_files()
    total = tiny.ROWS.sum(axis=1, keepdims=True)
    files = {"goldens/input-0.npy": tiny.npy(tiny.ROWS), "goldens/output-0.npy": tiny.npy(total)}
    manifest = msgspec.structs.replace(
        manifest,
        task="regression",
        outputs=(OutputSpec(name="value", dtype="float32", shape=(None, 1), role="value"),),
        classes=None,
        goldens=Goldens(
            rows=len(tiny.ROWS),
            inputs={"x": "goldens/input-0.npy"},
            outputs={"value": "goldens/output-0.npy"},
        ),
    )
    evidence = msgspec.structs.replace(
        manifest.variants[0].evidence, errors={}, label_flips=None, metric="r2"
    )
    like = msgspec.structs.replace(manifest.variants[0], evidence=evidence)
    models = [linear(np.ones((3, 1), np.float32)), *others]
    precisions = ("float32", "int8", "float16")
    parts: list[tuple[VariantSpec, Format, str, bytes]] = [
        (like, "onnx", precision, model)
        for precision, model in zip(precisions, models, strict=False)
    ]
    return write(target, manifest, files, parts)


def write(
    target: Path,
    manifest: Manifest,
    files: dict[str, bytes],
    parts: list[tuple[VariantSpec, Format, str, bytes]],
) -> Bundle:
    """Write a bundle whose variants are `parts`: one to be like, format, precision and content."""
    writer = BundleWriter(target)
    entries = [
        writer.add(path, data) for path, data in files.items() if not path.startswith("variants/")
    ]
    variants = []
    for like, format, precision, data in parts:
        name = f"{format}-{precision}"
        entry = writer.add(f"variants/{name}.{format}", data)
        entries.append(entry)
        variants.append(
            msgspec.structs.replace(
                like,
                name=name,
                format=format,
                precision=precision,
                path=entry.path,
                sha256=entry.sha256,
                bytes=entry.bytes,
            )
        )
    entries.sort(key=lambda entry: entry.path)
    return writer.write(
        msgspec.structs.replace(manifest, variants=tuple(variants), files=tuple(entries))
    )


def classifier(weights: Array) -> bytes:
    """The tiny model with other weights."""
    model = onnx.load_from_string(tiny.onnx_model())
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(weights, "weights"))
    return bytes(model.SerializeToString(deterministic=True))


def linear(weights: Array) -> bytes:
    """`x` [n, 3] float32 → `value` [n, 1] float32, a product with `weights`."""
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "weights"], ["value"])],
        "linear",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 3])],
        [helper.make_tensor_value_info("value", TensorProto.FLOAT, [None, 1])],
        [numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    return bytes(model.SerializeToString(deterministic=True))
