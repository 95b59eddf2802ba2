"""Which bin a value falls into: one rule, for the baseline and for every sketch.

A feature with edges e1 < … < eE has E + 3 bins, in this order:

    below     x < lowest                (-inf too)
    inner     lowest ≤ x ≤ e1, e1 < x ≤ e2, …: a value equal to an edge belongs to the bin under it
    above     x > eE                    (+inf too)
    missing   NaN

`lowest` and eE are the smallest and largest value of the training data, so `below` and `above`
are what training never saw. A value that fills a tenth of the data becomes an edge; where it is
the lowest one as well, the first inner bin holds nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edgeship_runtime.arrays import Array

BELOW = 0
ABOVE = -2
MISSING = -1
OUTER_BINS = 3
MAX_BINS = 1024


def quantile_edges(values: Array, bins: int) -> tuple[float, tuple[float, ...]]:
    """The lowest value, and the edges that cut `values` into `bins` parts as like as ties allow.

    Each edge is a value of the data, the smallest that at least i/bins of it do not exceed
    (Hyndman and Fan 1996, definition 1); edges that coincide are merged. NaN and infinities do not
    take part; without any other value there are no edges, and `lowest` is 0.

    >>> quantile_edges(np.array([0.0, 0.0, 0.0, 1.0, 2.0, np.nan]), 5)
    (0.0, (0.0, 1.0, 2.0))
    """
    # Adding zero turns -0.0 into 0.0, so that equal edges are written and hashed alike.
    finite = np.sort(values[np.isfinite(values)]) + 0.0
    if not finite.size:
        return 0.0, ()
    ranks = -(-np.arange(1, bins + 1) * finite.size // bins) - 1
    return float(finite[0]), tuple(np.unique(finite[ranks]).tolist())


class Bins:
    """The bins of several features side by side, and the counting over them.

    Attributes:
        sizes: number of bins of each feature.
    """

    def __init__(self, lowest: Sequence[float], edges: Sequence[Sequence[float]]) -> None:
        self.sizes = tuple(len(own) + OUTER_BINS for own in edges)
        self._lowest = np.asarray(lowest, np.float64)
        # One row of edges after the other, filled up with an edge that no value exceeds.
        depth = max((len(own) for own in edges), default=0)
        self._edges = np.full((depth, len(edges)), np.inf)
        for column, own in enumerate(edges):
            self._edges[: len(own), column] = own
        self._starts = np.cumsum([0, *self.sizes])[:-1]
        self._missing = np.asarray(self.sizes, np.intp) - 1

    def zeros(self) -> Array:
        """No row in any bin: int64, the bins of all features one after the other."""
        return np.zeros(sum(self.sizes), np.int64)

    def count(self, matrix: Array) -> Array:
        """How many values fall into each bin.

        Args:
            matrix: float64, rows x features.

        Returns:
            As `zeros`.
        """
        places = self._starts + (matrix >= self._lowest)
        # All features at once, an edge at a time: on a board's small batches this is several
        # times quicker than a search for each feature.
        for edges in self._edges:
            places += matrix > edges
        places += np.isnan(matrix) * self._missing
        counts: Array = np.bincount(places.reshape(-1), minlength=sum(self.sizes))
        return counts.astype(np.int64)

    def split(self, counts: Array) -> tuple[Array, ...]:
        """The counts of each feature, from those of all; views, not copies."""
        return tuple(np.split(counts, self._starts[1:])) if self.sizes else ()
