"""What a model tells about the values that it was trained on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from edgeship_converters.lint import Expectations
from edgeship_converters.lint.expectation import Ids, Moments, Range, Size
from edgeship_converters.sources import open_source
from edgeship_converters.sources.expected_range import expected_ranges
from tests.converters.lint_data import (
    IMAGES,
    TABLE,
    trained_on,
)


def told(model: Any) -> Expectations:
    return expected_ranges(model, [f"input-{n}" for n in range(len(model.inputs))])


def built(make: Callable[[Any], Any], shape: tuple[int, ...] = (96, 96, 3)) -> Any:
    given = keras.Input(shape)
    return keras.Model(given, make(given))


def inside(*nested: Any) -> Any:
    return keras.Sequential([keras.Input((96, 96, 3)), *nested])


def conv(tensor: Any) -> Any:
    return layers.Conv2D(2, 3)(tensor)


@pytest.mark.parametrize(
    ("make", "high"),
    [
        (lambda x: conv(layers.Rescaling(1 / 127.5, offset=-1)(x)), 255),
        (lambda x: conv(x / 255.0), 255),
        (lambda x: conv(keras.applications.mobilenet_v2.preprocess_input(x)), 255),
        (lambda x: conv(keras.applications.resnet50.preprocess_input(x)), 255),
        (lambda x: conv(keras.applications.densenet.preprocess_input(x)), 255),
        (lambda x: conv(layers.Rescaling(1 / 255)(layers.Resizing(32, 32)(x))), 255),
        (lambda x: conv(inside(layers.Rescaling(1 / 255))(x)), 255),
        (inside(layers.Rescaling(1 / 255), layers.Conv2D(2, 3)), 255),
        (lambda x: conv(layers.Rescaling(2, offset=-1)(x)), 1),
        (lambda x: conv(layers.Rescaling(255)(x)), 1),
        (lambda x: conv(x / 65535.0), 65535),
    ],
)
def test_a_layer_that_scales_tells_the_range(make: Callable[[Any], Any], high: int) -> None:
    (found,) = told(built(make))["input-0"]
    assert isinstance(found, Range)
    assert (found.low, found.high) == (0, high)


@pytest.mark.parametrize(
    "make",
    [
        conv,
        lambda x: conv(layers.Rescaling(1.0)(x)),
        lambda x: conv(layers.Rescaling(0.1)(x)),
        lambda x: conv(layers.BatchNormalization()(x)),
        lambda x: conv(layers.Normalization(mean=0.0, variance=1.0)(x)),
    ],
)
def test_a_layer_that_says_nothing_of_the_data_tells_nothing(make: Callable[[Any], Any]) -> None:
    assert told(built(make)) == {}


def test_centring_a_table_tells_no_range() -> None:
    assert told(built(lambda x: layers.Dense(1)(x - 110.0), (4,))) == {}
    assert told(built(lambda x: layers.Dense(1)(x[:, :2] / 255.0), (4,))) == {}


def test_ready_made_networks_tell_their_range() -> None:
    for make in (keras.applications.MobileNetV3Small, keras.applications.EfficientNetB0):
        (found,) = told(make(weights=None, input_shape=(64, 64, 3)))["input-0"]
        assert isinstance(found, Range)
        assert found.high == 255


def test_a_normalization_layer_tells_its_moments_in_raw_units() -> None:
    norm = layers.Normalization()
    norm.adapt(TABLE / 10)
    (found,) = told(built(lambda x: norm(layers.Rescaling(0.1)(x)), (30,)))["input-0"]
    assert isinstance(found, Moments)
    np.testing.assert_allclose(found.mean, TABLE.mean(0), rtol=1e-3)
    np.testing.assert_allclose(found.deviation, TABLE.std(0), rtol=1e-3)


def test_each_input_tells_of_itself_and_the_smallest_table_bounds_the_ids() -> None:
    words, image = keras.Input((5,), dtype="int32"), keras.Input((8, 8, 1))
    joined = layers.Concatenate()(
        [
            layers.Flatten()(layers.Embedding(100, 2)(words)),
            layers.Flatten()(layers.Embedding(50, 2)(words)),
            layers.Flatten()(layers.Rescaling(1 / 255)(image)),
        ]
    )
    found = told(keras.Model([words, image], layers.Dense(1)(joined)))
    assert [type(one) for one in found["input-0"]] == [Ids]
    assert found["input-0"][0] == Ids(found["input-0"][0].layer, 50)
    assert [type(one) for one in found["input-1"]] == [Range]


def test_inputs_in_a_dict_are_told_apart_in_its_own_order() -> None:
    words = keras.Input((5,), dtype="int32", name="words")
    image = keras.Input((8, 8, 1), name="image")
    outputs = [layers.Embedding(9, 2)(words), layers.Rescaling(1 / 255)(image)]
    joined = layers.Concatenate()([layers.Flatten()(output) for output in outputs])
    model = keras.Model({"words": words, "image": image}, layers.Dense(1)(joined))
    source = open_source(model)
    names = [spec.name for spec in source.contract.inputs]
    found = expected_ranges(model, names)
    assert [type(one) for one in found["words"]] == [Ids]
    assert [type(one) for one in found["image"]] == [Range]


def test_the_size_after_a_first_convolution_is_a_true_lower_bound() -> None:
    model = trained_on(IMAGES * 255, [layers.Conv2D(8, 3), layers.BatchNormalization()])
    (found,) = told(model)["input-0"]
    assert isinstance(found, Size)
    true = float(np.sqrt(np.mean((IMAGES * 255) ** 2)))
    assert found.at_least is not None
    assert 0.05 * true < found.at_least <= 1.2 * true


def test_a_subclassed_model_tells_nothing() -> None:
    class Own(keras.Model):  # type: ignore[misc]
        def call(self, x: Any) -> Any:
            return x

    assert expected_ranges(Own(), ["x"]) == {}
    assert expected_ranges(object(), ["x"]) == {}
