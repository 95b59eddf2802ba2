"""The 10 000 test images of MNIST (LeCun, Cortes, Burges 1998), from their IDX files."""

from __future__ import annotations

import gzip
import math
import os
import struct
from pathlib import Path

import numpy as np

from edgeship_runtime.arrays import Array

FOLDER = "EDGESHIP_MNIST"
IMAGES = "mnist-t10k-images-idx3-ubyte.gz"
LABELS = "mnist-t10k-labels-idx1-ubyte.gz"
_BESIDE = Path(__file__).parents[3] / "shared" / "data"
_SEED = 7


def folder() -> Path | None:
    """Where both files lie: $EDGESHIP_MNIST, or ../shared/data; None where they do not."""
    where = Path(os.environ.get(FOLDER) or _BESIDE)
    return where if all((where / name).is_file() for name in (IMAGES, LABELS)) else None


def load(where: Path) -> tuple[Array, Array]:
    """Images, float32 from 0 to 1 of shape (rows, 28, 28, 1), and labels, int64, shuffled alike.

    The order is mixed with a fixed seed: the first half of the file holds easier hands.

    Raises:
        ValueError: for a file that is not in the IDX form.
    """
    images, labels = read_idx(where / IMAGES), read_idx(where / LABELS)
    order = np.random.default_rng(_SEED).permutation(len(images))
    return (images[order, ..., None] / 255.0).astype(np.float32), labels[order].astype(np.int64)


def read_idx(path: Path) -> Array:
    """An IDX file of unsigned bytes: two zero bytes, type 8, the rank, big-endian sizes, values.

    Raises:
        ValueError: with the path, for any other file.
    """
    data = gzip.decompress(path.read_bytes())
    if len(data) < 4 or data[:3] != b"\0\0\x08":
        raise ValueError(f"{path} is no IDX file of unsigned bytes: it begins {data[:3]!r}")
    start = 4 + 4 * data[3]
    shape = struct.unpack(f">{data[3]}I", data[4:start])
    if len(data) - start != math.prod(shape):
        raise ValueError(f"{path} holds {len(data) - start} values, expected {shape}")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)
