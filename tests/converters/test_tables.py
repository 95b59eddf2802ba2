"""Embedding tables are stored in few bits in every TFLite form that keeps fewer bits."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from edgeship_converters import convert
from edgeship_converters.layer_names import LayerNames
from edgeship_converters.recipe import load_recipes
from edgeship_converters.steps.tflite_tables import with_small_tables
from edgeship_runtime.bundle import Bundle

_IDS, _WIDE = 500, 16
_FORMS = {
    "tflite-float16": 2,
    "tflite-dynamic-int8": 1,
    "tflite-int4": 1,
    "tflite-int8": 1,
    "tflite-int16x8": 2,
}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Two places that look words up in one table, in all forms."""
    folder = tmp_path_factory.mktemp("tables")
    left, right = (keras.Input((6,), dtype="int32", name=name) for name in ("left", "right"))
    table = layers.Embedding(_IDS, _WIDE, name="words")
    pooled = [layers.GlobalAveragePooling1D()(table(ids)) for ids in (left, right)]
    answer = layers.Dense(3, name="answer")(layers.Concatenate()(pooled))
    keras.utils.set_random_seed(4)
    model = keras.Model([left, right], answer)
    random = np.random.default_rng(4)
    model.get_layer("words").set_weights([random.normal(size=(_IDS, _WIDE))])
    data = {name: random.integers(0, _IDS, (200, 6), dtype=np.int32) for name in ("left", "right")}
    return convert(
        model, folder / "bundle", data=data, variants=["tflite-float32", *_FORMS], max_drop=0.3
    )


@pytest.mark.parametrize("variant", _FORMS)
def test_a_shared_table_is_stored_once_in_few_bits(bundle: Bundle, variant: str) -> None:
    table = _IDS * _WIDE * _FORMS[variant]
    size = bundle.manifest.variant(variant).bytes
    assert table < size < table + 8000


def test_a_layer_that_the_recipe_keeps_in_float_keeps_its_table(
    bundle: Bundle, tmp_path: Path
) -> None:
    given = tmp_path / "recipe.toml"
    given.write_text('[tflite-dynamic-int8.layers]\nwords = "float32"\n', "utf-8")
    recipe = load_recipes(given)["tflite-dynamic-int8"]
    whole = bundle.artifact(bundle.manifest.variant("tflite-float32"))
    assert with_small_tables(whole, recipe, LayerNames(("words", "answer"))) == whole
    kept = load_recipes()["tflite-dynamic-int8"]
    smaller = with_small_tables(whole, kept, LayerNames(("words", "answer")))
    assert len(smaller) < len(whole) - _IDS * _WIDE
