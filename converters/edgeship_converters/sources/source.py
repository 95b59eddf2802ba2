"""The interfaces that every kind of source model stands behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

from edgeship_runtime.arrays import Array, Arrays
from edgeship_runtime.bundle import Contract

Kind = Literal["keras", "tensorflow", "sklearn", "onnx"]


class Source(Protocol):
    """A loaded model, as its author has it: the truth that every variant is held against.

    Attributes:
        kind: where the plan starts.
        contract: its inputs and outputs, by the names that every variant keeps.
        sha256: of the file or folder it came from, or of an in-memory model's configuration and
            weights; see `fingerprint`.
    """

    kind: Kind
    contract: Contract
    sha256: str

    def predict(self, inputs: Arrays) -> dict[str, Array]:
        """The model's own answer, in the contract's names and dtypes."""
        ...


class TensorFlowSource(Source, Protocol):
    """A source that computes with TensorFlow, and so can be traced.

    Attributes:
        tools: the distributions that opened it and compute it.
    """

    tools: tuple[str, ...]

    def call(self, tensors: Mapping[str, Any]) -> dict[str, Any]:
        """The model on TensorFlow tensors by name, for tracing; dropout and its kin are off."""
        ...

    @property
    def variables(self) -> Sequence[Any]:
        """Every `tf.Variable`, in the model's own order, the same in every process."""
        ...

    @property
    def tracked(self) -> Sequence[Any]:
        """What else a SavedModel must hold: lookup tables, and the files that fill them."""
        ...

    @property
    def layers(self) -> Sequence[Any]:
        """Every layer, nested ones too; none where the model is only a graph."""
        ...
