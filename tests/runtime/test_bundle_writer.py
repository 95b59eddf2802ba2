"""A bundle is written whole or not at all, and the same content gives the same bytes."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from edgeship_runtime.bundle import Bundle, BundleWriter
from edgeship_runtime.errors import BundleError
from tests import tiny
from tests.hostile import make
from tests.hostile.packing import Entry, pack

SHAPES = ["bundle", "bundle.edgeship"]


def contents(bundle: Bundle) -> dict[str, bytes]:
    return {path: bundle.read(path) for path in bundle.paths()}


def tree(root: Path) -> dict[str, bytes]:
    """Every file at or below `root`."""
    if root.is_file():
        return {"": root.read_bytes()}
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }


def rewrite(bundle: Bundle, target: Path) -> Bundle:
    """Write a bundle's content elsewhere."""
    writer = BundleWriter(target)
    for path, data in reversed(contents(bundle).items()):
        writer.add(path, data)
    return writer.write(bundle.manifest)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_same_content_gives_the_same_bytes(shape: str, tmp_path: Path) -> None:
    tiny.write(tmp_path / "one" / shape)
    tiny.write(tmp_path / "other" / shape)
    assert tree(tmp_path / "one") == tree(tmp_path / "other")


def test_a_bundle_written_by_an_earlier_release_is_written_again_byte_for_byte(
    tmp_path: Path,
) -> None:
    target = tmp_path / "again.edgeship"
    rewrite(Bundle.open(make.PLAIN), target)
    assert target.read_bytes() == make.PLAIN.read_bytes()


def test_folder_and_zip_hold_the_same(tmp_path: Path) -> None:
    zipped = tiny.write(tmp_path / "one.edgeship")
    folder = rewrite(zipped, tmp_path / "folder")
    again = rewrite(folder, tmp_path / "again.edgeship")
    assert zipped.sha256 == folder.sha256 == again.sha256
    assert contents(zipped) == contents(folder) == contents(again)
    assert (tmp_path / "one.edgeship").read_bytes() == (tmp_path / "again.edgeship").read_bytes()


def test_a_folder_can_be_checked_by_hand(tmp_path: Path) -> None:
    tiny.write(tmp_path / "bundle")
    subprocess.run(
        ["sha256sum", "--check", "--strict", "manifest.sha256"],
        cwd=tmp_path / "bundle",
        check=True,
        capture_output=True,
    )


@pytest.mark.parametrize("old", SHAPES)
@pytest.mark.parametrize("suffix", ["", ".edgeship"])
def test_an_existing_bundle_is_replaced_whatever_its_shape(
    old: str, suffix: str, tmp_path: Path
) -> None:
    made = tmp_path / "made" / old
    tiny.write(made)
    target = tmp_path / f"target{suffix}"
    made.rename(target)
    new = tiny.write(target, baseline=b"{}")
    assert new.manifest.baseline == "baseline.json"
    assert Bundle.open(target).sha256 == new.sha256
    assert sorted(path.name for path in tmp_path.iterdir()) == ["made", target.name]


def test_missing_folders_above_the_target_are_made(tmp_path: Path) -> None:
    tiny.write(tmp_path / "a" / "b" / "bundle")
    assert Bundle.open(tmp_path / "a" / "b" / "bundle").manifest.name == "tiny"


def other_folder(path: Path) -> None:
    path.mkdir()
    (path / "thesis.txt").write_text("years of work")


def empty_folder(path: Path) -> None:
    path.mkdir()


def folder_bundle_and_more(path: Path) -> None:
    tiny.write(path.parent / "made")
    (path.parent / "made").rename(path)
    (path / "thesis.txt").write_text("years of work")


def text_file(path: Path) -> None:
    path.write_text("years of work")


def other_zip(path: Path) -> None:
    path.write_bytes(pack([Entry("thesis.txt", b"years of work")]))


def link_to_bundle(path: Path) -> None:
    tiny.write(path.parent / "elsewhere")
    path.symlink_to("elsewhere")


def dangling_link(path: Path) -> None:
    path.symlink_to("nowhere")


@pytest.mark.parametrize("suffix", ["", ".edgeship"])
@pytest.mark.parametrize(
    "put",
    [
        other_folder,
        empty_folder,
        folder_bundle_and_more,
        text_file,
        other_zip,
        link_to_bundle,
        dangling_link,
    ],
    ids=lambda put: put.__name__,
)
def test_what_is_not_a_bundle_is_left_alone(put: object, suffix: str, tmp_path: Path) -> None:
    assert callable(put)
    target = tmp_path / f"target{suffix}"
    put(target)
    before = tree(tmp_path)
    link = target.is_symlink()
    with pytest.raises(BundleError, match="is not a bundle alone: choose another") as caught:
        BundleWriter(target)
    assert caught.value.exit_code == 2
    assert tree(tmp_path) == before
    assert target.is_symlink() == link


def test_what_came_between_is_left_alone(tmp_path: Path) -> None:
    manifest, files = tiny.manifest_and_files()
    writer = BundleWriter(tmp_path / "target")
    for path, data in files.items():
        writer.add(path, data)
    (tmp_path / "target").write_text("years of work")
    with pytest.raises(BundleError, match="is not a bundle"):
        writer.write(manifest)
    assert tree(tmp_path) == {"target": b"years of work"}


@pytest.mark.parametrize("where", ["file.txt/bundle", "/proc/bundle", "n" * 300])
def test_a_place_that_cannot_be_written_is_wrong_use(where: str, tmp_path: Path) -> None:
    (tmp_path / "file.txt").write_text("x")
    with pytest.raises(BundleError, match=r"cannot write .* choose another -o") as caught:
        tiny.write(tmp_path / where)
    assert caught.value.exit_code == 2
    assert tree(tmp_path) == {"file.txt": b"x"}
    assert [path.name for path in tmp_path.iterdir()] == ["file.txt"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_leave_to_write_is_wrong_use(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(BundleError, match="Permission denied") as caught:
            tiny.write(tmp_path / "bundle")
    finally:
        tmp_path.chmod(0o700)
    assert caught.value.exit_code == 2


def test_files_that_disagree_with_the_manifest_are_not_written(tmp_path: Path) -> None:
    old = tiny.write(tmp_path / "bundle")
    manifest, files = tiny.manifest_and_files()
    writer = BundleWriter(tmp_path / "bundle")
    for path, data in files.items():
        writer.add(path, data + b"x" if path == make.MODEL else data)
    with pytest.raises(BundleError, match="the manifest states"):
        writer.write(manifest)
    assert Bundle.open(tmp_path / "bundle").sha256 == old.sha256
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


FULL_DISK = """
    import resource, sys
    from edgeship_runtime.errors import BundleError
    from tests import tiny

    # No file may grow beyond 1 kB: writing fails as it does on a full disk.
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    try:
        tiny.write(sys.argv[1], baseline=bytes(100_000))
    except BundleError as error:
        sys.exit(f"{error.exit_code} {error}")
"""


@pytest.mark.parametrize("shape", SHAPES)
def test_a_disk_that_fills_up_leaves_the_old_bundle(shape: str, tmp_path: Path) -> None:
    target = tmp_path / shape
    old = tiny.write(target)
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(FULL_DISK), target],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        check=False,
    )
    assert done.stderr.startswith(f"2 cannot write {target} (File too large)"), done.stderr
    assert Bundle.open(target).sha256 == old.sha256
    assert [path.name for path in tmp_path.iterdir()] == [shape]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_file_changed_after_opening_is_not_handed_out(shape: str, tmp_path: Path) -> None:
    bundle = tiny.write(tmp_path / shape)
    file = tmp_path / shape
    file = file / make.MODEL if file.is_dir() else file
    data = file.read_bytes()
    file.write_bytes(data.replace(b"weights", b"weightz"))
    with pytest.raises(BundleError, match=r"SHA-256|Bad CRC-32"):
        bundle.read(make.MODEL)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_file_gone_after_opening_is_an_error_for_people(shape: str, tmp_path: Path) -> None:
    bundle = tiny.write(tmp_path / shape)
    file = tmp_path / shape
    (file / make.MODEL if file.is_dir() else file).unlink()
    with pytest.raises(BundleError, match="cannot be read"):
        bundle.read(make.MODEL)


def test_a_file_that_the_manifest_does_not_name_cannot_be_read(tmp_path: Path) -> None:
    bundle = tiny.write(tmp_path / "bundle")
    for path in ("manifest.json", "../bundle/manifest.json", "none"):
        with pytest.raises(BundleError, match="names no file"):
            bundle.read(path)


def test_an_unknown_variant_is_refused_with_those_there_are(tmp_path: Path) -> None:
    bundle = tiny.write(tmp_path / "bundle")
    with pytest.raises(BundleError, match="no variant 'tflite-int8': it holds onnx-float32"):
        bundle.manifest.variant("tflite-int8")
