"""The one way into a bundle: past `Bundle.open`, nothing unverified can be reached."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from edgeship_runtime.bundle.decode import decode
from edgeship_runtime.bundle.manifest import FileSpec, Manifest, VariantSpec
from edgeship_runtime.bundle.storage import UNREADABLE, Archive, Folder, Storage
from edgeship_runtime.errors import BundleError

MANIFEST = "manifest.json"
MANIFEST_HASH = "manifest.sha256"
MAX_BYTES = 2 << 30
# Far above what any model needs; a zip of very many empty files would take hours to go through.
MAX_FILES = 1000
_MAX_MANIFEST_BYTES = 16 << 20
_BLOCK = 1 << 20


class Bundle:
    """A bundle whose manifest and files all agree with their hashes.

    Made by `Bundle.open`. Bytes are hashed again on their way out, so a file that was changed
    after opening is not handed out either.

    Attributes:
        manifest: what the bundle says of itself.
        sha256: of `manifest.json`; since the manifest holds the hash of every other file, this
            names the whole content.
    """

    def __init__(self, storage: Storage, manifest: Manifest, sha256: str) -> None:
        self._storage = storage
        self._files = {file.path: file for file in manifest.files}
        self.manifest = manifest
        self.sha256 = sha256

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, max_bytes: int = MAX_BYTES) -> Bundle:
        """Verify the bundle at `path`, a folder or an `.edgeship` file, whole.

        Args:
            path: where it is.
            max_bytes: largest size unpacked that is accepted.

        Raises:
            BundleError: where there is none, or anything about it is not as its manifest says.
        """
        where = Path(path)
        # os.path, unlike pathlib, also answers for names that are too long or in locked folders.
        if os.path.isdir(where):  # noqa: PTH112
            return cls.from_storage(Folder(where), max_bytes=max_bytes)
        if os.path.isfile(where):  # noqa: PTH113
            return cls.from_storage(Archive(where), max_bytes=max_bytes)
        missing = BundleError(f"there is no bundle at {where}: give a folder or an .edgeship file")
        missing.exit_code = 2
        raise missing

    @classmethod
    def from_storage(cls, storage: Storage, *, max_bytes: int = MAX_BYTES) -> Bundle:
        """Verify a bundle in any storage; see `open`."""
        sizes = storage.sizes()
        if len(sizes) > MAX_FILES:
            raise BundleError(
                f"the bundle holds {len(sizes)} files, the limit is {MAX_FILES}: "
                "do not use this bundle"
            )
        total = sum(sizes.values())
        if total > max_bytes:
            raise BundleError(
                f"the bundle unpacks to {total} bytes, the limit is {max_bytes}: "
                "do not use this bundle, or raise max_bytes if you made it yourself"
            )
        for path in (MANIFEST, MANIFEST_HASH):
            if path not in sizes:
                raise BundleError(
                    f"the bundle has no {path}: this is no bundle, or not a whole one"
                )
        data = _read(storage, MANIFEST, min(sizes[MANIFEST], _MAX_MANIFEST_BYTES))
        digest = hashlib.sha256(data).hexdigest()
        stated = _read(storage, MANIFEST_HASH, 1024)
        if stated != manifest_hash_line(digest):
            raise BundleError(
                f"{MANIFEST} does not have the hash that {MANIFEST_HASH} states: "
                "the bundle is damaged, copy it again or convert again"
            )
        manifest = decode(data)
        _check_files(
            manifest, {k: v for k, v in sizes.items() if k not in (MANIFEST, MANIFEST_HASH)}
        )
        bundle = cls(storage, manifest, digest)
        for file in manifest.files:
            bundle._check_hash(file)
        for variant in manifest.variants:
            bundle._check_variant(variant)
        return bundle

    def read(self, path: str) -> bytes:
        """The verified bytes of one file.

        Raises:
            BundleError: where the bundle has no such file, or it was changed after opening.
        """
        file = self._file(path)
        data = _read(self._storage, path, file.bytes)
        if hashlib.sha256(data).hexdigest() != file.sha256:
            raise _wrong_hash(path)
        return data

    def paths(self) -> list[str]:
        """The paths of all files that the manifest names, sorted."""
        return sorted(self._files)

    def artifact(self, variant: VariantSpec) -> bytes:
        """The verified bytes of a variant that is a single file."""
        return self.read(variant.path)

    def unpack(self, variant: VariantSpec, folder: Path) -> Path:
        """Write a variant's verified files below `folder`, and return the variant's own path."""
        for path in self._paths_of(variant):
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(self.read(path))
        return folder / variant.path

    def _paths_of(self, variant: VariantSpec) -> list[str]:
        inside = variant.path + "/"
        return sorted(
            path for path in self._files if path == variant.path or path.startswith(inside)
        )

    def _file(self, path: str) -> FileSpec:
        if path not in self._files:
            raise BundleError(f"the bundle's manifest names no file {path!r}")
        return self._files[path]

    def _check_hash(self, file: FileSpec) -> None:
        digest = hashlib.sha256()
        left = file.bytes
        try:
            with self._storage.open(file.path) as stream:
                while block := stream.read(_BLOCK):
                    left -= len(block)
                    digest.update(block)
                    if left < 0:
                        break
        except UNREADABLE as error:
            raise _unreadable(file.path, error) from error
        if left != 0 or digest.hexdigest() != file.sha256:
            raise _wrong_hash(file.path)

    def _check_variant(self, variant: VariantSpec) -> None:
        files = [self._files[path] for path in self._paths_of(variant)]
        if variant_hash(variant.path, files) != variant.sha256 or variant.bytes != sum(
            file.bytes for file in files
        ):
            raise BundleError(
                f"variant {variant.name!r} has not the hash or size that the manifest states: "
                "convert the model again"
            )


def variant_hash(path: str, files: list[FileSpec]) -> str:
    """The SHA-256 of a variant: see `VariantSpec`."""
    if len(files) == 1 and files[0].path == path:
        return files[0].sha256
    lines = (
        f"{file.sha256}  {file.path.removeprefix(path + '/')}\n"
        for file in sorted(files, key=lambda file: file.path)
    )
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def manifest_hash_line(digest: str) -> bytes:
    """The content of `manifest.sha256`, in the form that `sha256sum --check` reads."""
    return f"{digest}  {MANIFEST}\n".encode()


def _check_files(manifest: Manifest, sizes: dict[str, int]) -> None:
    stated = {file.path: file.bytes for file in manifest.files}
    for path in sizes.keys() - stated.keys():
        raise BundleError(
            f"the bundle holds {path!r}, which its manifest does not name: "
            "remove it, or do not use this bundle"
        )
    for path, size in stated.items():
        if path not in sizes:
            raise BundleError(f"the bundle lacks {path!r}: copy it again, or convert again")
        if sizes[path] != size:
            raise BundleError(
                f"{path!r} has {sizes[path]} bytes, the manifest states {size}: "
                "the bundle is damaged, copy it again or convert again"
            )


def _read(storage: Storage, path: str, size: int) -> bytes:
    try:
        with storage.open(path) as stream:
            data = stream.read(size + 1)
    except UNREADABLE as error:
        raise _unreadable(path, error) from error
    if len(data) > size:
        raise BundleError(f"{path!r} is larger than the {size} bytes that it may have")
    return data


def _unreadable(path: str, error: Exception) -> BundleError:
    return BundleError(
        f"{path!r} cannot be read ({error}): the bundle is damaged, copy it again or convert again"
    )


def _wrong_hash(path: str) -> BundleError:
    return BundleError(
        f"{path!r} does not have the SHA-256 that the manifest states: "
        "the bundle is damaged or was changed, copy it again or convert again"
    )
