"""The last layer's operator has the model's output for a name, and can be chosen all the same."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

import edgeship
from edgeship_converters.layer_names import LayerNames
from edgeship_converters.steps.tflite_ops import tflite_ops

LAYERS = ["body", "pool", "head"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A convolution and a linear dense layer, with rows for them."""
    made = tmp_path_factory.mktemp("linear")
    keras.utils.set_random_seed(0)
    body = keras.layers.Conv2D(8, 3, name="body", activation="relu")
    pool = keras.layers.GlobalAveragePooling2D(name="pool")
    head = keras.layers.Dense(2, name="head")
    keras.Sequential([keras.Input((8, 8, 1)), body, pool, head]).save(made / "m.keras")
    rows = np.random.default_rng(0).random((200, 8, 8, 1), dtype=np.float32)
    np.savez(made / "rows.npz", x=rows)
    return made


def converted(folder: Path, target: Path, variant: str, recipe: str | None = None) -> bytes:
    """A variant's file, with the head in a precision of its own."""
    options = {}
    if recipe is not None:
        path = target.with_suffix(".toml")
        path.write_text(f'[{variant}.layers]\n"head" = "{recipe}"\n')
        options["recipe"] = path
    bundle = edgeship.convert(
        folder / "m.keras",
        target,
        data=folder / "rows.npz",
        variants=variant,
        max_drop=0.5,
        **options,
    )
    return bundle.artifact(bundle.manifest.variant(variant))


def test_the_operator_belongs_to_the_layer_that_its_weights_are_named_for(
    folder: Path, tmp_path: Path
) -> None:
    bundle = edgeship.convert(folder / "m.keras", tmp_path / "b", variants="tflite-float32")
    model = bundle.artifact(bundle.manifest.variants[0])
    assert [op.layers[0] for op in tflite_ops(model, LayerNames(LAYERS))] == LAYERS


@pytest.mark.parametrize("precision", ["float32", "int16x8", "dynamic-int8"])
def test_a_precision_of_its_own_is_kept_and_leaves_the_output_in_float(
    folder: Path, tmp_path: Path, precision: str
) -> None:
    model = converted(folder, tmp_path / "b", "tflite-int8", precision)
    assert model != converted(folder, tmp_path / "plain", "tflite-int8")
    (detail,) = Interpreter(model_content=model).get_output_details()
    assert detail["dtype"] is np.float32
