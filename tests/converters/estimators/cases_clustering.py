"""Clusterers, and the agglomeration of columns."""

from __future__ import annotations

from functools import partial

import numpy as np
from sklearn import cluster

from tests.converters.estimators.case import Case
from tests.converters.estimators.data import Name

_MEANS = (cluster.BisectingKMeans, cluster.KMeans, cluster.MiniBatchKMeans)
_CLUSTERS: tuple[tuple[int, Name], ...] = ((3, "three"), (1, "three"), (8, "two"), (12, "counts"))
_SUBCLUSTERS: tuple[tuple[int | None, float, Name], ...] = (
    (3, 0.5, "three"), (None, 0.1, "three"), (5, 20.0, "two"),
)  # fmt: skip
_MODES: tuple[Name, ...] = ("three", "two")

CASES = (
    *(Case(kind.__name__, partial(kind, many, random_state=0), on, f"{many} clusters on {on}")
      for kind in _MEANS for many, on in _CLUSTERS),
    Case("BisectingKMeans", partial(
        cluster.BisectingKMeans, 6, bisecting_strategy="largest_cluster", random_state=0),
        "numbers", "largest cluster"),
    *(Case("Birch", partial(cluster.Birch, n_clusters=many, threshold=near), on,
           f"{many or 'all'} clusters on {on}") for many, near, on in _SUBCLUSTERS),
    Case("Birch", cluster.Birch, "three", "", "transform"),
    Case("KMeans", partial(cluster.KMeans, 4, random_state=0), "numbers", "", "transform"),
    *(Case("MeanShift", cluster.MeanShift, on, on) for on in _MODES),
    Case("MeanShift", partial(cluster.MeanShift, bandwidth=0.8, cluster_all=False), "three",
         "orphans"),
    Case("AffinityPropagation", partial(cluster.AffinityPropagation, random_state=0), "three"),
    Case("AffinityPropagation", partial(cluster.AffinityPropagation, max_iter=1, random_state=0),
         "three", "no exemplar found"),
    *(Case("FeatureAgglomeration",
           partial(cluster.FeatureAgglomeration, 4, pooling_func=pool), "two",
           pool.__name__)
      for pool in (np.mean, np.sum, np.max, np.min, np.median)),
)  # fmt: skip
