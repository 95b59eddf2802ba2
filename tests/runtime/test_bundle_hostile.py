"""Bundles that are damaged or mean harm are refused, each for what is wrong with it."""

from __future__ import annotations

import os
import sys
import tempfile
import tracemalloc
from pathlib import Path
from typing import NamedTuple

import pytest

from edgeship_runtime.bundle import Bundle
from edgeship_runtime.bundle.reader import MAX_FILES
from edgeship_runtime.errors import BundleError
from tests.hostile import make
from tests.hostile.packing import Entry

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MIB = 1 << 20


class Case(NamedTuple):
    """An entry of cases.toml."""

    file: str
    wrong: str
    phrase: str


CASES = [
    Case(**entry) for entry in tomllib.loads((make.HERE / "cases.toml").read_text("utf-8"))["case"]
]


def refusal(path: Path) -> str:
    """What opening the bundle says, with the memory and the manners of a refusal checked."""
    before = sorted(path.parent.iterdir())
    tracemalloc.start()
    try:
        with pytest.raises(BundleError) as caught:
            Bundle.open(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    said = str(caught.value)
    assert said.isprintable(), "an error is one line, without control characters"
    assert peak < 64 * MIB
    assert sorted(path.parent.iterdir()) == before
    assert caught.value.exit_code == 1
    return said


@pytest.mark.parametrize("case", CASES, ids=[case.file for case in CASES])
def test_a_hostile_bundle_is_refused_for_what_is_wrong_with_it(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert case.phrase in refusal(make.BUNDLES / case.file)
    assert not list(tmp_path.iterdir())


def test_every_hostile_bundle_has_a_case_and_a_recipe() -> None:
    files = sorted(entry.name for entry in make.BUNDLES.iterdir())
    assert files == sorted(case.file for case in CASES)
    assert files == sorted(make.CASES)


def test_the_bundle_that_they_are_made_from_is_good() -> None:
    assert Bundle.open(make.PLAIN).manifest.name == "tiny"


def test_hostile_bundles_are_small_enough_to_keep() -> None:
    sizes = [path.stat().st_size for path in make.BUNDLES.rglob("*") if path.is_file()]
    assert max(sizes) < 100_000


@pytest.mark.parametrize("target", ["/etc/passwd", make.MODEL, "missing"])
def test_a_link_in_a_folder_is_refused(target: str, tmp_path: Path) -> None:
    root = tmp_path / "bundle"
    make.write(root, make.plain())
    (root / make.GOLDEN).unlink()
    (root / make.GOLDEN).symlink_to(target)
    assert "a link or special file" in refusal(root)


def test_a_linked_folder_within_a_folder_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "bundle"
    make.write(root, make.plain())
    (root / "goldens").rename(tmp_path / "elsewhere")
    (root / "goldens").symlink_to(tmp_path / "elsewhere")
    assert "a link or special file" in refusal(root)


def test_a_link_that_goes_round_in_a_folder_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "bundle"
    make.write(root, make.plain())
    (root / "again").symlink_to(root)
    assert "a link or special file" in refusal(root)


def test_a_pipe_in_a_folder_is_refused_without_waiting_on_it(tmp_path: Path) -> None:
    root = tmp_path / "bundle"
    make.write(root, make.plain())
    (root / make.GOLDEN).unlink()
    os.mkfifo(root / make.GOLDEN)
    assert "a link or special file" in refusal(root)


def test_a_hidden_file_in_a_folder_is_refused(tmp_path: Path) -> None:
    make.write(tmp_path / "bundle", {**make.plain(), ".hidden": b"x"})
    assert "names the path '.hidden'" in refusal(tmp_path / "bundle")


def test_folders_too_deep_for_any_use_are_refused(tmp_path: Path) -> None:
    root = tmp_path / "bundle"
    make.write(root, make.plain())
    deep = root
    for _ in range(600):
        deep = deep / "f"
        deep.mkdir()
    assert "expected relative parts" in refusal(root)


def test_more_files_than_any_model_needs_are_refused(tmp_path: Path) -> None:
    many = [Entry(f"extra/{index}", b"") for index in range(MAX_FILES)]
    path = tmp_path / "many.edgeship"
    path.write_bytes(make.zipped(make.plain(), *many))
    assert f"the limit is {MAX_FILES}" in refusal(path)


def test_a_bundle_above_the_limit_given_is_refused() -> None:
    size = sum(len(data) for data in make.plain().values())
    Bundle.open(make.PLAIN, max_bytes=size)
    with pytest.raises(BundleError, match=f"unpacks to {size} bytes, the limit is {size - 1}"):
        Bundle.open(make.PLAIN, max_bytes=size - 1)


@pytest.mark.parametrize("name", ["missing", "n" * 300, "plain.edgeship/inside"])
def test_a_path_without_a_bundle_is_wrong_use(name: str) -> None:
    with pytest.raises(BundleError, match="there is no bundle at") as caught:
        Bundle.open(make.HERE / name)
    assert caught.value.exit_code == 2
