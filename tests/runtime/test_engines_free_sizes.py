"""Models whose images or sequences may be of any size run on whatever comes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from edgeship_runtime.arrays import Array
from edgeship_runtime.engines.litert import LiteRT
from edgeship_runtime.errors import EngineError

KERNEL = np.random.default_rng(3).normal(size=(3, 3, 1, 2)).astype(np.float32)


def convolved(images: Array) -> Array:
    windows = np.lib.stride_tricks.sliding_window_view(images[..., 0], (3, 3), axis=(1, 2))
    answer: Array = np.einsum("nhwij,ijc->nhwc", windows, KERNEL[:, :, 0])
    return answer


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A 3×3 convolution, too large for the images of one pixel that the file itself speaks of."""
    folder = tmp_path_factory.mktemp("free")

    class Network(tf.Module):  # type: ignore[misc]
        @tf.function(input_signature=[tf.TensorSpec([None, None, None, 1], name="x")])  # type: ignore[untyped-decorator]
        def __call__(self, x: Any) -> Any:
            return {"y": tf.nn.conv2d(x, KERNEL, strides=1, padding="VALID")}

    network = Network()
    tf.saved_model.save(network, str(folder), signatures={"serving_default": network.__call__})
    converted: bytes = tf.lite.TFLiteConverter.from_saved_model(str(folder)).convert()
    return converted


def test_images_of_several_sizes_run_one_after_the_other(model: bytes) -> None:
    engine = LiteRT(model)
    random = np.random.default_rng(4)
    for shape in ((2, 9, 7, 1), (5, 4, 4, 1), (1, 16, 3, 1), (2, 9, 7, 1)):
        images = random.normal(size=shape).astype(np.float32)
        answer = engine.run({"x": images})["y"]
        np.testing.assert_allclose(answer, convolved(images), rtol=1e-4, atol=1e-5)


def test_an_image_too_small_is_refused_and_the_next_one_runs(model: bytes) -> None:
    engine = LiteRT(model)
    with pytest.raises(EngineError, match="fails on the input"):
        engine.run({"x": np.zeros((1, 2, 2, 1), np.float32)})
    images = np.ones((3, 5, 6, 1), np.float32)
    np.testing.assert_allclose(engine.run({"x": images})["y"], convolved(images), rtol=1e-4)
