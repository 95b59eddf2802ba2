"""Trees as C by treelite and tl2cgen, compiled by gcc, as their own guides show the calls."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from edgeship_runtime.arrays import Array

# In one file a hundred trees take gcc minutes.
_FILES = 20


class CompiledTrees:
    """The model as a shared library, asked on one thread.

    Args:
        model: a fitted classifier of trees.
        folder: where the library is put.

    Attributes:
        predict: gives the scores of a matrix.
        matrix: makes one of rows.
        bytes: the library's.

    Raises:
        Exception: whatever stands in the way: ImportError where tl2cgen or treelite is not
            installed, or what they raise where they cannot read the model or find no gcc.
    """

    def __init__(self, model: Any, folder: Path) -> None:
        import tl2cgen

        library = folder / "trees.so"
        with warnings.catch_warnings():
            # Each tells of its progress, and of the other's release, by warnings.
            warnings.simplefilter("ignore")
            tl2cgen.export_lib(_read(model), "gcc", library, {"parallel_comp": _FILES}, nthread=1)
            predictor = tl2cgen.Predictor(library, nthread=1)
        self.predict: Callable[[Any], Array] = predictor.predict
        self.matrix: Callable[[Array], Any] = tl2cgen.DMatrix
        self._classes = model.classes_
        self.bytes = library.stat().st_size

    def run(self, rows: Array) -> Array:
        """The scores of rows, which are made a matrix of, as each call by its users does."""
        return self.predict(self.matrix(rows))

    def labels(self, rows: Array) -> Array:
        """The label of each row."""
        scores = self.run(rows).reshape(len(rows), -1)
        places = scores.argmax(1) if scores.shape[1] > 1 else (scores[:, 0] > 0.5).astype(int)
        labels: Array = np.asarray(self._classes)[places]
        return labels


def _read(model: Any) -> Any:
    import treelite

    match type(model).__module__.partition(".")[0]:
        case "lightgbm":
            return treelite.frontend.from_lightgbm(model.booster_)
        case "xgboost":
            return treelite.frontend.from_xgboost(model.get_booster())
    return treelite.sklearn.import_model(model)
