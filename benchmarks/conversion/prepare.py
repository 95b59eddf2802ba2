"""A case's files, which both ways of converting start from: the model, and rows in two `.npz`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import numpy as np

from conversion.cases import Case
from conversion.rows import CaseRows, Rows, rows_of
from edgeship_runtime.arrays import Array

MODEL = "model.keras"
CALIBRATING = "calibrating.npz"
JUDGING = "judging.npz"
LABELS = "y"
_SEED = 11
_BATCH = 64
_SETTLING = 32
_SCORES = 4.0


def prepare(case: Case, folder: Path, mnist_folder: Path | None, epochs: int | None = None) -> None:
    """Build the model, train or settle it, and write what it is converted from below `folder`.

    Args:
        case: what to build.
        folder: made where it is not there.
        mnist_folder: where MNIST lies; cases that do not need it take None.
        epochs: of training, in place of the case's own.
    """
    keras.utils.set_random_seed(_SEED)
    model = case.build()
    rows = rows_of(case, model, mnist_folder)
    if case.epochs:
        train(model, rows.training, case.epochs if epochs is None else epochs)
    else:
        settle(model, rows)
    folder.mkdir(parents=True, exist_ok=True)
    model.save(folder / MODEL)
    _write(folder / CALIBRATING, rows.calibrating)
    _write(folder / JUDGING, rows.judging)


def train(model: Any, rows: Rows, epochs: int) -> None:
    """Adam, its rate falling to zero over the epochs.

    On cross-entropy where the truth is known; else the model learns to rebuild its input.
    """
    losses = {
        name: "binary_crossentropy" if name == "odd" else "sparse_categorical_crossentropy"
        for name in rows.truth
    }
    inputs = _alone(rows.inputs)
    truth, loss = (_alone(rows.truth), _alone(losses)) if losses else (inputs, "mse")
    steps = epochs * -(-len(next(iter(rows.inputs.values()))) // _BATCH)
    rate = keras.optimizers.schedules.CosineDecay(2e-3, steps)
    model.compile(keras.optimizers.Adam(rate), loss)
    model.fit(inputs, truth, batch_size=_BATCH, epochs=epochs, verbose=0)


def settle(model: Any, rows: CaseRows) -> None:
    """Give a model that is not trained weights as a trained one has.

    Biases and scales are drawn, since those that Keras begins with are zeros and ones, which
    quantize without error; moving statistics become those of the calibration rows, without which
    activations die out or explode from layer to layer. Shifts keep most activations above zero:
    with shifts about zero, deep normalized networks magnify a rounding a hundred times (Yang et
    al. 2019, A Mean Field Theory of Batch Normalization), which training undoes. The last layer's
    scores are spread as far as a trained model's are: a thousand equal probabilities all round to
    zero in int8.
    """
    random = np.random.default_rng(_SEED)
    for layer in model.layers:
        for weight in layer.trainable_weights:
            match weight.name:
                case "bias":
                    weight.assign(random.normal(0, 0.1, weight.shape))
                case "beta":
                    weight.assign(random.normal(1, 0.3, weight.shape))
                case "gamma":
                    weight.assign(random.uniform(0.5, 1, weight.shape))
    normalizing = [
        layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)
    ]
    kept = [layer.momentum for layer in normalizing]
    for layer in normalizing:
        layer.momentum = 0.0
    inputs = next(iter(rows.calibrating.inputs.values()))[:_SETTLING]
    model(inputs, training=True)
    for layer, momentum in zip(normalizing, kept, strict=True):
        layer.momentum = momentum
    _spread(model, inputs)


def _spread(model: Any, inputs: Array) -> None:
    """Let each class's score before the softmax vary about zero, over rows."""
    last = model.layers[-1]
    before = keras.Model(model.inputs[0], last.input)(inputs).numpy()
    kernel, _ = last.get_weights()
    scores = before @ kernel
    scale = _SCORES / scores.std(axis=0)
    last.set_weights([kernel * scale, -scores.mean(axis=0) * scale])


def _alone(named: dict[str, Any]) -> Any:
    return next(iter(named.values())) if len(named) == 1 else named


def _write(path: Path, rows: Rows) -> None:
    arrays: dict[str, Array] = dict(rows.inputs)
    if len(rows.truth) == 1:
        arrays[LABELS] = next(iter(rows.truth.values()))
    np.savez(path, allow_pickle=False, **arrays)
