"""An output that the model itself goes on with is right in integers, and so is what follows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from edgeship_converters.convert import carry_out
from edgeship_converters.request import Request


@pytest.mark.parametrize(
    "follow",
    [
        lambda features: layers.Reshape((36, 4))(features),
        lambda features: layers.Permute((3, 1, 2))(features),
        lambda features: layers.ZeroPadding2D(1)(features),
        lambda features: layers.Cropping2D(1)(features),
        lambda features: layers.Conv2D(2, 3)(features),
        lambda features: layers.Conv2DTranspose(2, 3)(features),
        lambda features: layers.UpSampling2D(2)(features),
        lambda features: layers.Softmax()(features),
        lambda features: layers.concatenate([features, features]),
        lambda features: layers.Dense(3)(layers.Flatten()(features)),
    ],
    ids=range(10),
)
def test_what_is_put_out_and_gone_on_with(follow: Callable[[Any], Any], tmp_path: Path) -> None:
    keras.utils.set_random_seed(0)
    x = keras.Input((8, 8, 3), name="x")
    features = layers.Conv2D(4, 3, name="features")(x)
    model = keras.Model(x, {"features": features, "after": follow(features)})
    rows = np.random.default_rng(0).normal(size=(150, 8, 8, 3)).astype(np.float32)
    request = Request(
        source=model, data={"x": rows}, variants="tflite-int8,tflite-int16x8", max_drop=0.05
    )
    bundle = carry_out(request, tmp_path / "b").bundle
    assert len(bundle.manifest.variants) == 2
