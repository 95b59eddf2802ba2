"""What a Keras model's first layers tell about the values that it was trained on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
from keras import layers

from edgeship_converters.lint.expectation import (
    Expectation,
    Expectations,
    Ids,
    Moments,
    Range,
    Size,
)
from edgeship_converters.sources.nesting import leaves
from edgeship_runtime.arrays import Array

_SAME_VALUES = (
    layers.Identity,
    layers.Dropout,
    layers.SpatialDropout1D,
    layers.SpatialDropout2D,
    layers.SpatialDropout3D,
    layers.GaussianNoise,
    layers.GaussianDropout,
    layers.ActivityRegularization,
    layers.Masking,
    layers.Resizing,
    layers.CenterCrop,
    layers.Cropping1D,
    layers.Cropping2D,
    layers.ZeroPadding1D,
    layers.ZeroPadding2D,
    layers.InputLayer,
)
# keras.applications' preprocess_input swaps RGB and BGR by taking channels and stacking them.
_OTHER_ORDER = ("Reshape", "Flatten", "Permute", "GetItem", "Stack", "ExpandDims", "Concatenate")
_DEPTH = 32
_TINY = 1e-12
_ROUND_RANGES = ((0.8, 1.01, 1.0), (200.0, 257.0, 255.0), (6e4, 65536.5, 65535.0))


@dataclass(frozen=True, slots=True)
class _Path:
    """A tensor on the way from an input, as `scale` · input + `offset`.

    `model`: the model, nested in those of `callers` (each with the node that calls it), where the
    tensor is. `whole`: whether its last axis still holds the input's features, each in its place.
    `layer`: the first that scaled, in words.
    """

    model: Any
    tensor: Any
    callers: tuple[tuple[Any, Any], ...] = ()
    scale: float = 1.0
    offset: float = 0.0
    whole: bool = True
    layer: str = ""


def expected_ranges(model: Any, names: Sequence[str]) -> Expectations:
    """What `model` tells about each of its inputs.

    - Rescaling, and arithmetic with constants such as `x / 255`: a range of 0 to 1, 255 or 65535;
    - an adapted Normalization: mean and standard deviation of each feature;
    - a trained BatchNormalization, on the input or after a first Conv or Dense layer: the size;
    - Embedding: how many ids there are.

    Args:
        model: a Keras model; one without a graph of layers (subclassed) tells nothing.
        names: the contract's names, in the order in which the author gave the inputs.

    Returns:
        By input name; without the inputs about which nothing is told.
    """
    if not isinstance(model, keras.Sequential | keras.Model):
        return {}
    # model.inputs has a dict's tensors in the order of its sorted keys, the contract in its own.
    inputs = leaves(getattr(model, "_inputs_struct", getattr(model, "inputs", None)))
    told: dict[str, list[Expectation]] = {}
    for name, tensor in zip(names, inputs.values(), strict=False):
        found: dict[type, Expectation] = {}
        for expectation in _follow(_Path(model, tensor), _DEPTH):
            known = found.get(type(expectation))
            if isinstance(known, Ids) and isinstance(expectation, Ids):
                found[Ids] = min(known, expectation, key=lambda ids: ids.below)
            else:
                found.setdefault(type(expectation), expectation)
        if found:
            told[name] = list(found.values())
    return told


def _follow(path: _Path, depth: int) -> Iterator[Expectation]:
    if depth == 0:
        return
    back = _back(path)
    if back is not None:
        yield from _follow(back, depth - 1)
    for operation, node in _consumers(path.model, path.tensor):
        further = (
            _into(operation, node, path)
            if isinstance(operation, keras.Model)
            else _further(operation, node, path)
        )
        if further is not None:
            yield from _follow(further, depth - 1)
        else:
            yield from _told_by(operation, node, path)


def _back(path: _Path) -> _Path | None:
    """Out of a nested model, where the tensor is one of its outputs."""
    if not path.callers:
        return None
    model, node = path.callers[-1]
    for inner, outer in zip(path.model.outputs, node.outputs, strict=False):
        if inner is path.tensor:
            return replace(path, model=model, tensor=outer, callers=path.callers[:-1])
    return None


def _into(nested: Any, node: Any, path: _Path) -> _Path | None:
    """Into a nested model, at its own input that stands for the tensor."""
    given, own = node.arguments.keras_tensors, getattr(nested, "inputs", None) or []
    for outer, inner in zip(given, own, strict=False):
        if outer is path.tensor:
            callers = (*path.callers, (path.model, node))
            return replace(path, model=nested, tensor=inner, callers=callers)
    return None


def _consumers(model: Any, tensor: Any) -> Iterator[tuple[Any, Any]]:
    for operation in getattr(model, "operations", None) or model.layers:
        for node in operation._inbound_nodes:
            if any(given is tensor for given in node.arguments.keras_tensors):
                yield operation, node


def _further(operation: Any, node: Any, path: _Path) -> _Path | None:
    """Past a layer that leaves the values as they are, moves them, or scales them."""
    out = node.outputs[0]
    kind = type(operation).__name__
    if isinstance(operation, _SAME_VALUES) or kind == "Cast" or kind.startswith("Random"):
        return replace(path, tensor=out)
    if kind in _OTHER_ORDER and (kind != "GetItem" or len(path.tensor.shape) > 2):
        return replace(path, tensor=out, whole=False)
    scaling = _scaling(operation, node, path.tensor)
    if scaling is None:
        return None
    scale, offset = scaling
    return replace(
        path,
        tensor=out,
        scale=path.scale * scale,
        offset=path.offset * scale + offset,
        layer=path.layer or _in_words(operation),
    )


def _scaling(operation: Any, node: Any, tensor: Any) -> tuple[float, float] | None:
    """The (scale, offset) that an operation applies; of channels with their own, the mean."""
    if isinstance(operation, layers.Rescaling):
        return _mean(operation.scale), _mean(operation.offset)
    kind, given = type(operation).__name__, node.arguments.args
    if kind not in ("TrueDivide", "Divide", "Multiply", "Add", "Subtract") or len(given) != 2:
        return None
    if given[0] is not tensor and kind in ("Multiply", "Add"):
        given = given[::-1]
    if given[0] is not tensor or isinstance(given[1], keras.KerasTensor):
        return None
    number = _mean(given[1])
    match kind:
        case "Multiply":
            return number, 0.0
        case "Add":
            return 1.0, number
        case "Subtract":
            return 1.0, -number
        case _:
            return (1.0 / number, 0.0) if number else None


def _told_by(operation: Any, node: Any, path: _Path) -> Iterator[Expectation]:
    scaled = _range(path)
    if scaled is not None:
        yield scaled
    elif isinstance(operation, layers.Normalization) and path.whole:
        yield from _moments(operation, path)
    elif isinstance(operation, layers.BatchNormalization) and not path.layer:
        yield from _size(operation, None)
    elif isinstance(operation, layers.Dense | layers.Conv1D | layers.Conv2D) and not path.layer:
        rectified = operation.activation is keras.activations.relu
        if rectified or operation.activation is keras.activations.linear:
            for norm, cut in _norms_after(path.model, node.outputs[0], rectified):
                yield from _size(norm, operation, rectified=cut)
    elif isinstance(operation, layers.Embedding) and path.whole and not path.layer:
        yield Ids(_in_words(operation), int(operation.input_dim))


def _norms_after(model: Any, tensor: Any, rectified: bool) -> Iterator[tuple[Any, bool]]:
    """The BatchNormalizations of a tensor, directly or past a ReLU, and whether it was past one."""
    for operation, node in _consumers(model, tensor):
        relu = isinstance(operation, layers.ReLU) or (
            isinstance(operation, layers.Activation)
            and operation.activation is keras.activations.relu
        )
        if relu and not rectified:
            yield from _norms_after(model, node.outputs[0], True)
        elif isinstance(operation, layers.BatchNormalization):
            yield operation, rectified


def _range(path: _Path) -> Range | None:
    """The range of inputs that `scale` and `offset` bring to 0…1, or around 0 where offset < 0.

    An offset that centres a table's feature tells nothing of a range.
    """
    if not path.layer or path.scale <= 0 or path.offset > 0:
        return None
    if path.offset == 0:
        if 0.5 < path.scale < 2:
            return None
        high = 1.0 if path.scale == 255 else 1 / path.scale
    elif len(path.tensor.shape) < 3 and path.offset not in (-1.0, -0.5):
        return None
    else:
        high = -2 * path.offset / path.scale
    for least, most, whole in _ROUND_RANGES:
        if least <= high <= most:
            return Range(path.layer, 0.0, whole)
    return None


def _moments(layer: Any, path: _Path) -> Iterator[Moments]:
    axis = layer.axis if isinstance(layer.axis, tuple) else (layer.axis,)
    rank = len(path.tensor.shape)
    last = layer.axis is None or axis in ((), (-1,), (rank - 1,))
    if layer.invert or not last or getattr(layer, "mean", None) is None or path.scale == 0:
        return
    mean, variance = _vector(layer.mean), _vector(layer.variance)
    if not mean.any() and (variance == 1).all():
        return
    deviation = np.sqrt(variance) / abs(path.scale)
    yield Moments(_in_words(layer), (mean - path.offset) / path.scale, deviation)


def _size(norm: Any, linear: Any, *, rectified: bool = False) -> Iterator[Size]:
    """The size of the data, from the moving mean and variance after a layer that is linear.

    With root mean square r of an output x·w, and K weights w, the inequality of Cauchy and Schwarz
    gives r ≤ ‖w‖·√K·rms(x). After a ReLU r is that of the positive part of x·w + b, so that
    r − |b| takes its place. The moving variance begins at 1, so it bounds from below only above 1.
    """
    mean, variance = _vector(norm.moving_mean), _vector(norm.moving_variance)
    if not mean.any() and (variance == 1).all():
        return
    sure = np.where(variance > 1, 1.0, 0.0)
    if linear is None:
        sizes = mean**2 + variance
        about, at_least = float(np.sqrt(sizes.mean())), float(np.sqrt((sure * sizes).mean()))
        yield Size(_in_words(norm), at_least or None, about, estimated=False)
        return
    filters = linear.kernel.shape[-1]
    if norm.axis not in (-1, len(linear.output.shape) - 1) or len(mean) != filters:
        return
    weights = np.asarray(linear.kernel, np.float64)
    weights = weights.reshape(-1, weights.shape[-1])
    reach = np.linalg.norm(weights, axis=0) * np.sqrt(len(weights))
    bias = _vector(linear.bias) if linear.use_bias else np.zeros_like(mean)
    if rectified:
        sizes = np.maximum(np.sqrt(mean**2 + variance) - np.abs(bias), 0.0)
    else:
        sizes = np.sqrt((mean - bias) ** 2 + variance)
    sizes /= np.maximum(reach, _TINY)
    words = f"{_in_words(norm)} after {linear.name!r}"
    yield Size(words, float((sure * sizes).max()) or None, float(sizes.max()), estimated=True)


def _in_words(operation: Any) -> str:
    kind = type(operation).__name__
    if isinstance(operation, layers.Layer):
        return f"the {kind} layer {operation.name!r}"
    return f"the model's own {kind}"


def _mean(numbers: Any) -> float:
    return float(np.mean(np.asarray(numbers, np.float64)))


def _vector(tensor: Any) -> Array:
    return np.asarray(tensor, np.float64).reshape(-1)
