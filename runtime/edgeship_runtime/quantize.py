"""Real numbers to a variant's integers and back, all rows at once."""

from __future__ import annotations

import numpy as np

from edgeship_runtime.arrays import Array
from edgeship_runtime.bundle.manifest import QuantizedTensor


def quantize(values: Array, tensor: QuantizedTensor) -> Array:
    """The nearest integers that stand for `values`, ties to even, clipped to the dtype's range."""
    limits = np.iinfo(tensor.dtype)
    with np.errstate(over="ignore"):
        integers = np.rint(values / np.float32(tensor.scale)) + tensor.zero_point
    clipped: Array = np.clip(integers, limits.min, limits.max)
    return clipped.astype(tensor.dtype)


def dequantize(integers: Array, tensor: QuantizedTensor) -> Array:
    """The float32 numbers that `integers` stand for.

    >>> from edgeship_runtime.bundle import QuantizedTensor
    >>> t = QuantizedTensor(dtype="int8", scale=0.5, zero_point=-128)
    >>> quantize(np.array([0.0, 1.1, 999.0]), t).tolist()
    [-128, -126, 127]
    >>> dequantize(np.array([-128, -126], dtype=np.int8), t).tolist()
    [0.0, 1.0]
    """
    centred = integers.astype(np.float32) - np.float32(tensor.zero_point)
    real: Array = centred * np.float32(tensor.scale)
    return real
