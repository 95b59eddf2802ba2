"""What is asked: the sample library, from which every system gets the same rows in one order."""

from __future__ import annotations

from typing import Protocol

import msgspec

from edgeship_runtime.arrays import Array, Arrays
from edgeship_runtime.bundle import Bundle
from edgeship_runtime.errors import DataError
from edgeship_runtime.inputs import check_inputs
from edgeship_runtime.selftest import golden_inputs


class SampleLibrary(Protocol):
    """A fixed list of samples, ready to be handed to a system."""

    def __len__(self) -> int:
        """How many there are; at least one."""
        ...

    def __getitem__(self, index: int) -> Arrays:
        """One sample."""
        ...


class Rows:
    """Samples of one row each, cut beforehand so that no cutting is timed.

    Attributes:
        arrays: all rows together, by input name, in the contract's dtypes.
    """

    def __init__(self, arrays: Arrays) -> None:
        """Cut `arrays`, whose first axes all count the same rows, at least one."""
        self.arrays: dict[str, Array] = dict(arrays)
        count = len(next(iter(self.arrays.values())))
        self._rows = [
            {name: array[i : i + 1] for name, array in self.arrays.items()} for i in range(count)
        ]

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> dict[str, Array]:
        return self._rows[index]


def sample_rows(bundle: Bundle, inputs: Arrays | None) -> Rows:
    """The rows of `inputs`, checked against the bundle's contract; its goldens where None is given.

    Raises:
        InputError: where they do not fit the contract.
        DataError: where there is no row.
    """
    # A variant may take a single row at a time; a library of samples holds many all the same.
    specs = [
        msgspec.structs.replace(spec, shape=(None, *spec.shape[1:]))
        for spec in bundle.manifest.inputs
    ]
    arrays = check_inputs(specs, golden_inputs(bundle) if inputs is None else inputs)
    if not len(next(iter(arrays.values()))):
        raise DataError("there is no row to measure with: give at least one")
    return Rows(arrays)
