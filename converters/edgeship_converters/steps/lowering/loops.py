"""Operators that run a graph inside of them, where its turns need not wait for each other."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from edgeship_converters.steps.lowering.values import NotLoweredError, Operator, Value


def scan(op: Operator, *given: Value) -> tuple[Value, ...]:
    """Scan, whose turns carry nothing on: all of them at once, as skl2onnx measures distances.

    Raises:
        NotLoweredError: for one that carries on what it computes, or goes along other axes.
    """
    body, many = op.get("body"), op.get("num_scan_inputs")
    carried = [op.tensor(value) for value in given[: len(given) - many]]
    along = tuple(op.tensor(value) for value in given[len(given) - many :])
    told = [k for k, v in op.attributes.items() if k.startswith("scan_") and np.any(v)]
    if told:
        raise NotLoweredError(f"it has {told[0]}")

    def turn(parts: Any) -> Any:
        made = body(*carried, *parts)
        if any(new is not old for new, old in zip(made, carried, strict=False)):
            raise NotLoweredError("a turn needs what the one before it computed")
        return tuple(op.tensor(value) for value in made[len(carried) :])

    gathered = tf.vectorized_map(turn, along, fallback_to_while_loop=False)
    return (*carried, *gathered)
