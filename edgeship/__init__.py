"""edgeship: convert, prove, measure, run and watch trained models on small boards.

    import edgeship

    edgeship.convert("digits.keras", "digits.edgeship", data="train.npz")
    model = edgeship.load("digits.edgeship")
    outputs = model.predict({"image": images})

Names are imported when first used, so that a board that only predicts never meets a converter.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeship_benchmarks import bench
    from edgeship_converters import convert
    from edgeship_runtime.bundle import Bundle
    from edgeship_runtime.drift import psi
    from edgeship_runtime.errors import EdgeshipError
    from edgeship_runtime.model import Model, load

__all__ = ["Bundle", "EdgeshipError", "Model", "bench", "convert", "load", "psi"]
__version__ = "0.1.0"

_HOMES = {
    "Bundle": "edgeship_runtime.bundle",
    "EdgeshipError": "edgeship_runtime.errors",
    "Model": "edgeship_runtime.model",
    "bench": "edgeship_benchmarks",
    "convert": "edgeship_converters",
    "load": "edgeship_runtime.model",
    "psi": "edgeship_runtime.drift",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'edgeship' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
