"""What a board has seen: integer counts over the baseline's bins, of fixed size, exact to merge."""

from __future__ import annotations

from edgeship_runtime.arrays import Array
from edgeship_runtime.drift.baseline import Baseline
from edgeship_runtime.drift.features import feature_blocks
from edgeship_runtime.errors import SketchError


class Sketch:
    """Counts of rows over a baseline's bins. Not safe to update from several threads at once.

    Attributes:
        edge_hash: of the baseline; only sketches of the same one can be merged.
        rows: how many were counted.
    """

    def __init__(self, baseline: Baseline) -> None:
        self.edge_hash = baseline.edge_hash
        self.rows = 0
        self._inputs = baseline.inputs
        self._bins = baseline.bins
        self._counts = self._bins.zeros()

    @property
    def counts(self) -> tuple[Array, ...]:
        """For each feature, int64 counts as in `FeatureBaseline.counts`; copies."""
        return self._bins.split(self._counts.copy())

    def update(self, inputs: object) -> None:
        """Count rows: all of them, or none where an error is raised.

        Args:
            inputs: as for `Model.predict`, but NaN and infinities are welcome.

        Raises:
            InputError: where an input does not fit the baseline's.
        """
        counts, rows = self._bins.zeros(), 0
        for block in feature_blocks(self._inputs, inputs):
            counts += self._bins.count(block)
            rows += len(block)
        self._counts += counts
        self.rows += rows

    def merge(self, other: Sketch) -> None:
        """Add another sketch's counts to these, as if its rows had been counted here.

        Raises:
            SketchError: where the other has other bins.
        """
        if other.edge_hash != self.edge_hash:
            raise SketchError(
                f"cannot merge a sketch over the bins {other.edge_hash[:12]} into one over "
                f"{self.edge_hash[:12]}: merge only sketches of the same baseline"
            )
        self._counts += other._counts
        self.rows += other.rows
