"""The figures in docs/decisions, measured anew: `python benchmarks/decision_figures.py`."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from litert_quantizer import quantizer, recipe
from onnxruntime import InferenceSession
from skl2onnx import to_onnx
from sklearn.ensemble import RandomForestClassifier

from edgeship_converters.artifact import Artifact, Task
from edgeship_converters.recipe import load_recipes
from edgeship_converters.sources.keras_model import KerasSource
from edgeship_converters.sources.sklearn_model import SklearnSource
from edgeship_converters.steps.savedmodel_to_tflite import savedmodel_to_tflite
from edgeship_converters.steps.sklearn_to_onnx import sklearn_to_onnx
from edgeship_converters.steps.tflite_quantize import tflite_quantize
from edgeship_converters.steps.to_savedmodel import to_savedmodel
from edgeship_runtime.arrays import Array, Arrays
from edgeship_runtime.engines.litert import LiteRT
from edgeship_runtime.quantize import dequantize, quantize
from edgeship_runtime.quiet import quiet


def main() -> None:
    """Print one line for each figure."""
    lines = []
    with quiet():
        for measure in (quantizing_time, saved_model_bytes, calibration_error, tied_votes):
            lines += measure()
    print("\n".join(lines))  # noqa: T201


def digits_cnn() -> KerasSource:
    """A CNN as the demo's, not trained: size and time do not depend on the weights."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1), name="image"),
            layers.Conv2D(32, 3, activation="relu", padding="same"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu", padding="same"),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(10, activation="softmax", name="probabilities"),
        ]
    )
    return KerasSource(model, "0" * 64)


def quantizing_time() -> list[str]:
    """0003: dynamic int8 by litert-quantizer from the float file, and by TFLiteConverter."""
    source = digits_cnn()
    task = Task("digits", source.contract)
    folder = to_savedmodel(source, task)
    tflite = savedmodel_to_tflite(folder, task)

    def by_quantizer() -> None:
        quantizer.Quantizer(tflite.data, recipe.dynamic_wi8_afp32()).quantize()

    def by_converter() -> None:
        with tempfile.TemporaryDirectory() as root:
            path = folder.write_to(Path(root)) / "1"
            converter = tf.lite.TFLiteConverter.from_saved_model(str(path))
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.convert()

    fast, slow = seconds(by_quantizer), seconds(by_converter)
    return [
        f"0003 dynamic int8 by litert-quantizer: {fast * 1e3:.0f} ms, "
        f"by TFLiteConverter: {slow * 1e3:.0f} ms"
    ]


def seconds(action: Callable[[], None]) -> float:
    """The median of five runs after one that is not counted."""
    action()
    times = []
    for _ in range(5):
        began = time.perf_counter()
        action()
        times.append(time.perf_counter() - began)
    return float(np.median(times))


def saved_model_bytes() -> list[str]:
    """0004: the folder of `model.export`, and ours."""
    source = digits_cnn()
    ours = to_savedmodel(source, Task("digits", source.contract))
    with tempfile.TemporaryDirectory() as root:
        source.model.export(str(Path(root) / "1"), verbose=False)
        theirs = Artifact.of_folder(Path(root))
    return [
        f"0004 SavedModel by model.export: {total(theirs) / 1000:.0f} kB, "
        f"ours: {total(ours) / 1000:.0f} kB"
    ]


def total(artifact: Artifact) -> int:
    """Bytes of all files."""
    return sum(len(data) for data in artifact.files.values())


def calibration_error() -> list[str]:
    """0005: the largest int8 error with smoothed ranges, and with least and largest."""
    keras.utils.set_random_seed(1)
    inputs = keras.Input((7,), name="x")
    outputs = layers.Dense(2, name="y")(layers.Dense(5)(inputs))
    source = KerasSource(keras.Model(inputs, outputs), "0" * 64)
    rows = {"x": np.random.default_rng(0).normal(size=(60, 7)).astype(np.float32)}
    task = Task("dense", source.contract, rows)
    tflite = savedmodel_to_tflite(to_savedmodel(source, task), task)
    exact = LiteRT(tflite.data).run(rows)["y"]
    tool = quantizer.Quantizer(tflite.data, recipe.static_wi8_ai8())
    one_by_one = [{"x": rows["x"][index : index + 1]} for index in range(60)]
    smoothed = tool.quantize(tool.calibrate({"serving_default": one_by_one}, num_threads=1))
    ours = tflite_quantize(tflite, replace(task, io="int8", recipe=load_recipes()["tflite-int8"]))
    errors = [
        float(np.abs(int8_outputs(model, rows) - exact).max())
        for model in (bytes(smoothed.quantized_model), ours.data)
    ]
    return [
        f"0005 largest int8 error on outputs up to {np.abs(exact).max():.1f}: smoothed ranges "
        f"{errors[0]:.2f}, least and largest {errors[1]:.3f}"
    ]


def int8_outputs(model: bytes, rows: Arrays) -> Array:
    """A model's output in real numbers, by the parameters in its own file."""
    from edgeship_converters.steps.tflite_quantize import quantization_of

    parameters = quantization_of(model)
    outputs = LiteRT(model).run({"x": quantize(rows["x"], parameters.inputs["x"])})
    return dequantize(outputs["y"], parameters.outputs["y"])


def tied_votes() -> list[str]:
    """0006: labels flipped among tied votes of a forest, through skl2onnx and through ours."""
    random = np.random.default_rng(3)
    fitted = random.normal(size=(300, 4))
    forest = RandomForestClassifier(100, random_state=3).fit(fitted, random.integers(0, 2, 300))
    rows = random.normal(size=(4000, 4)).astype(np.float32)
    ties = rows[forest.predict_proba(rows)[:, 0] == 0.5]
    source = SklearnSource(forest, "0" * 64)
    expected = source.predict({"x": ties})["label"]
    options: dict[Any, Any] = {id(forest): {"zipmap": False}}
    theirs = to_onnx(forest, ties[:1], options=options, target_opset=15).SerializeToString()
    ours = sklearn_to_onnx(source, Task("forest", source.contract)).data
    flips = [
        int((InferenceSession(model).run(None, {name: ties})[0] != expected).sum())
        for model, name in ((theirs, "X"), (ours, "x"))
    ]
    return [f"0006 of {len(ties)} tied votes: skl2onnx flips {flips[0]}, ours {flips[1]}"]


if __name__ == "__main__":
    main()
