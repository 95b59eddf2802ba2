"""Sensitivity: what quantizing each layer alone costs; docs/recipes.md says how to read it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from edgeship_converters.errors import StepError
from edgeship_converters.recipe import Recipe
from edgeship_converters.steps.layered import LayeredModel, LayeredOp
from edgeship_runtime import labels
from edgeship_runtime.arrays import Array, Arrays
from edgeship_runtime.bundle import Contract
from edgeship_runtime.errors import EngineError
from edgeship_runtime.quiet import quiet


@dataclass(frozen=True, slots=True)
class LayerCost:
    """What is lost when one layer is quantized and nothing else.

    Attributes:
        layer: its name.
        ops: how many operators it has in this format, those that other layers were fused into.
        weights: the bytes of its constants in float.
        error: the share of the outputs' variance that is lost; infinite where the layer cannot be
            quantized or the model does not run then.
        sqnr: signal to quantization noise at the outputs in dB, 10·log10(Σ signal² ÷ Σ error²);
            infinite where nothing is lost.
        flips: the share of rows decided otherwise; None for a model that decides no label.
        fault: why it cannot be quantized, or does not run then; empty where it does.
    """

    layer: str
    ops: int
    weights: int
    error: float
    sqnr: float
    flips: float | None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Ranking:
    """All layers of one float form, the costliest first.

    Attributes:
        variant: the float variant that was taken apart.
        rows: on how many calibration rows.
        layers: those that can be quantized.
        ops: all operators, for what share of the weights a recipe quantizes.
    """

    variant: str
    rows: int
    layers: tuple[LayerCost, ...]
    ops: tuple[LayeredOp, ...]

    def quantized_share(self, recipe: Recipe) -> float:
        """The share of the weights, in bytes of the float form, in the recipe's own precision."""
        total = sum(op.weights for op in self.ops)
        quantized = sum(
            op.weights for op in self.ops if recipe.precision_of(op.layers) == recipe.precision
        )
        return quantized / total if total else 0.0


def rank_layers(
    model: LayeredModel, rows: Arrays, contract: Contract, recipe: Recipe
) -> list[LayerCost]:
    """Quantize each layer alone, as the recipe says, and compare with the float model's answers.

    A layer that the recipe keeps in another precision is left out, as is one that holds nothing
    to quantize. An operator counts with the innermost layer that it is part of; where several
    layers were fused, with the first.

    Args:
        model: the float form.
        rows: to run the models on.
        contract: names of the outputs, and which of them decide a label.
        recipe: for calibration and granularity.

    Returns:
        The costliest first; equal ones in the model's order.
    """
    with quiet():
        expected = model.run(model.float_model, rows)
        costs = []
        for layer, ops in _by_layer(model.ops, recipe).items():
            outputs, fault = None, ""
            try:
                quantized = model.alone([op.name for op in ops], recipe)
                if quantized is None:
                    continue
                outputs = model.run(quantized, rows)
            except (StepError, EngineError) as error:
                # A layer that fails when quantized is one to keep in float first of all.
                fault = error.fault.reason if isinstance(error, StepError) else str(error)
            costs.append(replace(_cost(layer, ops, contract, expected, outputs), fault=fault))
    return sorted(costs, key=lambda cost: -cost.error)


def layer_count(ops: Iterable[LayeredOp], recipe: Recipe) -> int:
    """How many layers the recipe quantizes."""
    return len(_by_layer(ops, recipe))


def lost_variance(contract: Contract, expected: Arrays, got: Arrays) -> float:
    """The share of an output's variance that is lost, of the output that loses most.

    Σ error² ÷ Σ variance, both summed over all columns of an output: unlike `parity.unexplained`,
    which takes the worst column, since a column that hardly varies would drown the order of the
    layers. A column's variance counts as at least the square of a tenth of its size.
    """
    shares = [0.0]
    for spec in contract.outputs:
        if not spec.dtype.startswith("float"):
            continue
        e, g = _flat(expected[spec.name]), _flat(got[spec.name])
        error = float(((e - g) ** 2).mean(axis=0).sum())
        spread = np.maximum(e.var(axis=0), (0.1 * np.abs(e).max(axis=0, initial=0.0)) ** 2).sum()
        shares.append(0.0 if error == 0 else error / max(float(spread), 1e-300))
    largest = max(shares) if np.isfinite(shares).all() else np.inf
    return float(largest)


def _by_layer(ops: Iterable[LayeredOp], recipe: Recipe) -> dict[str, list[LayeredOp]]:
    layers: dict[str, list[LayeredOp]] = {}
    for op in ops:
        if op.layers and recipe.precision_of(op.layers) == recipe.precision:
            layers.setdefault(op.layers[0], []).append(op)
    return layers


def _cost(
    layer: str,
    ops: list[LayeredOp],
    contract: Contract,
    expected: Arrays,
    outputs: Arrays | None,
) -> LayerCost:
    weights = sum(op.weights for op in ops)
    if outputs is None:
        return LayerCost(layer, len(ops), weights, np.inf, -np.inf, None)
    flipped = labels.flipped(contract, expected, outputs)
    return LayerCost(
        layer=layer,
        ops=len(ops),
        weights=weights,
        error=lost_variance(contract, expected, outputs),
        sqnr=_sqnr(contract, expected, outputs),
        flips=None if flipped is None else float(flipped.mean()),
    )


def _sqnr(contract: Contract, expected: Arrays, outputs: Arrays) -> float:
    names = [spec.name for spec in contract.outputs if spec.dtype.startswith("float")]
    signal = sum(float((_flat(expected[name]) ** 2).sum()) for name in names)
    noise = sum(float(((_flat(expected[n]) - _flat(outputs[n])) ** 2).sum()) for n in names)
    if noise == 0:
        return float(np.inf)
    return float(10 * np.log10(signal / noise)) if signal and np.isfinite(noise) else -np.inf


def _flat(array: Array) -> Array:
    flat: Array = array.astype(np.float64).reshape(len(array), -1)
    return flat
