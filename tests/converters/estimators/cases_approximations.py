"""Kernels of rows and fitted ones, and features that approximate kernels."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from sklearn import frozen, kernel_approximation, kernel_ridge, neighbors, svm
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KernelCenterer, MinMaxScaler, StandardScaler

from tests.converters.estimators.case import Case
from tests.converters.estimators.data import Name, data


def _scaled(step: Any) -> Any:
    return make_pipeline(StandardScaler(), step)


def _square(step: Any, many: int = 100) -> Any:
    """A step on a square matrix: as many columns as rows that it is fitted on."""
    return make_pipeline(kernel_approximation.Nystroem(n_components=many, random_state=0), step)


_KERNELS: tuple[tuple[dict[str, Any], Name], ...] = (
    ({"kernel": "linear"}, "numbers"),
    ({"kernel": "poly"}, "three"),
    ({"kernel": "polynomial", "degree": 2, "gamma": 0.5, "coef0": 0.0}, "three"),
    ({"kernel": "poly", "degree": 1, "coef0": 3.0}, "numbers"),
    ({"kernel": "rbf"}, "three"),
    ({"kernel": "rbf", "gamma": 0.1}, "counts"),
    ({"kernel": "laplacian"}, "three"),
    ({"kernel": "laplacian", "gamma": 0.01}, "two"),
    ({"kernel": "sigmoid"}, "numbers"),
    ({"kernel": "sigmoid", "gamma": 0.01, "coef0": 0.5}, "three"),
    ({"kernel": "cosine"}, "two"),
    ({"kernel": "additive_chi2"}, "shares"),
    ({"kernel": "chi2"}, "three"),
    ({"kernel": "chi2", "gamma": 0.2}, "counts"),
)


def _said(options: dict[str, Any]) -> str:
    return ", ".join(f"{value}" if name == "kernel" else f"{name} {value}"
                     for name, value in options.items())  # fmt: skip


_REGRESSED: tuple[tuple[dict[str, Any], Name], ...] = (
    ({}, "numbers"),
    ({"kernel": "rbf"}, "numbers"),
    ({"kernel": "rbf", "gamma": 5.0, "alpha": 0.01}, "several numbers"),
    ({"kernel": "poly", "degree": 2}, "numbers"),
    ({"kernel": "laplacian", "alpha": 0.1}, "numbers"),
    ({"kernel": "sigmoid"}, "numbers"),
    ({"kernel": "cosine"}, "numbers"),
    ({"kernel": "additive_chi2"}, "shares"),
    ({"kernel": "chi2", "gamma": 0.5, "alpha": 0.1}, "shares"),
)
_DENSITIES: tuple[tuple[dict[str, Any], Name], ...] = (
    ({}, "three"),
    ({"bandwidth": 0.2}, "three"),
    ({"bandwidth": "scott"}, "numbers"),
    ({"bandwidth": "silverman"}, "one"),
    ({"kernel": "tophat", "bandwidth": 3.0}, "three"),
    ({"kernel": "epanechnikov", "bandwidth": 3.0}, "three"),
    ({"kernel": "exponential", "bandwidth": 0.5}, "three"),
    ({"kernel": "exponential", "bandwidth": 50.0}, "two"),
    ({"kernel": "linear", "bandwidth": 3.0}, "three"),
    ({"kernel": "cosine", "bandwidth": 3.0}, "three"),
    ({"kernel": "cosine", "bandwidth": 3.0}, "shares"),
    ({"kernel": "cosine", "bandwidth": 3.0}, "one"),
    ({"metric": "manhattan", "algorithm": "ball_tree"}, "three"),
    ({"metric": "chebyshev"}, "three"),
    ({"metric": "minkowski", "metric_params": {"p": 3}}, "three"),
    ({"metric": "canberra"}, "three"),
)
# Fewer components than products of columns: of one that none reaches scikit-learn gives rounding.
_SKETCHES: tuple[dict[str, Any], ...] = (
    {"n_components": 6}, {"degree": 3, "gamma": 0.5, "coef0": 1, "n_components": 13},
    {"degree": 1, "n_components": 2}, {"degree": 4, "n_components": 7, "coef0": 2.5},
    {"degree": 3, "n_components": 1},
)  # fmt: skip
_STEPS: tuple[tuple[int, float | None], ...] = ((1, None), (2, None), (3, None), (4, 0.3))
_CENTRES: tuple[dict[str, Any], ...] = (
    {}, {"metric": "manhattan"}, {"shrink_threshold": 0.5}, {"priors": "empirical"},
    {"metric": "manhattan", "priors": "empirical"},
)  # fmt: skip
_CLASSES: tuple[Name, ...] = ("two", "three", "few", "counts")

CASES = (
    *(Case("KernelRidge", partial(kernel_ridge.KernelRidge, **options), on,
           _said(options) + (", several outputs" if on == "several numbers" else ""))
      for options, on in _REGRESSED),
    Case("KernelRidge", lambda: kernel_ridge.KernelRidge(kernel=np.dot), "numbers", "Python code"),
    Case("KernelRidge", lambda: _square(
             kernel_ridge.KernelRidge(kernel="precomputed", alpha=10.0), 133), "shares",
         "precomputed"),
    *(Case("Nystroem", partial(
               kernel_approximation.Nystroem, n_components=40, **options), on, _said(options))
      for options, on in _KERNELS),
    Case("Nystroem", lambda: kernel_approximation.Nystroem(
             kernel="rbf", kernel_params={"gamma": 0.3}, n_components=20), "three",
         "parameters apart"),
    *(Case("RBFSampler", partial(kernel_approximation.RBFSampler, gamma=gamma), "three",
           f"gamma {gamma}") for gamma in (1.0, "scale")),
    Case("RBFSampler", lambda: _scaled(kernel_approximation.RBFSampler(n_components=50)), "two",
         "scaled"),
    Case("SkewedChi2Sampler", kernel_approximation.SkewedChi2Sampler, "three"),
    Case("SkewedChi2Sampler", lambda: kernel_approximation.SkewedChi2Sampler(
             skewedness=0.05, n_components=31), "counts", "little skewed"),
    *(Case("AdditiveChi2Sampler", partial(
               kernel_approximation.AdditiveChi2Sampler, sample_steps=steps,
               sample_interval=interval), "counts", f"{steps} steps")
      for steps, interval in _STEPS),
    *(Case("PolynomialCountSketch", partial(
               kernel_approximation.PolynomialCountSketch, **options), "three", _said(options))
      for options in _SKETCHES),
    Case("PolynomialCountSketch", lambda: kernel_approximation.PolynomialCountSketch(
             degree=3, n_components=40), "counts", "of counts"),
    Case("KernelCenterer", lambda: _square(KernelCenterer()), "three"),
    Case("KernelCenterer", lambda: frozen.FrozenEstimator(
             KernelCenterer().fit(data("three")[0][:4])), "three", "four columns"),
    Case("SVC", lambda: _square(svm.SVC(kernel="precomputed")), "three", "precomputed"),
    *(Case("KernelDensity", partial(neighbors.KernelDensity, **options), on,
           _said(options) + f", {on}") for options, on in _DENSITIES),
    Case("KernelDensity", lambda: frozen.FrozenEstimator(neighbors.KernelDensity(bandwidth=0.4).fit(
             data("three")[0], sample_weight=np.arange(150))), "three", "weighted rows"),
    *(Case("NearestCentroid", partial(neighbors.NearestCentroid, **options), on,
           ", ".join((on, *(f"{value}" for value in options.values()))))
      for options in _CENTRES for on in _CLASSES),
    Case("NearestCentroid", lambda: make_pipeline(
             MinMaxScaler(), neighbors.NearestCentroid(priors=[0.2, 0.3, 0.5])), "three",
         "priors given"),
)  # fmt: skip
