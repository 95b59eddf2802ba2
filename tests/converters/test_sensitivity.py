"""Sensitivity: which layer costs most to quantize, in each format, and when nothing can be told."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from edgeship_converters.artifact import Task
from edgeship_converters.convert import Conversion, carry_out
from edgeship_converters.errors import PlanError, StepError
from edgeship_converters.plan import reachable, take
from edgeship_converters.recipe import Recipe, load_recipes
from edgeship_converters.request import Request
from edgeship_converters.sensitivity import lost_variance, rank_layers
from edgeship_converters.sources import open_source
from edgeship_converters.steps.tflite_layers import TfliteLayers
from edgeship_runtime.bundle import Contract, InputSpec, OutputSpec
from tests.converters.badly_scaled import save_digits_model

_ROWS = 200


@pytest.fixture(scope="module")
def one_bad_layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier of three layers, the first two of which int8 cannot hold."""
    folder = tmp_path_factory.mktemp("one-bad-layer")
    save_digits_model(folder, {"first": 16, "second": 16, "third": 32})
    return folder


def studied(folder: Path, target: Path, variants: str, **options: object) -> Conversion:
    """The model converted with `sensitivity`, whatever the budget."""
    request = Request(
        source=folder / "m.keras",
        data=folder / "train.npz",
        label_column="y",
        variants=variants,
        sensitivity=True,
        max_drop=0.99,
        **options,  # type: ignore[arg-type]
    )
    return carry_out(request, target)


@pytest.mark.parametrize(
    ("variants", "form"),
    [("tflite-int8,onnx-int8", "tflite-float32"), ("onnx-int8", "onnx-float32")],
)
def test_the_layers_that_int8_cannot_hold_come_first(
    one_bad_layer: Path, tmp_path: Path, variants: str, form: str
) -> None:
    ranking = studied(one_bad_layer, tmp_path / "b", variants).studied.ranking
    assert ranking is not None
    assert ranking.variant == form
    names = [cost.layer for cost in ranking.layers]
    assert set(names[:2]) == {"first", "second"}
    assert set(names) == {"first", "second", "third", "probabilities"}
    errors = [cost.error for cost in ranking.layers]
    assert errors == sorted(errors, reverse=True)
    worst, best = ranking.layers[0], ranking.layers[-1]
    assert worst.error > 0.1
    assert 0 < best.error < 1e-3
    assert worst.flips is not None
    assert best.flips is not None
    assert worst.flips > 0.1 > best.flips
    assert worst.sqnr < 20 < best.sqnr


def test_weights_are_counted_in_bytes_of_the_float_form(
    one_bad_layer: Path, tmp_path: Path
) -> None:
    ranking = studied(one_bad_layer, tmp_path / "b", "tflite-int8").studied.ranking
    assert ranking is not None
    weights = {cost.layer: cost.weights for cost in ranking.layers}
    # A kernel and a bias for each layer, at least: TensorFlow may drop a bias of zeros.
    assert 4 * 64 * 16 <= weights["first"] <= 4 * (64 + 1) * 16
    assert 4 * 16 * 32 <= weights["third"] <= 4 * (16 + 1) * 32


def test_a_layer_that_the_recipe_keeps_in_float_is_not_ranked(
    one_bad_layer: Path, tmp_path: Path
) -> None:
    recipe = tmp_path / "mine.toml"
    recipe.write_text('[tflite-int8.layers]\n"first" = "float32"\n')
    ranking = studied(one_bad_layer, tmp_path / "b", "tflite-int8", recipe=recipe).studied.ranking
    assert ranking is not None
    assert {cost.layer for cost in ranking.layers} == {"second", "third", "probabilities"}


def test_a_second_study_finds_the_ranking_in_the_cache(one_bad_layer: Path, tmp_path: Path) -> None:
    first = studied(one_bad_layer, tmp_path / "a", "tflite-int8", name="again")
    steps: list[str] = []
    second = studied(
        one_bad_layer, tmp_path / "b", "tflite-int8", name="again", on_step=steps.append
    )
    assert second.studied.ranking == first.studied.ranking
    assert not [step for step in steps if step.startswith("ranking")]


def test_a_convolutional_net_is_ranked_by_its_layers_and_not_by_what_was_fused(
    tmp_path: Path,
) -> None:
    keras.utils.set_random_seed(0)
    layers = [
        keras.Input((12, 12, 3), name="image"),
        keras.layers.Conv2D(8, 3, name="conv", use_bias=False),
        keras.layers.BatchNormalization(name="bn"),
        keras.layers.ReLU(name="relu"),
        keras.layers.DepthwiseConv2D(3, name="depthwise", activation="swish"),
        keras.layers.GlobalAveragePooling2D(name="pool"),
        keras.layers.Dense(2, name="head"),
    ]
    keras.Sequential(layers).save(tmp_path / "m.keras")
    rows = np.random.default_rng(0).random((_ROWS, 12, 12, 3), dtype=np.float32)
    np.savez(tmp_path / "rows.npz", x=rows)
    request = Request(
        source=tmp_path / "m.keras",
        data=tmp_path / "rows.npz",
        variants="tflite-int8",
        sensitivity=True,
        max_drop=0.5,
    )
    ranking = carry_out(request, tmp_path / "b").studied.ranking
    assert ranking is not None
    assert {cost.layer for cost in ranking.layers} == {"conv", "depthwise", "pool", "head"}
    assert all(0 < cost.error < 0.5 for cost in ranking.layers)


def test_without_data_there_is_nothing_to_measure_on(one_bad_layer: Path, tmp_path: Path) -> None:
    request = Request(source=one_bad_layer / "m.keras", sensitivity=True)
    with pytest.raises(PlanError, match="sensitivity is measured on real rows: give --data"):
        carry_out(request, tmp_path / "b")


def test_a_forest_has_no_layers_and_says_so(cancer: Path, tmp_path: Path) -> None:
    warned: list[str] = []
    request = Request(
        source=cancer / "cancer.skops",
        data=cancer / "cancer-train.csv",
        label_column="diagnosis",
        sensitivity=True,
        on_warning=warned.append,
    )
    assert carry_out(request, tmp_path / "b").studied.ranking is None
    assert [line for line in warned if line.startswith("no layers to rank for --sensitivity")]


def contract(*outputs: OutputSpec) -> Contract:
    """A model's contract of which only the outputs matter."""
    given = InputSpec(name="x", dtype="float32", shape=(None, 1))
    return Contract(task="other", inputs=(given,), outputs=outputs)


def test_variance_lost_is_summed_over_the_columns_of_the_worst_output() -> None:
    spec = OutputSpec(name="y", dtype="float32", shape=(None, 2))
    other = OutputSpec(name="z", dtype="float32", shape=(None, 1))
    y = np.array([[-2.0, -1.0], [2.0, 1.0]], np.float32)
    z = np.array([[-1.0], [1.0]], np.float32)
    # Error 1 in one column of two, whose variances are 4 and 1; none in the other output.
    got = {"y": y + np.array([1.0, 0.0], np.float32), "z": z}
    assert lost_variance(contract(spec, other), {"y": y, "z": z}, got) == pytest.approx(0.2)


def test_a_nan_costs_everything() -> None:
    spec = OutputSpec(name="y", dtype="float32", shape=(None, 1))
    y = np.array([[-1.0], [1.0]], np.float32)
    assert lost_variance(contract(spec), {"y": y}, {"y": y * np.nan}) == np.inf


def test_a_layer_that_fails_when_quantized_comes_first_with_the_reason() -> None:
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(5, name="one"), keras.layers.Dense(4, name="two")]
    )
    source: Any = open_source(model)
    rows = {"x": np.random.default_rng(0).normal(size=(64, 6)).astype(np.float32)}
    task = Task("model", source.contract, rows, layers=("one", "two"))
    made: Any = source
    for variant in ("savedmodel-float32", "tflite-float32"):
        made = take(reachable("keras")[variant], made, task)

    class Failing(TfliteLayers):
        def alone(self, names: Collection[str], recipe: Recipe) -> bytes | None:
            if any("two" in op.layers for op in self.ops if op.name in names):
                raise StepError("the tool gave up")
            return super().alone(names, recipe)

    layered = Failing(made, task)
    first, second = rank_layers(layered, rows, source.contract, load_recipes()["tflite-int8"])
    assert (first.layer, first.error, first.fault) == ("two", np.inf, "the tool gave up")
    assert (second.layer, second.fault) == ("one", "")
    assert 0 < second.error < 0.1
