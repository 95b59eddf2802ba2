"""Array types, and the manifest's dtype names in numpy's terms."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from edgeship_runtime.bundle.manifest import DType

Array: TypeAlias = NDArray[Any]
Arrays: TypeAlias = Mapping[str, Array]


@cache
def numpy_dtype(name: DType) -> np.dtype[Any]:
    """The numpy dtype that a manifest's dtype name stands for; `string` is numpy's `str`."""
    return np.dtype(np.str_) if name == "string" else np.dtype(name)


def dtype_name(dtype: np.dtype[Any]) -> DType:
    """The manifest's name for a numpy dtype.

    Raises:
        ValueError: for one that a contract cannot hold, such as complex numbers.
    """
    if dtype.kind in "UO":
        return "string"
    if dtype.name in ("longdouble", "float128") or dtype.kind not in "fiub":
        raise ValueError(f"a contract cannot hold arrays of dtype {dtype}")
    name: Any = dtype.name
    return name  # type: ignore[no-any-return]
