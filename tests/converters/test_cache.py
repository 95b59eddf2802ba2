"""The cache: found only when nothing changed, worth nothing when damaged, never in the way."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from edgeship_converters import cache as caching
from edgeship_converters.artifact import Artifact
from edgeship_converters.cache import Cache, cache_folder, digest, digest_arrays
from edgeship_runtime.bundle import Quantization, QuantizedTensor

ARTIFACT = Artifact(
    {"a/b": b"\x00\xff", "c": b""},
    Quantization(inputs={"x": QuantizedTensor(dtype="int8", scale=0.1, zero_point=-3)}),
)
KEY = digest("key")


def only_file(folder: Path) -> Path:
    """The one outcome that is kept."""
    (path,) = folder.glob("*/*")
    return path


def test_an_artifact_comes_back_as_it_was(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    assert cache.find(KEY, Artifact) is None
    cache.keep(KEY, ARTIFACT)
    found = cache.find(KEY, Artifact)
    assert found == ARTIFACT
    assert found is not None
    assert found.sha256 == ARTIFACT.sha256


def test_arrays_come_back_as_they_were(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    arrays = {"x": np.array([[1.5, np.nan]], np.float32), "label": np.array(["a", "bc"])}
    cache.keep_arrays(KEY, arrays)
    found = cache.find_arrays(KEY)
    assert found is not None
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype


@pytest.mark.parametrize("damage", [b"", b"short", b"\0" * 200])
def test_a_damaged_outcome_is_not_found(tmp_path: Path, damage: bytes) -> None:
    cache = Cache(tmp_path)
    cache.keep(KEY, ARTIFACT)
    only_file(tmp_path).write_bytes(damage)
    assert cache.find(KEY, Artifact) is None


def test_one_flipped_bit_is_not_found(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.keep(KEY, ARTIFACT)
    path = only_file(tmp_path)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert cache.find(KEY, Artifact) is None


def test_without_a_folder_nothing_is_kept() -> None:
    cache = Cache(None)
    cache.keep(KEY, ARTIFACT)
    cache.prune()
    assert cache.find(KEY, Artifact) is None


def test_a_folder_that_cannot_be_made_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = Cache(tmp_path / "file" / "cache")
    cache.keep(KEY, ARTIFACT)
    assert cache.find(KEY, Artifact) is None
    cache.prune()


def test_what_was_longest_not_used_goes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = Cache(tmp_path)
    for name in ("old", "new"):
        cache.keep(digest(name), {"x": bytes(600)})
    kept = tmp_path / digest("old")[:2] / digest("old")[2:]
    os.utime(kept, (1, 1))
    monkeypatch.setattr(caching, "_MOST_BYTES", 1000)
    cache.prune()
    assert cache.find(digest("old"), dict[str, bytes]) is None
    assert cache.find(digest("new"), dict[str, bytes]) is not None


def test_a_digest_sees_every_part() -> None:
    assert digest("a", "bc") != digest("ab", "c")
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    one = {"x": np.zeros((2, 3), np.float32)}
    for other in (
        {"y": one["x"]},
        {"x": one["x"].reshape(3, 2)},
        {"x": one["x"].astype(np.float64)},
        {"x": one["x"] + 1},
    ):
        assert digest_arrays(one) != digest_arrays(other)


def test_the_folder_follows_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGESHIP_CACHE", str(tmp_path / "mine"))
    assert cache_folder() == tmp_path / "mine"
    monkeypatch.delenv("EDGESHIP_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "edgeship"
