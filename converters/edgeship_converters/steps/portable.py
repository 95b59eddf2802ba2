"""Tracing a Keras model so that its graph holds what other runtimes can take."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import keras
import keras.src.backend
import tensorflow as tf
from keras import layers, ops

from edgeship_converters.errors import StepError
from edgeship_converters.steps.recurrent import portable_rnn


@contextmanager
def portable(model_layers: Iterable[Any]) -> Iterator[None]:
    """Within it, calling a model of these layers traces operators that other runtimes have.

    Recurrent layers run without TensorArrays and GPU kernels, and random layers leave their seeds
    as they are.

    Raises:
        StepError: where a layer was called on what Keras itself computes wrongly.
    """
    faults: list[StepError] = []
    with ExitStack() as stack:
        backend = keras.src.backend
        stack.enter_context(_replaced(backend, "rnn", portable_rnn(backend.rnn)))
        for name in ("argmax", "argmin"):
            stack.enter_context(_replaced(backend.numpy, name, _first_of(getattr(tf, name))))
        for layer in model_layers:
            if getattr(layer, "use_cudnn", False):
                stack.enter_context(_replaced(layer, "use_cudnn", False))
            if isinstance(layer, layers.TimeDistributed):
                stack.enter_context(_replaced(layer, "call", _checked(layer, faults)))
            if isinstance(layer, layers.UpSampling2D):
                stack.enter_context(_replaced(layer, "call", _resized(layer)))
            if isinstance(layer, layers.Conv3D) and layer.groups > 1:
                stack.enter_context(_replaced(layer, "convolution_op", _side_by_side(layer)))
        # Keras compiles convolutions in groups as functions of their own, which tf2onnx does not
        # look into.
        stack.enter_context(_replaced(tf, "function", _inlined))
        # Updates of seeds are gathered by this scope, and dropped with it.
        stack.enter_context(keras.StatelessScope())
        yield
    if faults:
        raise faults[0]


def _first_of(find: Any) -> Any:
    """Keras's argmax or argmin, in which −0 counts as 0: it is told apart by its bits there, which
    no other runtime looks at.
    """

    def first(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
        values = tf.convert_to_tensor(x)
        whole = tf.reshape(values, [-1]) if axis is None else values
        found = find(whole, axis=axis or 0, output_type=tf.int32)
        if not keepdims:
            return found
        if axis is None:
            return tf.reshape(found, [1] * len(values.shape))
        return tf.expand_dims(found, axis)

    return first


def _resized(layer: Any) -> Any:
    """An upsampling as one operator: Keras repeats the pixels, after which TFLite knows no channels
    where sizes are free, or asks for the size in Python, where there is none.
    """
    last = layer.data_format == "channels_last"

    def call(inputs: Any) -> Any:
        pixels = inputs if last else tf.transpose(inputs, [0, 2, 3, 1])
        known = pixels.shape[1:3].as_list()
        size = tf.shape(pixels)[1:3] if None in known else tf.constant(known)
        larger = tf.image.resize(pixels, size * tf.constant(layer.size), layer.interpolation)
        larger = tf.cast(larger, inputs.dtype)
        return larger if last else tf.transpose(larger, [0, 3, 1, 2])

    return call


def _side_by_side(layer: Any) -> Any:
    """A convolution over volumes in groups, which no runtime here has, group by group."""
    channels = -1 if layer.data_format == "channels_last" else 1

    def convolve(inputs: Any, kernel: Any) -> Any:
        groups = zip(
            ops.split(inputs, layer.groups, axis=channels),
            ops.split(kernel, layer.groups, axis=-1),
            strict=True,
        )
        options = {
            "strides": list(layer.strides),
            "padding": layer.padding,
            "dilation_rate": layer.dilation_rate,
            "data_format": layer.data_format,
        }
        made = [ops.conv(part, weights, **options) for part, weights in groups]
        return ops.concatenate(made, axis=channels)

    return convolve


def _inlined(function: Any = None, **options: Any) -> Any:
    return partial(_inlined, **options) if function is None else function


@contextmanager
def _replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    own = name in vars(owner)
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        if own:
            setattr(owner, name, before)
        else:
            delattr(owner, name)


def _checked(layer: Any, faults: list[StepError]) -> Any:
    """TimeDistributed's call; over a free number of steps, Keras mixes up rows and steps."""
    call = layer.call

    def checked(inputs: Any, *arguments: Any, **named: Any) -> Any:
        if inputs.shape[1] is None:
            fault = (
                f"layer {layer.name!r} is a TimeDistributed over a free number of steps, which "
                "Keras itself computes wrongly"
            )
            ways = ("fix the number in keras.Input", "leave the wrapper away")
            faults.append(StepError(fault, *ways, needed=True))
        return call(inputs, *arguments, **named)

    return checked
