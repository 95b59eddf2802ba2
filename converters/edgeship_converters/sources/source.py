"""The interface that every kind of source model stands behind."""

from __future__ import annotations

from typing import Literal, Protocol

from edgeship_runtime.arrays import Array, Arrays
from edgeship_runtime.bundle import Contract

Kind = Literal["keras", "sklearn"]


class Source(Protocol):
    """A loaded model, as its author has it: the truth that every variant is held against.

    Attributes:
        kind: where the plan starts.
        contract: its inputs and outputs, by the names that every variant keeps.
        sha256: of the file it came from.
    """

    kind: Kind
    contract: Contract
    sha256: str

    def predict(self, inputs: Arrays) -> dict[str, Array]:
        """The model's own answer, in the contract's names and dtypes."""
        ...
