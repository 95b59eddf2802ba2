"""The same variants by the bare tools, as their own guides show the calls.

Where a tool has a call of its own for a variant, that is taken; for 4-bit TFLite, which
TFLiteConverter does not make, litert-quantizer. Nothing here proves what comes out.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import keras
import numpy as np
import onnx
import tensorflow as tf
import tf2onnx.convert
from litert_quantizer import quantizer, recipe
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_dynamic,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process
from onnxruntime.transformers.float16 import convert_float_to_float16

from conversion.prepare import CALIBRATING, LABELS, MODEL
from edgeship_runtime.arrays import Array

_OPSET = 15
_BATCH = 1
_INT16X8 = tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8


class BareTools:
    """A model on its way through the bare tools; every form is written below `out`.

    `load` comes first, then `savedmodel_float32`, and a float form before those made of it.
    """

    def __init__(self, folder: Path, out: Path) -> None:
        self._folder = folder
        self._out = out
        self._model: Any = None
        self._rows: dict[str, Array] = {}

    @property
    def steps(self) -> dict[str, Callable[[], None]]:
        """The calls by the variant that each makes, in order; `load` makes none."""
        return {
            "load": self.load,
            "savedmodel-float32": self.savedmodel_float32,
            "tflite-float32": self.tflite_float32,
            "tflite-float16": self.tflite_float16,
            "tflite-dynamic-int8": self.tflite_dynamic_int8,
            "tflite-int8": self.tflite_int8,
            "tflite-int16x8": self.tflite_int16x8,
            "tflite-int4": self.tflite_int4,
            "onnx-float32": self.onnx_float32,
            "onnx-float16": self.onnx_float16,
            "onnx-dynamic-int8": self.onnx_dynamic_int8,
            "onnx-int8": self.onnx_int8,
        }

    def bytes_of(self, variant: str) -> int:
        """Bytes of all files of a form that was made."""
        path = self._path(variant)
        files = path.rglob("*") if path.is_dir() else [path]
        return sum(file.stat().st_size for file in files if file.is_file())

    def load(self) -> None:
        """The model and the calibration rows."""
        self._model = keras.saving.load_model(self._folder / MODEL)
        with np.load(self._folder / CALIBRATING) as arrays:
            self._rows = {name: arrays[name] for name in arrays.files if name != LABELS}

    def savedmodel_float32(self) -> None:
        """`model.export`."""
        self._model.export(str(self._path("savedmodel-float32")), verbose=False)

    def tflite_float32(self) -> None:
        """TFLiteConverter, builtin operators only."""
        self._write("tflite-float32", self._converter().convert())

    def tflite_float16(self) -> None:
        """TFLiteConverter, weights in float16."""
        converter = self._converter()
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
        self._write("tflite-float16", converter.convert())

    def tflite_dynamic_int8(self) -> None:
        """TFLiteConverter, dynamic range."""
        converter = self._converter()
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        self._write("tflite-dynamic-int8", converter.convert())

    def tflite_int8(self) -> None:
        """TFLiteConverter, full integer within, floats at both ends."""
        self._write("tflite-int8", self._calibrated(tf.lite.OpsSet.TFLITE_BUILTINS_INT8))

    def tflite_int16x8(self) -> None:
        """TFLiteConverter, 16-bit activations and 8-bit weights."""
        self._write("tflite-int16x8", self._calibrated(_INT16X8))

    def tflite_int4(self) -> None:
        """litert-quantizer, weights only, from the float file."""
        float32 = self._float32("tflite").read_bytes()
        rules = recipe.weight_only_wi4_afp32()
        self._write(
            "tflite-int4", bytes(quantizer.Quantizer(float32, rules).quantize().quantized_model)
        )

    def onnx_float32(self) -> None:
        """tf2onnx, from a traced function."""
        specs = [tf.TensorSpec(t.shape, t.dtype, name=t.name) for t in self._model.inputs]
        single = len(specs) == 1
        function = tf.function(lambda *args: self._model(args[0] if single else list(args)))
        path = str(self._path("onnx-float32"))
        tf2onnx.convert.from_function(
            function, input_signature=specs, opset=_OPSET, output_path=path
        )

    def onnx_float16(self) -> None:
        """onnxruntime's own conversion, floats at both ends."""
        model = convert_float_to_float16(onnx.load(self._float32("onnx")), keep_io_types=True)
        onnx.save(model, self._path("onnx-float16"))

    def onnx_dynamic_int8(self) -> None:
        """onnxruntime's dynamic quantization, by channel, after its preparation."""
        quantize_dynamic(
            self._prepared("onnx-dynamic-int8"),
            self._path("onnx-dynamic-int8"),
            per_channel=True,
            weight_type=QuantType.QInt8,
        )

    def onnx_int8(self) -> None:
        """onnxruntime's static quantization, by channel, after its preparation."""
        quantize_static(
            self._prepared("onnx-int8"),
            self._path("onnx-int8"),
            _Batches(self._rows),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QInt8,
            weight_type=QuantType.QInt8,
        )

    def _path(self, variant: str) -> Path:
        suffix = {"tflite": ".tflite", "onnx": ".onnx"}.get(variant.partition("-")[0], "")
        return self._out / f"{variant}{suffix}"

    def _float32(self, form: str) -> Path:
        path = self._path(f"{form}-float32")
        if not path.is_file():
            raise FileNotFoundError(f"there is no {form}-float32 to begin with")
        return path

    def _write(self, variant: str, data: bytes) -> None:
        self._path(variant).write_bytes(data)

    def _converter(self) -> Any:
        return tf.lite.TFLiteConverter.from_saved_model(str(self._path("savedmodel-float32")))

    def _calibrated(self, ops: Any) -> bytes:
        converter = self._converter()
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_ops = [ops]
        converter.representative_dataset = self._one_by_one
        model: bytes = converter.convert()
        return model

    def _one_by_one(self) -> Iterator[dict[str, Array]]:
        for index in range(len(next(iter(self._rows.values())))):
            yield {name: array[index : index + 1] for name, array in self._rows.items()}

    def _prepared(self, variant: str) -> Path:
        path = self._out / f"{variant}-prepared.onnx"
        quant_pre_process(self._float32("onnx"), path, skip_symbolic_shape=True)
        return path


class _Batches(CalibrationDataReader):  # type: ignore[misc]
    """Calibration rows one at a time, as onnxruntime's own examples give them, and edgeship too."""

    def __init__(self, rows: dict[str, Array]) -> None:
        count = len(next(iter(rows.values())))
        self._batches = iter(
            [
                {name: array[start : start + _BATCH] for name, array in rows.items()}
                for start in range(0, count, _BATCH)
            ]
        )

    def get_next(self) -> dict[str, Array] | None:
        """The next batch, None after the last."""
        return next(self._batches, None)
