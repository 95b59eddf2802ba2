"""The way back from a transformed target, for one value a row."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeship_converters.steps.classical.functions import FUNCTIONS
from edgeship_converters.steps.classical.graph import Graph


def back(transformer: Any, values: str, graph: Graph) -> str:
    """What `inverse_transform` makes of values of the shape (rows,) or (rows, outputs)."""
    match type(transformer).__name__:
        case "FunctionTransformer":
            function = transformer.inverse_func
            if function is None:
                return values
            if function not in FUNCTIONS:
                name = getattr(function, "__name__", "")
                raise ValueError(f"the way back from its target, {name!r}, is Python code")
            return FUNCTIONS[function](graph, values)
        case "StandardScaler":
            return _linear(
                values,
                transformer.scale_ if transformer.with_std else None,
                transformer.mean_ if transformer.with_mean else None,
                graph,
            )
        case "MinMaxScaler":
            scale = 1.0 / transformer.scale_
            return _linear(values, scale, -transformer.min_ * scale, graph)
        case "MaxAbsScaler":
            return _linear(values, transformer.scale_, None, graph)
        case "RobustScaler":
            return _linear(
                values,
                transformer.scale_ if transformer.with_scaling else None,
                transformer.center_ if transformer.with_centering else None,
                graph,
            )
    raise ValueError(f"the way back through a {type(transformer).__name__} is not known here")


def _linear(values: str, scale: Any, offset: Any, graph: Graph) -> str:
    if scale is not None:
        values = graph.Mul(values, np.asarray(scale, np.float64))
    return values if offset is None else graph.Add(values, np.asarray(offset, np.float64))
