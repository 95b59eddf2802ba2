"""Recipes: what a file may say, what it may not, and what is said then."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeship_converters.errors import PlanError
from edgeship_converters.plan import STEPS
from edgeship_converters.recipe import BUILT_IN, MIXES, load_recipes


def test_the_default_holds_a_recipe_for_each_variant_that_loses_precision() -> None:
    lossy = {step.variant for step in STEPS if step.number != "float32"}
    assert set(load_recipes()) == lossy == set(MIXES)


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_built_in_recipe_loads(name: str) -> None:
    assert load_recipes(name)


def test_a_file_changes_what_it_says_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        '[tflite-int8]\ncalibration = "percentile"\nrows = 64\n'
        '[tflite-int8.layers]\n"head*" = "float32"\n'
    )
    mine, default = load_recipes(path), load_recipes()
    assert mine["tflite-int8"].rows == 64
    assert mine["tflite-int8"].precision_of(["head_1", "model"]) == "float32"
    assert mine["tflite-int8"].precision_of(["conv"]) == "int8"
    del mine["tflite-int8"], default["tflite-int8"]
    assert mine == default


def test_the_last_pattern_that_fits_counts(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('[tflite-int8.layers]\n"*" = "float32"\n"conv?" = "int16x8"\n')
    recipe = load_recipes(path)["tflite-int8"]
    assert recipe.precision_of(["conv1"]) == "int16x8"
    assert recipe.precision_of(["dense"]) == "float32"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tflite-int9]\n", "'tflite-int9', which is no quantized variant: expected some of"),
        ("tflite-int8 = 3\n", "has a value for 'tflite-int8', expected a table"),
        ("[tflite-int8\n", "is not TOML"),
        ('[tflite-int8]\ncalibratoin = "entropy"\n', "'calibratoin', expected some of weights"),
        ('[tflite-int8]\ncalibration = "magic"\n', "'magic', expected one of min-max, percentile"),
        ('[tflite-int8.layers]\n"dense" = "int2"\n', "layers 'dense' is 'int2', expected one of"),
        ("[tflite-int8]\nrows = 0\n", "rows must be at least 1 and at most 1,000,000, got 0"),
        (f"[tflite-int8]\nrows = {10**15}\n", "at most 1,000,000, got 1,000,000,000,000,000"),
        ("[tflite-int8]\npercentile = 100.5\n", "percentile must lie above 50 and up to 100"),
        ('[tflite-int8]\nactivations = "int16"\n', "other precisions are other variants"),
        ('[tflite-int16x8]\nweights = "int4"\n', "expected weights 'int8'"),
        ('[onnx-int8.layers]\na = "int4"\n', "cannot be int4: expected one of float32, int8"),
        ('[tflite-dynamic-int8.layers]\na = "int8"\n', "cannot be int8"),
    ],
)
def test_a_wrong_recipe_is_refused_with_the_place(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(PlanError) as raised:
        load_recipes(path)
    assert message in str(raised.value)
    assert str(path) in str(raised.value)


def test_a_missing_recipe_names_the_built_in_ones(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="or one of default, percentile, entropy"):
        load_recipes(tmp_path / "none.toml")


def test_words_tell_what_counts(tmp_path: Path) -> None:
    assert load_recipes("percentile")["tflite-int8"].words() == (
        "weights int8, activations int8, by channel, percentile 99.99 over ≤ 500 rows"
    )
