"""An `.h5` file that names other files, or claims what it does not hold, is not loaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from keras import layers

from edgeship_converters.errors import SourceError
from edgeship_converters.sources import open_source

SECRET = np.arange(12, dtype=np.float32).reshape(3, 4)


def first_kernel(file: h5py.File) -> tuple[h5py.Group, str]:
    """The group that holds the first layer's weights, and its kernel's name there."""
    found: list[str] = []
    file.visit(lambda name: found.append(name) if name.endswith("kernel") else None)
    path = found[0]
    return file[path].parent, path.rsplit("/", maxsplit=1)[-1]


def external_storage(file: h5py.File, secret: Path) -> None:
    raw = secret.with_suffix(".raw")
    raw.write_bytes(SECRET.tobytes())
    group, name = first_kernel(file)
    del group[name]
    group.create_dataset(name, SECRET.shape, np.float32, external=[(str(raw), 0, SECRET.nbytes)])


def external_link(file: h5py.File, secret: Path) -> None:
    group, name = first_kernel(file)
    del group[name]
    group[name] = h5py.ExternalLink(str(secret), "/secret")


def virtual(file: h5py.File, secret: Path) -> None:
    group, name = first_kernel(file)
    del group[name]
    layout = h5py.VirtualLayout(SECRET.shape, np.float32)
    layout[:] = h5py.VirtualSource(str(secret), "secret", SECRET.shape)
    group.create_virtual_dataset(name, layout)


def unfilled(file: h5py.File, secret: Path) -> None:
    group, name = first_kernel(file)
    del group[name]
    group.create_dataset(name, (1 << 40,), np.float32, chunks=(1 << 10,))


@pytest.mark.parametrize("keras_version", ["2.15.0", "3.15.1"])
@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (external_storage, "lies in another file"),
        (external_link, "is a link to elsewhere"),
        (virtual, "lies in another file"),
        (unfilled, "claims 4,398,046,511,104 bytes, of which the file holds 0"),
    ],
)
def test_what_lies_elsewhere_is_not_read(
    spoil: Callable[[h5py.File, Path], None], told: str, keras_version: str, tmp_path: Path
) -> None:
    path, secret = tmp_path / "m.h5", tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["secret"] = SECRET
    keras.Sequential([keras.Input((3,)), layers.Dense(4)]).save(path)
    with h5py.File(path, "r+") as file:
        file.attrs["keras_version"] = keras_version
        spoil(file, secret)
    with pytest.raises(SourceError, match=told) as caught:
        open_source(path)
    assert "kernel" in str(caught.value)


def test_a_group_that_holds_itself_is_looked_at_once(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    keras.Sequential([keras.Input((3,)), layers.Dense(4)]).save(path)
    with h5py.File(path, "r+") as file:
        file["model_weights"]["again"] = file["model_weights"]
    assert open_source(path).contract.inputs[0].shape == (None, 3)
