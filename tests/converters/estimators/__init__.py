"""The estimator matrix: every estimator of scikit-learn, converted and judged, or refused.

`python -m tests.converters.estimators` runs all cases and writes docs/estimators.md; with words
behind it, only the cases whose name holds one of them, and nothing is written.
"""

from __future__ import annotations

from tests.converters.estimators import (
    cases_approximations,
    cases_bayes,
    cases_boosting,
    cases_clustering,
    cases_decomposition,
    cases_kernels,
    cases_linear,
    cases_meta,
    cases_neighbours,
    cases_preprocessing,
    cases_trees,
)

CASES = (
    *cases_approximations.CASES,
    *cases_bayes.CASES,
    *cases_boosting.CASES,
    *cases_clustering.CASES,
    *cases_decomposition.CASES,
    *cases_kernels.CASES,
    *cases_linear.CASES,
    *cases_meta.CASES,
    *cases_neighbours.CASES,
    *cases_preprocessing.CASES,
    *cases_trees.CASES,
)
