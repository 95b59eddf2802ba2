"""Zip files with the faults that Python's own zipfile would not write."""

from __future__ import annotations

import io
import struct
import warnings
import zipfile
from collections.abc import Iterable
from typing import NamedTuple

_EPOCH = (1980, 1, 1, 0, 0, 0)
_CENTRAL = b"PK\x01\x02"
PLAIN_FILE = 0o100644
LINK = 0o120777

# field: (struct format, offset in the central record, offset in the local header)
_FIELDS = {
    "flags": ("<H", 8, 6),
    "method": ("<H", 10, 8),
    "crc": ("<I", 16, 14),
    "stored_bytes": ("<I", 20, 18),
    "bytes": ("<I", 24, 22),
}


class Entry(NamedTuple):
    """One entry of a zip file, under whatever name."""

    name: str
    data: bytes
    mode: int = PLAIN_FILE
    method: int = zipfile.ZIP_STORED


def pack(entries: Iterable[Entry]) -> bytes:
    """A zip file of `entries`, in their order, the same bytes each time."""
    stream = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(stream, "w") as archive:
        warnings.simplefilter("ignore", UserWarning)  # of duplicate names
        for entry in entries:
            info = zipfile.ZipInfo(entry.name, _EPOCH)
            info.create_system = 3
            info.external_attr = entry.mode << 16
            info.compress_type = entry.method
            archive.writestr(info, entry.data)
    return stream.getvalue()


def patch(data: bytes, name: str, **fields: int) -> bytes:
    """The zip file with `fields` of one entry overwritten, in both of its headers."""
    patched = bytearray(data)
    central, local = _headers(data, name)
    for field, value in fields.items():
        form, in_central, in_local = _FIELDS[field]
        struct.pack_into(form, patched, central + in_central, value)
        struct.pack_into(form, patched, local + in_local, value)
    return bytes(patched)


def rename(data: bytes, name: str, to: bytes) -> bytes:
    """The zip file with one entry's name replaced by as many bytes, in the local header only."""
    assert len(to) == len(name)
    _, local = _headers(data, name)
    start = local + 30
    return data[:start] + to + data[start + len(to) :]


def _headers(data: bytes, name: str) -> tuple[int, int]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        local = archive.getinfo(name).header_offset
        central = archive.start_dir
    while True:
        assert data[central : central + 4] == _CENTRAL
        lengths = struct.unpack_from("<HHH", data, central + 28)
        if data[central + 46 : central + 46 + lengths[0]] == name.encode():
            return central, local
        central += 46 + sum(lengths)
