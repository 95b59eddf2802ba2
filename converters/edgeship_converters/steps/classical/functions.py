"""Functions of a single number: numpy's own as operators, and steps that never decrease."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    PowerTransformer,
    RobustScaler,
    StandardScaler,
)

from edgeship_converters.steps.classical.graph import Graph

FUNCTIONS: dict[Any, Callable[[Graph, str], str]] = {
    np.log1p: lambda graph, x: graph.Log(graph.Add(x, 1.0)),
    np.expm1: lambda graph, x: graph.Sub(graph.Exp(x), 1.0),
    np.log: lambda graph, x: graph.Log(x),
    np.log2: lambda graph, x: graph.Div(graph.Log(x), float(np.log(2.0))),
    np.log10: lambda graph, x: graph.Div(graph.Log(x), float(np.log(10.0))),
    np.exp: lambda graph, x: graph.Exp(x),
    np.sqrt: lambda graph, x: graph.Sqrt(x),
    np.square: lambda graph, x: graph.Mul(x, x),
    np.cbrt: lambda graph, x: graph.Mul(graph.Sign(x), graph.Pow(graph.Abs(x), 1.0 / 3.0)),
    np.abs: lambda graph, x: graph.Abs(x),
    np.negative: lambda graph, x: graph.Neg(x),
    np.reciprocal: lambda graph, x: graph.Reciprocal(x),
    np.sin: lambda graph, x: graph.Sin(x),
    np.cos: lambda graph, x: graph.Cos(x),
    np.tanh: lambda graph, x: graph.Tanh(x),
    np.sign: lambda graph, x: graph.Sign(x),
    np.floor: lambda graph, x: graph.Floor(x),
    np.ceil: lambda graph, x: graph.Ceil(x),
}

# Those that give NaN for some numbers.
PARTIAL = (np.log1p, np.log, np.log2, np.log10, np.sqrt)
_INCREASING = (np.expm1, np.exp, np.cbrt, np.tanh, *PARTIAL)
_SCALERS = (MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler)


def monotone(step: Any) -> bool:
    """Whether a fitted step looks at each column on its own, and never decreases in it.

    It may have no value below some number, and has one for all above.
    """
    if type(step) is FunctionTransformer:
        return step.func in _INCREASING and not step.kw_args
    if type(step) is PowerTransformer:
        # Box and Cox's transform refuses what is not positive, so no search can pass through it.
        return bool(step.method == "yeo-johnson")
    return type(step) in _SCALERS


def horner(values: str, coefficients: tuple[float, ...], graph: Graph) -> str:
    """A polynomial of each value by Horner's rule, from the highest power's coefficient down."""
    first, second, *rest = coefficients
    scaled = values if first == 1.0 else graph.Mul(values, first)
    total = graph.Add(scaled, second)
    for coefficient in rest:
        total = graph.Add(graph.Mul(total, values), coefficient)
    return total
