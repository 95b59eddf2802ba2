"""Names that every format can keep."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence


def portable(names: Sequence[str], taken: Collection[str] = ()) -> list[str]:
    """Names of ASCII letters, digits and '_' that are unlike each other and those in `taken`.

    A SavedModel's signature takes its inputs as Python arguments, and TFLite and ONNX tools rename
    what TensorFlow cannot keep, so that a name like `my-input` or `image:0` would change from one
    format to the next. It is changed here, once: `my_input`, `image_0`. The changed name is the
    contract's, and so the name that callers give and get with every variant.

    >>> portable(["image:0", "my input", "my-input", "1st"])
    ['image_0', 'my_input', 'my_input_1', 'x_1st']
    """
    made: list[str] = []
    for name in names:
        plain = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_") if not _kept(name) else name
        if not plain or not plain[0].isalpha():
            plain = f"x_{plain}".rstrip("_")
        new, count = plain, 1
        while new in (*taken, *made):
            new, count = f"{plain}_{count}", count + 1
        made.append(new)
    return made


def _kept(name: str) -> bool:
    return re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) is not None
