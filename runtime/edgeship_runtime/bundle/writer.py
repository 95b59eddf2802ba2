"""Writing a bundle: whole or not at all, and the same bytes for the same content."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from edgeship_runtime.bundle.decode import decode
from edgeship_runtime.bundle.manifest import FileSpec, Manifest, encode
from edgeship_runtime.bundle.reader import MANIFEST, MANIFEST_HASH, Bundle, manifest_hash_line
from edgeship_runtime.bundle.storage import UNREADABLE, Archive, Folder, Memory, Storage
from edgeship_runtime.durable import sync_folder, write_synced
from edgeship_runtime.errors import BundleError

_EPOCH = (1980, 1, 1, 0, 0, 0)
# A folder of such a name would be taken for what it is not.
_OTHER_FILES = (".tflite", ".onnx", ".keras", ".h5", ".pb", ".zip")


class BundleWriter:
    """Collects a bundle's files, then writes them in one step.

    A path that ends in `.edgeship` becomes one zip file, any other a folder. An existing bundle
    at that path is replaced; anything else there is left alone and refused.
    """

    def __init__(self, target: str | os.PathLike[str]) -> None:
        """Check that a bundle may be written to `target`.

        Raises:
            BundleError: where it may not, with exit code 2.
        """
        self._target = Path(target)
        self._files: dict[str, bytes] = {}
        check_target(self._target)

    def add(self, path: str, data: bytes) -> FileSpec:
        """Add a file, and return its entry for `Manifest.files`."""
        self._files[path] = data
        return FileSpec.of(path, data)

    def write(self, manifest: Manifest) -> Bundle:
        """Check all, write it to the target, and return it as read back from there.

        Raises:
            BundleError: where files and manifest disagree, or the target cannot be written.
        """
        files = _all_files(manifest, self._files)
        Bundle.from_storage(Memory(files))
        try:
            self._target.parent.mkdir(parents=True, exist_ok=True)
            work = Path(tempfile.mkdtemp(prefix=".edgeship-", dir=self._target.parent))
        except OSError as error:
            raise _unwritable(self._target, error) from error
        try:
            made = work / "bundle"
            if self._target.suffix == ".edgeship":
                _write_zip(made, files)
            else:
                _write_folder(made, files)
            Bundle.open(made)
            _swap(made, self._target, work / "old")
        except OSError as error:
            raise _unwritable(self._target, error) from error
        finally:
            shutil.rmtree(work, ignore_errors=True)
        return Bundle.open(self._target)


def in_memory(manifest: Manifest, files: Mapping[str, bytes]) -> Bundle:
    """A bundle that is written nowhere, verified like any other.

    Raises:
        BundleError: where files and manifest disagree.
    """
    return Bundle.from_storage(Memory(_all_files(manifest, files)))


def _all_files(manifest: Manifest, files: Mapping[str, bytes]) -> dict[str, bytes]:
    data = encode(manifest)
    seal = manifest_hash_line(hashlib.sha256(data).hexdigest())
    return {MANIFEST: data, MANIFEST_HASH: seal, **dict(sorted(files.items()))}


def check_target(target: Path) -> None:
    """Refuse a target that holds anything else than a bundle, is a link, or is named as a model.

    Raises:
        BundleError: with exit code 2.
    """
    if target.suffix.lower() in _OTHER_FILES:
        misnamed = BundleError(
            f"a bundle is no {target.suffix} file: name it {target.stem}.edgeship, or give a "
            "folder, in which each variant is a file of its own below variants/"
        )
        misnamed.exit_code = 2
        raise misnamed
    # os.path, unlike pathlib, also answers for names that are too long or in locked folders.
    if os.path.islink(target) or (os.path.exists(target) and not _is_bundle(target)):  # noqa: PTH110, PTH114
        refused = BundleError(
            f"{target} exists and is not a bundle alone: choose another -o, or remove it first"
        )
        refused.exit_code = 2
        raise refused


def _is_bundle(path: Path) -> bool:
    """Whether there is a bundle and nothing beside it, damaged or not, so that nothing is lost."""
    storage: Storage = Folder(path) if path.is_dir() else Archive(path)
    try:
        held = set(storage.sizes())
        with storage.open(MANIFEST) as stream:
            manifest = decode(stream.read())
    except (*UNREADABLE, BundleError):
        return False
    return held <= {MANIFEST, MANIFEST_HASH, *(file.path for file in manifest.files)}


def _write_folder(root: Path, files: dict[str, bytes]) -> None:
    for path, data in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        write_synced(target, data)
    for folder in (root, *(path for path in root.rglob("*") if path.is_dir())):
        sync_folder(folder)


def _write_zip(path: Path, files: dict[str, bytes]) -> None:
    # Stored, not deflated: the bytes then do not hang on a zlib release, and a board reads them
    # without unpacking.
    with path.open("wb") as stream:
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
            for name, data in files.items():
                entry = zipfile.ZipInfo(name, _EPOCH)
                entry.create_system = 3
                entry.external_attr = 0o100644 << 16
                archive.writestr(entry, data)
        stream.flush()
        os.fsync(stream.fileno())


def _swap(made: Path, target: Path, aside: Path) -> None:
    check_target(target)
    # A file is replaced in one step; a folder cannot be, so the old one steps aside and comes
    # back if the new one does not get through.
    stepped_aside = target.exists() and (target.is_dir() or made.is_dir())
    if stepped_aside:
        target.rename(aside)
    try:
        made.replace(target)
    except BaseException:
        if stepped_aside:
            aside.rename(target)
        raise
    sync_folder(target.parent)


def _unwritable(target: Path, error: OSError) -> BundleError:
    refused = BundleError(f"cannot write {target} ({error.strerror or error}): choose another -o")
    refused.exit_code = 2
    return refused
