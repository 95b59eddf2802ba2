"""What runs an ONNX model in the tests: onnxruntime, and both graphs it is lowered to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import onnxruntime
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from edgeship_converters.steps.lowering.lower import lower
from edgeship_converters.steps.lowering.values import Words
from edgeship_converters.steps.onnx_words import words_met
from edgeship_runtime.arrays import Array

# Inputs by name, in ONNX's own types.
Specs = Mapping[str, Any]
_NARROWED = {tf.string: tf.int32, tf.float64: tf.float32}


class Onnxruntime:
    """The model as onnxruntime runs it."""

    def __init__(self, model: onnx.ModelProto) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 4
        self._session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, ["CPUExecutionProvider"]
        )

    def __call__(self, arrays: dict[str, Array]) -> list[Array]:
        return [np.asarray(made) for made in self._session.run(None, arrays)]


class Wide:
    """The graph in ONNX's own types, called in TensorFlow."""

    def __init__(self, model: onnx.ModelProto, inputs: Specs) -> None:
        self._model = model
        function = tf.function(self._serve, autograph=False)
        self._concrete = function.get_concrete_function(inputs)

    @property
    def graph(self) -> Any:
        """What was traced."""
        return self._concrete.graph

    def _serve(self, tensors: dict[str, Any]) -> list[Any]:
        made = lower(self._model, tensors, narrow=False)
        return [_output(value) for value in made.values()]

    def __call__(self, arrays: dict[str, Array]) -> list[Any]:
        given = {name: tf.constant(array) for name, array in arrays.items()}
        return [made.numpy() for made in self._concrete(**given)]


class Narrow:
    """The graph for TFLite, converted with builtin operators only and run in LiteRT."""

    def __init__(self, model: onnx.ModelProto, inputs: Specs) -> None:
        self._model = model
        self._words = {
            name: words_met(model, name) for name, spec in inputs.items() if spec.dtype == tf.string
        }
        self._told: list[tuple[str, ...] | None] = []
        specs = {
            name: tf.TensorSpec(spec.shape, _NARROWED.get(spec.dtype, spec.dtype), name=name)
            for name, spec in inputs.items()
        }
        function = tf.function(self._serve, autograph=False)
        concrete = function.get_concrete_function(specs)
        converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], tf.Module())
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        interpreter = Interpreter(model_content=converter.convert(), num_threads=1)
        self._interpreter = interpreter
        self._inputs = {
            detail["name"].removeprefix("serving_default_").split(":")[0]: detail
            for detail in interpreter.get_input_details()
        }
        details = interpreter.get_output_details()
        self._outputs = sorted(details, key=lambda d: (len(d["name"]), d["name"]))
        self._shapes: dict[str, tuple[int, ...]] = {}

    def _serve(self, tensors: dict[str, Any]) -> list[Any]:
        given = {
            name: Words(tensor, self._words[name]) if name in self._words else tensor
            for name, tensor in tensors.items()
        }
        made = list(lower(self._model, given, narrow=True).values())
        self._told[:] = [value.known if isinstance(value, Words) else None for value in made]
        return [_output(value.places if isinstance(value, Words) else value) for value in made]

    def __call__(self, arrays: dict[str, Array]) -> list[Any]:
        interpreter = self._interpreter
        fed = {name: self._fed(name, array) for name, array in arrays.items()}
        shapes = {name: array.shape for name, array in fed.items()}
        if shapes != self._shapes or not fed:
            for name, shape in shapes.items():
                interpreter.resize_tensor_input(self._inputs[name]["index"], shape)
            interpreter.allocate_tensors()
            self._shapes = shapes
        for name, array in fed.items():
            interpreter.set_tensor(self._inputs[name]["index"], array)
        interpreter.invoke()
        made = [interpreter.get_tensor(detail["index"]) for detail in self._outputs]
        return [
            Words(value, known) if known is not None else value
            for value, known in zip(made, self._told, strict=True)
        ]

    def _fed(self, name: str, array: Array) -> Array:
        if name not in self._words:
            return array.astype(np.float32) if array.dtype == np.float64 else array
        place = {word: k for k, word in enumerate(self._words[name])}
        held = [place.get(word, -1) for word in array.ravel().tolist()]
        return np.array(held, np.int32).reshape(array.shape)


def _output(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.dtype.kind in "OUS":
        value = value.astype(object)
    return tf.identity(value)
