"""Layers, projections and partial least squares."""

from __future__ import annotations

from functools import partial

from sklearn import cross_decomposition, decomposition, neural_network, random_projection

from tests.converters.estimators.case import Case
from tests.converters.estimators.data import Name

_ACTIVATIONS = ("identity", "logistic", "tanh", "relu")
_PROJECTIONS = (
    decomposition.FactorAnalysis,
    decomposition.FastICA,
    decomposition.IncrementalPCA,
    decomposition.MiniBatchSparsePCA,
    decomposition.PCA,
    decomposition.SparsePCA,
    decomposition.TruncatedSVD,
)
_CROSS = (
    cross_decomposition.CCA,
    cross_decomposition.PLSCanonical,
    cross_decomposition.PLSRegression,
)

_LABELS: tuple[tuple[Name, str], ...] = (
    ("two", "two classes"), ("three", "three classes"), ("indicators", "several labels"),
)  # fmt: skip
_WHITENED: tuple[tuple[str | bool, int | None, Name], ...] = (
    ("arbitrary-variance", 3, "two"), (False, None, "shares"),
)  # fmt: skip
# Before scikit-learn 1.7 there was one loss only.
_LOSSES = ("poisson",) if "loss" in neural_network.MLPRegressor().get_params() else ()

CASES = (
    *(Case("MLPRegressor", partial(
        neural_network.MLPRegressor, loss=loss, random_state=0), "numbers", loss)
      for loss in _LOSSES),
    *(Case("MLPClassifier", partial(neural_network.MLPClassifier, random_state=0), on, note)
      for on, note in _LABELS),
    *(Case("MLPRegressor", partial(
        neural_network.MLPRegressor, hidden_layer_sizes=(20, 10), activation=to, random_state=0),
        "numbers", to) for to in _ACTIVATIONS),
    Case("MLPRegressor", partial(neural_network.MLPRegressor, random_state=0), "several numbers",
         "several outputs"),
    Case("BernoulliRBM", partial(neural_network.BernoulliRBM, 20, random_state=0), "shares"),
    *(Case(kind.__name__, partial(kind, n_components=3), "two") for kind in _PROJECTIONS),
    *(Case(kind.__name__, partial(kind, n_components=3, whiten=True), "two", "whitened")
      for kind in (decomposition.PCA, decomposition.IncrementalPCA)),
    Case("PCA", partial(decomposition.PCA, 0.95, svd_solver="full"), "counts", "a share kept"),
    *(Case("FastICA", partial(decomposition.FastICA, many, whiten=how, random_state=0), on,
           f"whiten {how}") for how, many, on in _WHITENED),
    Case("FactorAnalysis", partial(decomposition.FactorAnalysis, 3, rotation="varimax"), "three",
         "rotated"),
    *(Case("SparsePCA", partial(decomposition.SparsePCA, 4, ridge_alpha=much), "three",
           f"ridge_alpha {much}") for much in (0.0, 2.0)),
    Case("GaussianRandomProjection",
         partial(random_projection.GaussianRandomProjection, 3, random_state=0), "two"),
    *(Case("SparseRandomProjection", partial(
        random_projection.SparseRandomProjection, 3, dense_output=dense, random_state=0), "two",
        "dense" if dense else "")
      for dense in (False, True)),
    *(Case(kind.__name__, partial(kind, n_components=1), "numbers") for kind in _CROSS),
    *(Case(kind.__name__, partial(kind, n_components=2), "several numbers", "several outputs")
      for kind in _CROSS),
    Case("PLSRegression", partial(cross_decomposition.PLSRegression, 2, scale=False), "numbers",
         "not scaled"),
    *(Case(kind.__name__, partial(kind, n_components=2), "several numbers", "", "transform")
      for kind in (*_CROSS, cross_decomposition.PLSSVD)),
)  # fmt: skip
