"""Train a small CNN on scikit-learn's digits in Keras.

Writes digits.keras, and with the arrays `image` and `y` digits-train.npz, digits-test.npz, and
digits-dim.npz: the test images as a camera with half the light would see them.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(0)


def train(folder: Path) -> None:
    """Train, and write the model and both data files to `folder`."""
    pixels, labels = load_digits(return_X_y=True)
    images = (pixels / 16).astype(np.float32).reshape(-1, 8, 8, 1)
    train_x, test_x, train_y, test_y = train_test_split(
        images, labels, test_size=0.3, random_state=0, stratify=labels
    )
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1), name="image"),
            layers.Conv2D(32, 3, activation="relu", padding="same"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu", padding="same"),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(10, activation="softmax", name="probabilities"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(train_x, train_y, epochs=30, batch_size=64, verbose=0)
    np.savez(folder / "digits-dim.npz", image=test_x / 2, y=test_y)
    _, accuracy = model.evaluate(test_x, test_y, verbose=0)
    model.save(folder / "digits.keras")
    np.savez(folder / "digits-train.npz", image=train_x, y=train_y)
    np.savez(folder / "digits-test.npz", image=test_x, y=test_y)
    print(f"digits: {model.count_params()} parameters, {accuracy:.2%} on {len(test_y)} test rows")


if __name__ == "__main__":
    train(Path(sys.argv[1]))
