"""Whatever happens to a bundle's bytes, what is opened is what was written, or nothing is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgeship_runtime.bundle import Bundle
from edgeship_runtime.bundle.decode import decode
from edgeship_runtime.bundle.manifest import encode
from edgeship_runtime.errors import BundleError
from tests.hostile import make

FILES = make.plain()
ZIP = make.zipped(FILES)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The good bundle, as written."""
    path = tmp_path_factory.mktemp("plain") / "plain.edgeship"
    path.write_bytes(ZIP)
    return Bundle.open(path)


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where to put a damaged zip."""
    return tmp_path_factory.mktemp("damaged") / "damaged.edgeship"


def assert_refused_or_same(path: Path, good: Bundle) -> None:
    try:
        found = Bundle.open(path)
    except BundleError as error:
        assert str(error).isprintable()
        return
    assert found.sha256 == good.sha256
    assert found.manifest == good.manifest
    assert {path: found.read(path) for path in found.paths()} == {
        path: good.read(path) for path in good.paths()
    }


@pytest.mark.parametrize("mask", [0x01, 0x20, 0xFF])
def test_any_one_byte_of_a_zip_may_be_damaged(mask: int, bundle: Bundle, damaged: Path) -> None:
    data = bytearray(ZIP)
    for position in range(len(data)):
        data[position] ^= mask
        damaged.write_bytes(data)
        assert_refused_or_same(damaged, bundle)
        data[position] ^= mask


def test_any_one_byte_of_a_folder_may_be_damaged(bundle: Bundle, tmp_path: Path) -> None:
    make.write(tmp_path, FILES)
    for path, content in FILES.items():
        for position in range(len(content)):
            damaged = bytearray(content)
            damaged[position] ^= 0x01
            (tmp_path / path).write_bytes(damaged)
            with pytest.raises(BundleError):
                Bundle.open(tmp_path)
        (tmp_path / path).write_bytes(content)
    assert_refused_or_same(tmp_path, bundle)


def test_a_zip_may_be_cut_anywhere(bundle: Bundle, damaged: Path) -> None:
    for length in range(0, len(ZIP), 7):
        damaged.write_bytes(ZIP[:length])
        with pytest.raises(BundleError):
            Bundle.open(damaged)


EDITS = st.lists(
    st.tuples(st.integers(0, len(ZIP) - 1), st.integers(0, 8), st.binary(min_size=0, max_size=8)),
    min_size=1,
    max_size=6,
)


@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(edits=EDITS)
def test_a_zip_may_be_edited_at_random(
    edits: list[tuple[int, int, bytes]], bundle: Bundle, damaged: Path
) -> None:
    data = ZIP
    for start, drop, put in edits:
        data = data[:start] + put + data[start + drop :]
    damaged.write_bytes(data)
    assert_refused_or_same(damaged, bundle)


# The records that say where everything lies come last, and are where a reader trips.
@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    edits=st.lists(
        st.tuples(st.integers(1, 700), st.sampled_from([0, 1, 8, 0x40, 0x7F, 0x80, 0xFE, 0xFF])),
        min_size=1,
        max_size=12,
    )
)
def test_a_zips_directory_may_be_edited_at_random(
    edits: list[tuple[int, int]], bundle: Bundle, damaged: Path
) -> None:
    data = bytearray(ZIP)
    for from_end, value in edits:
        data[-from_end] = value
    damaged.write_bytes(data)
    assert_refused_or_same(damaged, bundle)


@settings(max_examples=400, deadline=None)
@given(
    start=st.integers(0, len(FILES["manifest.json"])),
    drop=st.integers(0, 30),
    put=st.text('{}[]":,0123456789.eE-+ntrufalsx\\\n', max_size=12),
)
def test_a_manifest_edited_at_random_is_refused_or_consistent(
    start: int, drop: int, put: str
) -> None:
    data = FILES["manifest.json"]
    edited = data[:start] + put.encode() + data[start + drop :]
    try:
        manifest = decode(edited)
    except BundleError as error:
        assert str(error).isprintable()
        return
    assert decode(encode(manifest)) == manifest
