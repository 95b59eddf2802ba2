"""Real numbers as a variant's integers."""

from __future__ import annotations

import numpy as np
import pytest

from edgeship_runtime.bundle import QuantizedTensor
from edgeship_runtime.quantize import dequantize, quantize

INT8 = QuantizedTensor(dtype="int8", scale=0.5, zero_point=10)


def test_the_nearest_integer_is_taken_and_the_even_one_on_a_tie() -> None:
    values = np.array([0.0, 0.2, 0.3, 0.25, 0.75, -0.25], np.float32)
    assert quantize(values, INT8).tolist() == [10, 10, 11, 10, 12, 10]


@pytest.mark.parametrize(
    ("tensor", "low", "high"),
    [
        (INT8, -128, 127),
        (QuantizedTensor(dtype="uint8", scale=0.1, zero_point=255), 0, 255),
        (QuantizedTensor(dtype="int16", scale=1e-30, zero_point=0), -32768, 32767),
    ],
)
def test_what_lies_beyond_the_range_is_clipped(
    tensor: QuantizedTensor, low: int, high: int
) -> None:
    integers = quantize(np.array([-3e38, 3e38], np.float32), tensor)
    assert integers.dtype == tensor.dtype
    assert integers.tolist() == [low, high]


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16"])
def test_every_integer_survives_the_way_there_and_back(dtype: str) -> None:
    limits = np.iinfo(dtype)
    integers = np.arange(limits.min, limits.max + 1).astype(dtype)
    tensor = QuantizedTensor(dtype=dtype, scale=0.0123, zero_point=int(limits.max) - 7)  # type: ignore[arg-type]
    real = dequantize(integers, tensor)
    assert real.dtype == np.float32
    assert np.array_equal(quantize(real, tensor), integers)


def test_no_number_in_range_moves_by_more_than_half_a_step() -> None:
    values = np.linspace(-60, 50, 1001, dtype=np.float32)
    assert np.abs(dequantize(quantize(values, INT8), INT8) - values).max() <= 0.25
