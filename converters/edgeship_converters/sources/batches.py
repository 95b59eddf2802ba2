"""How many rows a source model is asked at a time."""

from __future__ import annotations

from edgeship_runtime.arrays import Arrays

_BYTES = 8 << 20
_MOST = 256


def rows_at_once(inputs: Arrays) -> int:
    """As many rows as 8 MiB of input hold, 256 at most.

    What a network computes in between is many times its input: 256 images of 224×224 pixels take
    gigabytes.
    """
    count = len(next(iter(inputs.values())))
    row_bytes = sum(array.nbytes for array in inputs.values()) // max(1, count)
    return max(1, min(_MOST, _BYTES // max(1, row_bytes)))
