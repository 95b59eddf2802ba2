"""What an HDF5 file holds, looked at before any loader reads it."""

from __future__ import annotations

from pathlib import Path

import h5py

from edgeship_converters.errors import SourceError

# Deflate, which HDF5 compresses with, makes 1032 bytes of one at most (zlib's own technical notes).
_MOST_PACKED = 1032
_ALWAYS_ALLOWED = 1 << 20


def check_contents(file: h5py.File, where: Path) -> None:
    """Refuse a file whose arrays lie in other files, or claim memory that nothing in it fills.

    What the file of someone else names on this machine would end up in the bundle as weights.

    Raises:
        SourceError: for links into other files, external and virtual datasets, and datasets that
            are larger than what is stored could be unpacked to.
    """
    waiting: list[h5py.Group] = [file]
    seen = {_address(file)}
    while waiting:
        group = waiting.pop()
        for name in group:
            path = f"{group.name.rstrip('/')}/{name}"
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise SourceError(
                    f"{where}: {path!r} is a link to elsewhere, which is not followed: {_REMEDY}"
                )
            item = group[name]
            if isinstance(item, h5py.Dataset):
                _check_dataset(item, path, where)
            # A group may be linked into itself.
            elif isinstance(item, h5py.Group) and _address(item) not in seen:
                seen.add(_address(item))
                waiting.append(item)


_REMEDY = "save the model anew, with all its weights in one file"


def _check_dataset(dataset: h5py.Dataset, path: str, where: Path) -> None:
    if dataset.external or dataset.is_virtual:
        raise SourceError(
            f"{where}: the array {path!r} lies in another file, which is not read: {_REMEDY}"
        )
    stored = dataset.id.get_storage_size()
    if dataset.nbytes > _MOST_PACKED * stored + _ALWAYS_ALLOWED:
        raise SourceError(
            f"{where}: the array {path!r} claims {dataset.nbytes:,} bytes, of which the file holds "
            f"{stored:,}: it is damaged, or made to fill the memory"
        )


def _address(group: h5py.Group) -> tuple[int, int]:
    info = h5py.h5o.get_info(group.id)
    return int(info.fileno), int(info.addr)
