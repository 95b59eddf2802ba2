"""The inputs that a fitted scikit-learn estimator takes: one matrix, or columns by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from edgeship_converters.errors import SourceError
from edgeship_runtime.arrays import Arrays
from edgeship_runtime.bundle import InputSpec

MATRIX = "x"


@dataclass(frozen=True, slots=True)
class Inputs:
    """The inputs of the contract, and how the estimator is given them."""

    specs: tuple[InputSpec, ...]

    def rows(self, arrays: Arrays) -> Any:
        """Rows as the estimator takes them, reals as float64."""
        return arrays[MATRIX].astype(np.float64)

    def example(self) -> Any:
        """One row, to ask the estimator about the shapes of its answers."""
        width = self.specs[0].shape[1]
        return np.ones((1, width or 0))


def inputs_of(estimator: Any) -> Inputs:
    """What a fitted estimator takes.

    Raises:
        SourceError: for one that does not say how many features that is.
    """
    width = getattr(estimator, "n_features_in_", None)
    if width is None:
        raise SourceError(
            f"the {type(estimator).__name__} does not say how many features it takes "
            "(n_features_in_): fit it on a matrix"
        )
    names = getattr(estimator, "feature_names_in_", None)
    matrix = InputSpec(
        name=MATRIX,
        dtype="float32",
        shape=(None, int(width)),
        feature_names=tuple(str(name) for name in names) if names is not None else (),
    )
    return Inputs((matrix,))
