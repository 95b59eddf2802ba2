"""The one small interface that every engine stands behind."""

from __future__ import annotations

from typing import Protocol

from edgeship_runtime.arrays import Array, Arrays


class Engine(Protocol):
    """A loaded variant: named arrays in, named arrays out, in the variant's own dtypes.

    The first axis of every array counts rows. Calls from several threads at once are safe; an
    engine that cannot run them side by side makes them wait for each other.

    Attributes:
        name: the engine's package and release, such as `ai-edge-litert 2.3.0`.
    """

    name: str

    def run(self, inputs: Arrays) -> dict[str, Array]:
        """Compute all outputs for one batch of at least one row.

        Raises:
            EngineError: where the engine fails on it.
        """
        ...


def one_line(error: Exception) -> str:
    """The first 300 characters of an engine's own message, on one line."""
    return " ".join(str(error).split())[:300]
