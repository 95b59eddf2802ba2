"""TensorFlow operators that a board's runtime lacks, computed by operators that it has.

Each function takes an operator and gives the tensors to use for its outputs, or None where it
cannot be replaced, as when a size is not known before the model runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.framework import function_def_to_graph

from edgeship_converters.steps.frozen import Replacement
from edgeship_converters.steps.known import known
from edgeship_runtime.arrays import Array


def _expm1(operator: Any) -> list[Any]:
    return [tf.exp(operator.inputs[0]) - 1.0]


def _erfc(operator: Any) -> list[Any]:
    return [1.0 - tf.math.erf(operator.inputs[0])]


def _log1p(operator: Any) -> list[Any]:
    return [tf.math.log(operator.inputs[0] + 1.0)]


def _atan(operator: Any) -> list[Any]:
    return [tf.atan2(operator.inputs[0], tf.ones_like(operator.inputs[0]))]


def _asin(operator: Any) -> list[Any]:
    sine = operator.inputs[0]
    return [tf.atan2(sine, tf.sqrt((1.0 - sine) * (1.0 + sine)))]


def _acos(operator: Any) -> list[Any]:
    cosine = operator.inputs[0]
    return [tf.atan2(tf.sqrt((1.0 - cosine) * (1.0 + cosine)), cosine)]


def _sinh(operator: Any) -> list[Any]:
    return [0.5 * (tf.exp(operator.inputs[0]) - tf.exp(-operator.inputs[0]))]


def _cosh(operator: Any) -> list[Any]:
    return [0.5 * (tf.exp(operator.inputs[0]) + tf.exp(-operator.inputs[0]))]


def _tan(operator: Any) -> list[Any]:
    return [tf.sin(operator.inputs[0]) / tf.cos(operator.inputs[0])]


def _roll(operator: Any) -> list[Any] | None:
    """What goes over the end, before the rest, one axis after the other."""
    tensor, shifts, axes = operator.inputs[0], known(operator.inputs[1]), known(operator.inputs[2])
    if shifts is None or axes is None:
        return None
    for shift, axis in zip(shifts.reshape(-1), axes.reshape(-1), strict=True):
        size = tensor.shape[int(axis)]
        if size is None:
            return None
        over = int(shift) % int(size)
        first, last = tf.split(tensor, [int(size) - over, over], axis=int(axis))
        tensor = tf.concat([last, first], axis=int(axis))
    return [tensor]


def _bucketize(operator: Any) -> list[Any]:
    """The number of boundaries at or below each value."""
    boundaries = tf.constant(operator.get_attr("boundaries"), tf.float32)
    values = tf.cast(operator.inputs[0], tf.float32)[..., None]
    passed = tf.cast(tf.greater_equal(values, boundaries), tf.int32)
    return [tf.reduce_sum(passed, axis=-1)]


def _dense_bincount(operator: Any) -> list[Any] | None:
    """Rows of ids to counts, or to ones where an id occurs."""
    ids, size, weights = operator.inputs
    depth = known(size)
    if ids.shape.rank != 2 or depth is None or weights.shape.num_elements() != 0:
        return None
    hot = tf.one_hot(tf.cast(ids, tf.int32), int(depth), dtype=weights.dtype)
    binary = operator.get_attr("binary_output")
    return [tf.reduce_max(hot, axis=1) if binary else tf.reduce_sum(hot, axis=1)]


def _resize(operator: Any) -> list[Any] | None:
    """Resizing as a matrix over the rows of pixels, and one over the columns.

    The matrices are what the operator itself makes of unit images, so that every interpolation is
    met to the last bit of its weights.
    """
    images = operator.inputs[0]
    size = known(operator.inputs[1])
    if size is None or None in images.shape[1:]:
        return None
    rest = [value for tensor in operator.inputs[2:] if (value := known(tensor)) is not None]
    if len(rest) != len(operator.inputs) - 2:
        return None
    height, width, channels = images.shape[1:]
    rows = _axis_matrix(operator, int(height), int(size[0]), [float(v[0]) for v in rest])
    columns = _axis_matrix(operator, int(width), int(size[1]), [float(v[1]) for v in rest])
    pixels = tf.reshape(tf.cast(images, tf.float32), [-1, height, width * channels])
    pixels = tf.reshape(tf.matmul(rows, pixels), [-1, width, channels])
    pixels = tf.matmul(columns, pixels)
    return [tf.reshape(pixels, [-1, size[0], size[1], channels])]


def _axis_matrix(operator: Any, before: int, after: int, rest: list[float]) -> Array:
    """[after, before]: how much each pixel counts in each new one, along one axis.

    `rest` holds the scale and the translation of an operator that takes these.
    """
    units = np.eye(before, dtype=np.float32).reshape(1, before, 1, before)
    given: dict[str, Any] = {"images": units, "size": np.array([after, 1], np.int32)}
    if rest:
        # One pixel across stays one pixel.
        given["scale"] = np.array([rest[0], 1.0], np.float32)
        given["translation"] = np.array([rest[1], 0.0], np.float32)
    for name in ("align_corners", "half_pixel_centers", "kernel_type", "antialias"):
        if name in operator.node_def.attr:
            value = operator.get_attr(name)
            given[name] = value.decode() if isinstance(value, bytes) else value
    with tf.Graph().as_default() as graph:
        made = getattr(tf.raw_ops, operator.type)(**given)
        with tf.compat.v1.Session(graph=graph) as session:
            matrix: Array = session.run(made).reshape(after, before)
            return matrix


def _pool_3d(operator: Any) -> list[Any] | None:
    """Pooling over planes, then over the depth; a mean of means over a box is its mean."""
    if operator.get_attr("data_format") != b"NDHWC" or None in operator.inputs[0].shape[1:]:
        return None
    _, deep, high, wide, _ = operator.get_attr("ksize")
    _, step_d, step_h, step_w, _ = operator.get_attr("strides")
    padding = operator.get_attr("padding").decode()
    pool = tf.nn.max_pool2d if operator.type == "MaxPool3D" else tf.nn.avg_pool2d
    volume = operator.inputs[0]
    depth, height, width, channels = volume.shape[1:]
    planes = tf.reshape(volume, [-1, height, width, channels])
    planes = pool(planes, (high, wide), (step_h, step_w), padding)
    height, width = planes.shape[1:3]
    lines = tf.reshape(planes, [-1, depth, height * width, channels])
    lines = pool(lines, (deep, 1), (step_d, 1), padding)
    return [tf.reshape(lines, [-1, lines.shape[1], height, width, channels])]


def _undilated(operator: Any) -> list[Any] | None:
    """A dilated transposed convolution as a plain one, with zeros between the kernel's weights."""
    dilations = operator.get_attr("dilations")
    kernel = known(operator.inputs[1])
    if kernel is None or operator.get_attr("data_format") != b"NHWC" or max(dilations) == 1:
        return None
    high, wide = dilations[1:3]
    spread = np.zeros(
        ((kernel.shape[0] - 1) * high + 1, (kernel.shape[1] - 1) * wide + 1, *kernel.shape[2:]),
        kernel.dtype,
    )
    spread[::high, ::wide] = kernel
    sizes, _, gradient = operator.inputs
    padding = operator.get_attr("padding").decode()
    made = tf.raw_ops.Conv2DBackpropInput(
        input_sizes=sizes,
        filter=spread,
        out_backprop=gradient,
        strides=operator.get_attr("strides"),
        padding=padding,
    )
    return [made]


def _part_of_spectrum(operator: Any) -> list[Any] | None:
    """The real or imaginary part of a Fourier transform of real numbers, as a matrix."""
    transform = operator.inputs[0].op
    if transform.type != "RFFT":
        return None
    length = known(transform.inputs[1])
    signal = transform.inputs[0]
    if length is None or signal.shape[-1] is None:
        return None
    size = int(length[0])
    used = min(size, int(signal.shape[-1]))
    angles = np.outer(np.arange(used), np.arange(size // 2 + 1)) * (2.0 * np.pi / size)
    wave = np.cos(angles) if operator.type == "Real" else -np.sin(angles)
    return [tf.matmul(signal[..., :used], wave.astype(np.float32))]


def _new_axes(operator: Any) -> list[Any] | None:
    """A slice that takes everything and only adds axes."""
    masks = ("begin_mask", "end_mask", "new_axis_mask", "ellipsis_mask", "shrink_axis_mask")
    begin, end, new, ellipsis, shrink = (operator.get_attr(name) for name in masks)
    places = operator.inputs[1].shape.num_elements()
    whole = (1 << (places or 0)) - 1
    if not new or ellipsis or shrink or (begin | new) != whole or (end | new) != whole:
        return None
    tensor = operator.inputs[0]
    for axis in range(places):
        if new >> axis & 1:
            tensor = tf.expand_dims(tensor, axis)
    return [tensor]


def _branch(operator: Any) -> list[Any] | None:
    """The branch of a condition that is certain."""
    condition = known(operator.inputs[0])
    if condition is None:
        return None
    name = operator.get_attr("then_branch" if condition else "else_branch").name
    body = next(
        f for f in operator.graph.as_graph_def().library.function if f.signature.name == name
    )
    graph, tensors = function_def_to_graph.function_def_to_graph_def(body)
    arguments = [argument.name for argument in body.signature.input_arg]
    made: list[Any] = tf.graph_util.import_graph_def(
        graph,
        input_map=dict(zip(arguments, operator.inputs[1:], strict=True)),
        return_elements=[tensors[body.ret[out.name]] for out in body.signature.output_arg],
    )
    return made


_RESIZING: Mapping[str, Replacement] = {
    "ResizeBicubic": _resize,
    "ResizeArea": _resize,
    "ScaleAndTranslate": _resize,
}
FOR_TFLITE: Mapping[str, Replacement] = {
    **_RESIZING,
    "StridedSlice": _new_axes,
    "AvgPool3D": _pool_3d,
    "MaxPool3D": _pool_3d,
    "DenseBincount": _dense_bincount,
    "Conv2DBackpropInput": _undilated,
    "Acos": _acos,
    "Asin": _asin,
    "Atan": _atan,
    "Cosh": _cosh,
    "Roll": _roll,
    "Sinh": _sinh,
    "Tan": _tan,
}
FOR_ONNX: Mapping[str, Replacement] = {
    **_RESIZING,
    "If": _branch,
    "StatelessIf": _branch,
    "Bucketize": _bucketize,
    "Erfc": _erfc,
    "Expm1": _expm1,
    "Log1p": _log1p,
    "Imag": _part_of_spectrum,
    "Real": _part_of_spectrum,
}
