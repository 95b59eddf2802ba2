"""Kernel machines."""

from __future__ import annotations

from functools import partial

from sklearn import decomposition, gaussian_process, neighbors, svm

from tests.converters.estimators.case import Case
from tests.converters.estimators.data import Name

_CLASSES: tuple[Name, ...] = ("two", "three")

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
    Case("KernelPCA", lambda: decomposition.KernelPCA(3, kernel="rbf"), "three"),
    Case(
        "NeighborhoodComponentsAnalysis",
        lambda: neighbors.NeighborhoodComponentsAnalysis(2, random_state=0),
        "three",
    ),
)
