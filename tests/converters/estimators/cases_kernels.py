"""Kernel machines."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from sklearn import decomposition, gaussian_process, neighbors, svm
from sklearn.feature_selection import SelectKBest
from sklearn.gaussian_process import kernels
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.converters.estimators.case import Case
from tests.converters.estimators.data import Name

_CLASSES: tuple[Name, ...] = ("two", "three")


def _gaussian(kernel: kernels.Kernel | None, columns: int | str = "all") -> Any:
    """A classifier with a kernel as it is, of scaled columns."""
    return make_pipeline(
        StandardScaler(),
        SelectKBest(k=columns),
        gaussian_process.GaussianProcessClassifier(kernel, optimizer=None),
    )


_COVARIANCES: tuple[tuple[kernels.Kernel | None, Name, str], ...] = (
    (None, "two", "two classes"),
    (None, "three", "three classes"),
    (4.0 * kernels.RBF([0.5, 1.0, 2.0, 3.0]), "three", "a scale for each column"),
    (kernels.Matern(1.5, nu=0.5), "three", "Matern of nu 0.5"),
    (kernels.Matern(2.0, nu=1.5), "two", "Matern of nu 1.5"),
    (kernels.Matern([1.0, 1.0, 2.0, 3.0], nu=2.5), "three", "Matern of nu 2.5"),
    (kernels.Matern(nu=np.inf), "three", "Matern of infinite nu"),
    (kernels.Matern(nu=1.0), "three", "Matern of nu 1"),
    (kernels.RationalQuadratic(1.5, alpha=0.7), "three", "rational quadratic"),
    (kernels.DotProduct(0.5) ** 2, "three", "a power of products"),
    (kernels.DotProduct() + kernels.WhiteKernel(0.3) + 2.0, "two", "a sum with noise"),
    (
        2.0 * kernels.RBF(0.8) * kernels.DotProduct() + kernels.Matern(),
        "three",
        "a sum of products",
    ),
    (kernels.PairwiseKernel(metric="rbf"), "three", "a kernel of metrics"),
)

CASES = (
    Case("SVC", svm.SVC, "two", "two classes"),
    Case("SVC", svm.SVC, "three", "three classes"),
    Case("SVC", svm.SVC, "counts", "ten classes"),
    Case("NuSVC", svm.NuSVC, "three", "three classes"),
    Case("NuSVC", svm.NuSVC, "two", "two classes"),
    Case("SVC", lambda: svm.SVC(decision_function_shape="ovo"), "three", "one against one"),
    *(
        Case("SVC", partial(svm.SVC, kernel=kernel), on, f"{kernel}, {on} classes")
        for kernel in ("linear", "poly", "sigmoid")
        for on in _CLASSES
    ),
    Case("SVC", lambda: svm.SVC(break_ties=True, random_state=0), "three", "ties broken"),
    Case("SVR", svm.SVR, "numbers"),
    Case("NuSVR", svm.NuSVR, "numbers"),
    Case("OneClassSVM", svm.OneClassSVM, "three"),
    Case("GaussianProcessRegressor", gaussian_process.GaussianProcessRegressor, "numbers"),
    *(
        Case("GaussianProcessClassifier", partial(_gaussian, kernel), on, note)
        for kernel, on, note in _COVARIANCES
    ),
    Case(
        "GaussianProcessClassifier",
        lambda: _gaussian(kernels.ExpSineSquared(2.0, periodicity=5.0), 1),
        "three",
        "periodic in one column",
    ),
    Case(
        "GaussianProcessClassifier",
        lambda: gaussian_process.GaussianProcessClassifier(multi_class="one_vs_one"),
        "three",
        "three, one against one",
    ),
    Case("KernelPCA", lambda: decomposition.KernelPCA(3, kernel="rbf"), "three"),
    *(
        Case("KernelPCA", partial(decomposition.KernelPCA, 2, kernel=name), "three", name)
        for name in ("linear", "poly", "sigmoid", "cosine")
    ),
    Case(
        "GaussianProcessRegressor",
        partial(
            gaussian_process.GaussianProcessRegressor,
            gaussian_process.kernels.RBF() + gaussian_process.kernels.WhiteKernel(),
            normalize_y=True,
        ),
        "several numbers",
        "several, normalized",
    ),
    Case(
        "GaussianProcessRegressor",
        partial(
            gaussian_process.GaussianProcessRegressor,
            gaussian_process.kernels.Matern(nu=1.5) * gaussian_process.kernels.DotProduct(),
            alpha=0.1,
        ),
        "shares",
        "a product",
    ),
    Case(
        "NeighborhoodComponentsAnalysis",
        lambda: neighbors.NeighborhoodComponentsAnalysis(2, random_state=0),
        "three",
    ),
)
