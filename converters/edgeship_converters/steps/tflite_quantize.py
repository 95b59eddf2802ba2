"""Float TFLite → quantized TFLite, by Google's litert-quantizer, as a recipe says."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from litert_quantizer import quantizer, recipe_manager
from litert_quantizer.algorithm_manager import AlgorithmName
from litert_quantizer.qtyping import QuantGranularity, TFLOperationName

from edgeship_converters.artifact import Artifact, Task
from edgeship_converters.errors import StepError
from edgeship_converters.layer_names import LayerNames
from edgeship_converters.recipe import Precision, Recipe
from edgeship_converters.steps.refusal import KEEP_IN_FLOAT, refusing
from edgeship_converters.steps.tflite_compact import compact
from edgeship_converters.steps.tflite_masks import with_shallow_masks
from edgeship_converters.steps.tflite_ops import (
    constant_left_matrices,
    feeding_integers,
    tflite_ops,
    with_unused_parts,
)
from edgeship_converters.steps.tflite_outputs import named_outputs, with_integers_passed_on
from edgeship_converters.steps.tflite_ranges import SIGNATURE, Ranges, tflite_ranges
from edgeship_converters.steps.tflite_tables import with_small_tables
from edgeship_runtime.bundle import Quantization, QuantizedTensor
from edgeship_runtime.words import places_of, to_places

_EVERYWHERE = ".*"
_ENDS = "^.*$"
_STATIC = ("int8", "int16x8")
# A divisor that rounds to zero stops LiteRT's kernel, and a root of what rounds below zero; and so
# does, with the whole process, a comparison of integers whose step is 1 or more, as of pixels from
# 0 to 255.
_NEVER_STATIC = (
    TFLOperationName.DIV,
    TFLOperationName.EQUAL,
    TFLOperationName.NOT_EQUAL,
    TFLOperationName.SQRT,
)


def tflite_quantize(tflite: Artifact, task: Task) -> Artifact:
    """Quantize weights, and where the recipe says so activations, layer by layer.

    Raises:
        StepError: where litert-quantizer fails on the model.
    """
    recipe = task.chosen_recipe()
    inputs = task.contract.inputs
    if needs_ranges(recipe) and any(s.missing and s.dtype.startswith("float") for s in inputs):
        # LiteRT's kernels of integers take NaN for whatever number, and a place for none.
        raise StepError(
            "its rows may hold missing values, which no integer stands for",
            "fill them before the model",
        )
    with refusing(task, f"be quantized to TFLite {recipe.precision}", KEEP_IN_FLOAT):
        rules = rules_of(tflite.data, recipe, LayerNames(task.layers), task.io)
        ranges = None
        if needs_ranges(recipe):
            ranges = task.ranges(recipe) if task.ranges else _ranges(tflite, task, recipe)
        quantized = quantize_with(tflite.data, rules, ranges)
        quantized = with_small_tables(quantized, recipe, LayerNames(task.layers))
        quantized = compact(quantized, LayerNames(task.layers))
        return Artifact({"": quantized}, quantization_of(quantized), tflite.words)


def _ranges(tflite: Artifact, task: Task, recipe: Recipe) -> Ranges:
    rows = task.rows(recipe.rows)
    places = {
        name: to_places(rows[name], places_of(words)) for name, words in tflite.words.inputs.items()
    }
    return tflite_ranges(tflite.data, rows | places, recipe)


def needs_ranges(recipe: Recipe) -> bool:
    """Whether activations are quantized with ranges fixed in advance."""
    return any(precision in _STATIC for precision in (recipe.precision, *recipe.layers.values()))


def quantize_with(model: bytes, rules: Any, ranges: Ranges | None) -> bytes:
    """Quantize as litert-quantizer's own rules say; `ranges` by tensor name."""
    if ranges is not None:
        model, ranges = with_shallow_masks(model, ranges)
        # Where no tensor is a float, as in a table of words, none would count as not calibrated.
        ranges = ranges or {"": {"min": np.float32(0), "max": np.float32(0)}}
    quantized = bytes(_Quantizer(model, rules).quantize(ranges).quantized_model)
    return named_outputs(with_integers_passed_on(quantized))


class _Quantizer(quantizer.Quantizer):  # type: ignore[misc]
    """The tool, without its look for tensors that have no range, since all have one here.

    It lays the model out for that, for a size of 1 where sizes are free, which is less than some
    kernels' windows.
    """

    def _ensure_model_qsv_sufficient(self, calibration_result: Any) -> None:
        """Take them as they are."""


def rules_of(model: bytes, recipe: Recipe, names: LayerNames, io: str) -> Any:
    """A recipe in litert-quantizer's terms: one rule for all, then one for each exception."""
    rules = recipe_manager.RecipeManager()
    _add(rules, _EVERYWHERE, recipe.precision, recipe)
    for op in tflite_ops(model, names):
        precision = recipe.precision_of(op.layers)
        if op.looped and precision in _STATIC:
            # What a loop carries has one type before and after each turn, which the tool does not
            # see to: so it stays in float, and only weights and what they multiply are integers.
            precision = "dynamic-int8"
        if precision != recipe.precision:
            _except(rules, op.scope, precision, recipe)
    _keep_left_matrices_in_float(rules, model)
    for scope in (*feeding_integers(model), *with_unused_parts(model)):
        _except(rules, scope, "float32", recipe)
    if io == "float":
        _keep_ends_in_float(rules)
    return rules.get_quantization_recipe()


def rules_for(scopes: Iterable[str], recipe: Recipe, model: bytes) -> Any:
    """Rules that quantize some operators, by scope, as the recipe says, and nothing else."""
    rules = recipe_manager.RecipeManager()
    _add(rules, _EVERYWHERE, "float32", recipe)
    unused = {*with_unused_parts(model)}
    looped = {op.scope for op in tflite_ops(model, LayerNames(())) if op.looped}
    for scope in scopes:
        precision = recipe.precision
        if scope in unused:
            continue
        if scope in looped and precision in _STATIC:
            precision = "dynamic-int8"
        _except(rules, scope, precision, recipe)
    _keep_left_matrices_in_float(rules, model)
    _keep_ends_in_float(rules)
    return rules.get_quantization_recipe()


def _except(rules: Any, scope: str, precision: Precision, recipe: Recipe) -> None:
    # An operator that cannot be made in this precision would keep the rule for all others.
    _add(rules, f"^{re.escape(scope)}$", "float32", recipe)
    if precision != "float32":
        _add(rules, f"^(?:{re.escape(scope)})$", precision, recipe)


def _keep_left_matrices_in_float(rules: Any, model: bytes) -> None:
    """LiteRT multiplies by a constant from the left only where both sides have one type."""
    for scope in constant_left_matrices(model):
        rules.add_quantization_config(
            f"^(?:{re.escape(scope)})$",
            TFLOperationName.BATCH_MATMUL,
            algorithm_key=AlgorithmName.NO_QUANTIZE,
        )


def _keep_ends_in_float(rules: Any) -> None:
    # The rule for the last layer fits the model's output as well, and the rule whose pattern came
    # last counts: so this one is last, and its pattern is none that was there before.
    for end in (TFLOperationName.INPUT, TFLOperationName.OUTPUT):
        rules.add_quantization_config(_ENDS, end, algorithm_key=AlgorithmName.NO_QUANTIZE)


def _add(rules: Any, where: str, precision: Precision, recipe: Recipe) -> None:
    ops = TFLOperationName.ALL_SUPPORTED
    grain = (
        QuantGranularity.CHANNELWISE
        if recipe.granularity == "channel"
        else QuantGranularity.TENSORWISE
    )
    match precision:
        case "float32":
            rules.add_quantization_config(where, ops, algorithm_key=AlgorithmName.NO_QUANTIZE)
        case "float16":
            rules.add_weight_only_config(where, ops, 16, algorithm_key=AlgorithmName.FLOAT_CASTING)
        case "dynamic-int8":
            rules.add_dynamic_config(where, ops, 8, grain)
        case "int4" if recipe.activations == "dynamic":
            rules.add_dynamic_config(where, ops, 4, grain)
        case "int4":
            rules.add_weight_only_config(where, ops, 4, grain)
        case "int8" | "int16x8":
            bits = 8 if precision == "int8" else 16
            rules.add_static_config(where, ops, bits, 8, grain)
            # LiteRT multiplies batches of integer matrices by the first channel's scale only.
            one_scale = QuantGranularity.TENSORWISE
            rules.add_static_config(where, TFLOperationName.BATCH_MATMUL, bits, 8, one_scale)
            for op in _NEVER_STATIC:
                rules.add_quantization_config(where, op, algorithm_key=AlgorithmName.NO_QUANTIZE)


def quantization_of(model: bytes) -> Quantization:
    """The parameters of a model's integer inputs and outputs, as its own file states them."""
    runner = Interpreter(model_content=model).get_signature_runner(SIGNATURE)
    return Quantization(
        inputs=_quantized(runner.get_input_details()),
        outputs=_quantized(runner.get_output_details()),
    )


def _quantized(details: dict[str, Any]) -> dict[str, QuantizedTensor]:
    tensors = {}
    for name, detail in sorted(details.items()):
        scale, zero_point = detail["quantization"]
        if scale:
            dtype: Any = np.dtype(detail["dtype"]).name
            tensors[name] = QuantizedTensor(
                dtype=dtype, scale=float(scale), zero_point=int(zero_point)
            )
    return tensors
