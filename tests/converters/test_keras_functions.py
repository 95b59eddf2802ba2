"""Functions of `keras.ops` in a Functional model, each an output of its own, in every format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from edgeship_converters.convert import carry_out
from edgeship_converters.request import Request
from tests.converters.keras_layers.case import SEQUENCE, Case, normal
from tests.converters.keras_layers.outcome import outcomes

WEIGHTS = np.random.default_rng(0).normal(size=(3, 5, 2)).astype(np.float32)

ARITHMETIC: dict[str, Callable[[Any], Any]] = {
    "abs": ops.abs,
    "arctan2": lambda x: ops.arctan2(x, x * x + 1),
    "ceil": ops.ceil,
    "clip": lambda x: ops.clip(x, -1, 1),
    "cos": ops.cos,
    "exp": ops.exp,
    "floor": ops.floor,
    "floor_divide": lambda x: ops.floor_divide(x, 0.7),
    "leaky_relu": ops.leaky_relu,
    "log": lambda x: ops.log(ops.abs(x) + 1),
    "log_softmax": ops.log_softmax,
    "logsumexp": lambda x: ops.logsumexp(x, -1),
    "maximum": lambda x: ops.maximum(x, 0.2),
    "minimum": lambda x: ops.minimum(x, 0.2),
    "mod": lambda x: ops.mod(x, 0.7),
    "power": lambda x: ops.power(ops.abs(x), 1.5),
    "product_with_constants": lambda x: x * ops.linspace(0.0, 1.0, 5),
    "reciprocal": lambda x: ops.reciprocal(ops.abs(x) + 1),
    "round": ops.round,
    "rsqrt": lambda x: ops.rsqrt(ops.abs(x) + 1),
    "sign": ops.sign,
    "sin": ops.sin,
    "softplus": ops.softplus,
    "sqrt": lambda x: ops.sqrt(ops.abs(x)),
    "square": ops.square,
    "sum_with_constants": lambda x: x + ops.arange(5, dtype="float32"),
    "tanh": ops.tanh,
    "trunc": ops.trunc,
}
# TFLite or ONNX has these only by other operators.
TRIGONOMETRY: dict[str, Callable[[Any], Any]] = {
    "arccos": lambda x: ops.arccos(0.9 * ops.tanh(x)),
    "arcsin": lambda x: ops.arcsin(0.9 * ops.tanh(x)),
    "arctan": ops.arctan,
    "cosh": ops.cosh,
    "expm1": ops.expm1,
    "log1p": lambda x: ops.log1p(ops.abs(x)),
    "logaddexp": lambda x: ops.logaddexp(x, 2 * x),
    "sinh": ops.sinh,
    "tan": lambda x: ops.tan(ops.tanh(x)),
}
REDUCTIONS: dict[str, Callable[[Any], Any]] = {
    "all": lambda x: ops.all(x > -1, 1),
    "any": lambda x: ops.any(x > 1, 1),
    "argmax": lambda x: ops.argmax(x, -1),
    "argmax_kept": lambda x: ops.argmax(x, 1, keepdims=True),
    "argmin": lambda x: ops.argmin(x, -1),
    "argsort": lambda x: ops.argsort(x, -1),
    "average": lambda x: ops.average(x, axis=1),
    "count_nonzero": lambda x: ops.count_nonzero(ops.relu(x), axis=1),
    "cumsum": lambda x: ops.cumsum(x, 1),
    "max": lambda x: ops.max(x, -1),
    "mean": lambda x: ops.mean(x, axis=(1, 2), keepdims=True),
    "norm": lambda x: ops.norm(x, axis=-1),
    "normalize": ops.normalize,
    "prod": lambda x: ops.prod(x, 1),
    "sort": lambda x: ops.sort(x, -1),
    "std": lambda x: ops.std(x, 1),
    "sum": lambda x: ops.sum(x, (1, 2)),
    "top_k": lambda x: ops.top_k(x, 2)[0],
    "top_k_places": lambda x: ops.top_k(x, 2)[1],
    "var": lambda x: ops.var(x, 1),
}
SHAPES: dict[str, Callable[[Any], Any]] = {
    "backwards": lambda x: x[:, ::-1],
    "concatenate": lambda x: ops.concatenate([x, x], -1),
    "diff": lambda x: ops.diff(x, axis=1),
    "expand_dims": lambda x: ops.expand_dims(x, 1),
    "first": lambda x: x[:, 0],
    "flip": lambda x: ops.flip(x, 1),
    "last": lambda x: x[:, -1],
    "moveaxis": lambda x: ops.moveaxis(x, 1, 2),
    "pad": lambda x: ops.pad(x, [[0, 0], [1, 1], [0, 0]]),
    "repeat": lambda x: ops.repeat(x, 2, 1),
    "reshape": lambda x: ops.reshape(x, (-1, 40)),
    "roll": lambda x: ops.roll(x, 3, 1),
    "roll_back": lambda x: ops.roll(x, -1, 2),
    "split": lambda x: ops.split(x, 2, 1)[1],
    "squeeze": lambda x: ops.squeeze(x[:, :1], 1),
    "stack": lambda x: ops.stack([x, x * 2], 1),
    "steps": lambda x: x[:, ::2],
    "swapaxes": lambda x: ops.swapaxes(x, 1, 2),
    "take": lambda x: ops.take(x, [0, 2], 1),
    "take_along_axis": lambda x: ops.take_along_axis(x, ops.argsort(x, 1), 1),
    "tile": lambda x: ops.tile(x, [1, 2, 1]),
    "transpose": lambda x: ops.transpose(x, (0, 2, 1)),
    "tril": ops.tril,
    "triu": ops.triu,
}
CHOICES: dict[str, Callable[[Any], Any]] = {
    "cast": lambda x: ops.cast(x > 0, "int32"),
    "greater": lambda x: x > 0,
    "isfinite": ops.isfinite,
    "isnan": ops.isnan,
    "logical_and": lambda x: ops.logical_and(x > 0, x < 1),
    "logical_not": lambda x: ops.logical_not(x > 0),
    "nan_to_num": ops.nan_to_num,
    "one_hot": lambda x: ops.one_hot(ops.argmax(x, -1), 5),
    "select": lambda x: ops.select([x > 1, x > 0], [x, x * 2], 0.0),
    "where": lambda x: ops.where(x > 0, x, -x),
}
PRODUCTS: dict[str, Callable[[Any], Any]] = {
    "average_pool": lambda x: ops.average_pool(x, 2),
    "conv": lambda x: ops.conv(x, WEIGHTS),
    "dot": lambda x: ops.dot(x, WEIGHTS[0]),
    "einsum": lambda x: ops.einsum("bij,bkj->bik", x, x),
    "matmul": lambda x: ops.matmul(x, ops.transpose(x, (0, 2, 1))),
    "tensordot": lambda x: ops.tensordot(x, WEIGHTS[0], 1),
}


every_group = pytest.mark.parametrize(
    "functions",
    [ARITHMETIC, TRIGONOMETRY, REDUCTIONS, SHAPES, CHOICES, PRODUCTS],
    ids=["arithmetic", "trigonometry", "reductions", "shapes", "choices", "products"],
)


def model_of(functions: dict[str, Callable[[Any], Any]]) -> Any:
    """A model with an output for each function."""
    x = keras.Input(SEQUENCE, name="x")
    return keras.Model(x, {name: function(x) for name, function in functions.items()})


@every_group
def test_a_function_of_keras_converts_with_parity(
    functions: dict[str, Callable[[Any], Any]], tmp_path: Path
) -> None:
    case = Case("Functional", "functions", lambda: model_of(functions), (normal,))
    found = outcomes(case, tmp_path)
    assert {format: outcome.detail for format, outcome in found.items()} == dict.fromkeys(found, "")


@every_group
def test_in_fewer_bits_a_function_runs_whatever_it_loses(
    functions: dict[str, Callable[[Any], Any]], tmp_path: Path
) -> None:
    rows = np.random.default_rng(0).normal(size=(120, *SEQUENCE)).astype(np.float32)
    request = Request(source=model_of(functions), data={"x": rows}, max_drop=0.99)
    left_out = carry_out(request, tmp_path / "b").left_out
    assert not {
        variant: reason
        for variant, reason in left_out.items()
        if "does not run" in reason or "cannot" in reason
    }
