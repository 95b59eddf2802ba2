"""Digits classifiers whose first layers int8 cannot hold, as they come out of careless training.

Every fourth channel of a hidden layer is a thousand times larger than the others, and the next
layer divides by as much: in float nothing changes, but the others share one or two int8 steps.
"""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
from sklearn.datasets import load_digits


def save_digits_model(folder: Path, hidden: dict[str, int], largest: float = 1000.0) -> None:
    """Write m.keras, with `hidden` layers by name and width, train.npz and test.npz.

    Every fourth channel of the first layer is `largest` times as large as trained; the layer that
    follows it divides by as much.
    """
    keras.utils.set_random_seed(0)
    pixels, labels = load_digits(return_X_y=True)
    x, y = (pixels / 16).astype(np.float32), labels.astype(np.int64)
    layers = [keras.layers.Dense(n, "relu", name=name) for name, n in hidden.items()]
    head = keras.layers.Dense(10, "softmax", name="probabilities")
    model = keras.Sequential([keras.Input((64,), name="pixels"), *layers, head])
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x[:1200], y[:1200], epochs=25, batch_size=32, verbose=0)
    first, second = model.layers[0], model.layers[1]
    scale = np.where(np.arange(first.units) % 4 == 0, largest, 1.0).astype(np.float32)
    first.kernel.assign(first.kernel * scale)
    first.bias.assign(first.bias * scale)
    second.kernel.assign(second.kernel / scale[:, None])
    model.save(folder / "m.keras")
    np.savez(folder / "train.npz", x=x[:1200], y=y[:1200])
    np.savez(folder / "test.npz", x=x[1200:], y=y[1200:])
