"""An output that the model itself goes on with is right in integers, and so is what follows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from edgeship_converters.convert import carry_out
from edgeship_converters.request import Request


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("Reshape", [(36, 4)]),
        ("Permute", [(3, 1, 2)]),
        ("ZeroPadding2D", [1]),
        ("Cropping2D", [1]),
        ("Conv2D", [2, 3]),
        ("Conv2DTranspose", [2, 3]),
        ("UpSampling2D", [2]),
        ("Softmax", []),
        ("Dense", [3]),
        ("Concatenate", []),
    ],
)
def test_what_is_put_out_and_gone_on_with(name: str, arguments: list[Any], tmp_path: Path) -> None:
    keras.utils.set_random_seed(0)
    x = keras.Input((8, 8, 3), name="x")
    features = layers.Conv2D(4, 3, name="features")(x)
    taken = [features, features] if name == "Concatenate" else features
    after = getattr(layers, name)(*arguments)(taken)
    model = keras.Model(x, {"features": features, "after": after})
    rows = np.random.default_rng(0).normal(size=(150, 8, 8, 3)).astype(np.float32)
    request = Request(
        source=model, data={"x": rows}, variants="tflite-int8,tflite-int16x8", max_drop=0.05
    )
    bundle = carry_out(request, tmp_path / "b").bundle
    assert len(bundle.manifest.variants) == 2
