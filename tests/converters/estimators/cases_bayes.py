"""Bayes' rule, mixtures and baselines."""

from __future__ import annotations

from functools import partial

from sklearn import covariance, dummy, isotonic, mixture, naive_bayes
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler

from tests.converters.estimators.case import Case
from tests.converters.estimators.data import Name

_COUNTING = (
    naive_bayes.BernoulliNB,
    naive_bayes.ComplementNB,
    naive_bayes.MultinomialNB,
)
_MIXTURES = (mixture.BayesianGaussianMixture, mixture.GaussianMixture)
_COVARIANCES = ("full", "tied", "diag", "spherical")
_CLASSES: tuple[Name, ...] = ("two", "three")
_COUNTS: tuple[Name, ...] = ("counts", "two", "three")
_LABELS: tuple[Name, ...] = ("three", "several labels")
_INLIERS: tuple[Name, ...] = ("three", "numbers")
_TARGETS: tuple[Name, ...] = ("numbers", "several numbers")


def _isotonic(beyond: str, *, increasing: bool) -> Pipeline:
    """On rows that stay within those of the fit: beyond them the model gives NaN, or fails."""
    regression = isotonic.IsotonicRegression(increasing=increasing, out_of_bounds=beyond)
    return make_pipeline(MinMaxScaler(clip=True), regression)


CASES = (
    *(Case("GaussianNB", naive_bayes.GaussianNB, on, f"{on} classes") for on in _CLASSES),
    Case("QuadraticDiscriminantAnalysis", QuadraticDiscriminantAnalysis, "three"),
    Case("GaussianNB", partial(naive_bayes.GaussianNB, priors=[0.0, 0.3, 0.7]), "three",
         "a class without prior"),
    *(Case("QuadraticDiscriminantAnalysis",
           partial(QuadraticDiscriminantAnalysis, reg_param=0.01), on,
           f"regularized, {on} classes") for on in _CLASSES),
    *(Case(kind.__name__, kind, on, f"on {on}") for kind in _COUNTING
      for on in _COUNTS),
    Case("MultinomialNB", partial(naive_bayes.MultinomialNB, fit_prior=False), "two", "no prior"),
    Case("ComplementNB", partial(naive_bayes.ComplementNB, norm=True), "counts", "normed"),
    *(Case("BernoulliNB", partial(naive_bayes.BernoulliNB, binarize=at), "three",
           f"above {at}") for at in (0.2, 3.3, 5.0)),
    Case("CategoricalNB", partial(naive_bayes.CategoricalNB, min_categories=20), "counts"),
    *(Case(kind.__name__, partial(kind, n_components=3, covariance_type=of, random_state=0),
           on, f"{of} on {on}")
      for kind in _MIXTURES for of in _COVARIANCES for on in _CLASSES),
    Case("BayesianGaussianMixture", partial(
        mixture.BayesianGaussianMixture, n_components=4, random_state=0,
        weight_concentration_prior_type="dirichlet_distribution"), "three",
        "dirichlet distribution"),
    *(Case("EllipticEnvelope", partial(covariance.EllipticEnvelope, random_state=0), on, on)
      for on in _INLIERS),
    Case("EllipticEnvelope", partial(
        covariance.EllipticEnvelope, store_precision=False, assume_centered=True,
        contamination=0.02, random_state=0), "numbers", "centred"),
    *(Case("DummyClassifier", partial(dummy.DummyClassifier, strategy=how), on, f"{how} on {on}")
      for how in ("most_frequent", "prior") for on in _LABELS),
    Case("DummyClassifier", partial(
        dummy.DummyClassifier, strategy="constant", constant="virginica"), "three", "constant"),
    Case("DummyClassifier", partial(
        dummy.DummyClassifier, strategy="constant", constant=[20, 1]), "several labels",
        "constants"),
    *(Case("DummyClassifier", partial(dummy.DummyClassifier, strategy=how), "three", how)
      for how in ("stratified", "uniform")),
    *(Case("DummyRegressor", partial(dummy.DummyRegressor, strategy=how), on, f"{how} of {on}")
      for how in ("mean", "median") for on in _TARGETS),
    Case("DummyRegressor", partial(
        dummy.DummyRegressor, strategy="constant", constant=[3, 0.5]), "several numbers",
        "constants"),
    Case("DummyRegressor", partial(dummy.DummyRegressor, strategy="quantile", quantile=0.9),
         "numbers", "quantile"),
    *(Case("IsotonicRegression", partial(_isotonic, beyond, increasing=up), "one",
           f"{beyond}, {'up' if up else 'down'}")
      for beyond in ("nan", "clip", "raise") for up in (True, False)),
)  # fmt: skip
