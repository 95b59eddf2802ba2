"""The rows that a case is calibrated and judged on, by input name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from conversion import mnist
from conversion.cases import Case
from edgeship_runtime.arrays import Array

TRAINING = 7500
_SEED = 3
_COARSE = 8
_CAUSES = 8
_NOISE = 0.1


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows by input name, and what is known to be true of them, by output; empty if nothing is."""

    inputs: dict[str, Array]
    truth: dict[str, Array]


@dataclass(frozen=True, slots=True)
class CaseRows:
    """Three sets of rows that share none; `training` is empty where a case is not trained."""

    training: Rows
    calibrating: Rows
    judging: Rows


def rows_of(case: Case, model: Any, mnist_folder: Path | None) -> CaseRows:
    """Draw or read a case's rows, the same every time.

    Raises:
        ValueError: for a case on MNIST without the folder that holds it.
    """
    ends = np.cumsum([TRAINING if case.epochs else 0, case.calibrating, case.judging])
    if case.needs_mnist:
        if mnist_folder is None:
            raise ValueError(f"{case.name} needs MNIST: name its folder in ${mnist.FOLDER}")
        everything = _digits(case, *mnist.load(mnist_folder))
    else:
        (tensor,) = model.inputs
        everything = Rows(
            {tensor.name: drawn(case.data, int(ends[-1]), tuple(tensor.shape[1:]))}, {}
        )
    starts = (0, *ends[:-1])
    return CaseRows(*(_cut(everything, int(a), int(b)) for a, b in zip(starts, ends, strict=True)))


def drawn(data: str, rows: int, shape: tuple[int, ...]) -> Array:
    """Random rows, float32: standard normal; spectra; images of patches with some grain.

    Spectra have as many degrees of freedom as the autoencoder is wide at its narrowest. Images
    differ in tint and in contrast, as photographs do, so that their activations differ too.
    """
    random = np.random.default_rng(_SEED)
    if data == "normal":
        return random.standard_normal((rows, *shape), dtype=np.float32)
    if data == "spectra":
        causes = np.tanh(random.standard_normal((rows, _CAUSES)))
        spectra = causes @ random.standard_normal((_CAUSES, *shape))
        spectra += _NOISE * random.standard_normal(spectra.shape)
        return spectra.astype(np.float32)
    height, width, channels = shape
    patches = random.uniform(-1, 1, (rows, _COARSE, _COARSE, channels)).astype(np.float32)
    fine = patches.repeat(height // _COARSE, axis=1).repeat(width // _COARSE, axis=2)
    fine *= random.uniform(0.1, 1, (rows, 1, 1, 1)).astype(np.float32)
    fine += random.uniform(-0.7, 0.7, (rows, 1, 1, channels)).astype(np.float32)
    fine += _NOISE * random.standard_normal(fine.shape, dtype=np.float32)
    images: Array = np.clip(fine, -1, 1)
    return (images + 1) * np.float32(127.5) if data == "image-255" else images


def _digits(case: Case, images: Array, digits: Array) -> Rows:
    match case.data:
        case "mnist-rows":
            return Rows({"rows": images[..., 0]}, {"probabilities": digits})
        case "mnist-halves":
            halves = {"left": images[:, :, :14], "right": images[:, :, 14:]}
            return Rows(halves, {"digit": digits, "odd": digits % 2})
    return Rows({"image": images}, {"probabilities": digits})


def _cut(rows: Rows, start: int, end: int) -> Rows:
    return Rows(
        {name: array[start:end] for name, array in rows.inputs.items()},
        {name: array[start:end] for name, array in rows.truth.items()},
    )
