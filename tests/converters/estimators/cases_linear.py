"""Linear models, and the scalers before them."""

from __future__ import annotations

from functools import partial

from sklearn import linear_model, preprocessing, svm
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from tests.converters.estimators.case import Case
from tests.converters.estimators.data import Name

_ON_NUMBERS = (
    linear_model.ARDRegression,
    linear_model.BayesianRidge,
    linear_model.ElasticNet,
    linear_model.ElasticNetCV,
    linear_model.HuberRegressor,
    linear_model.Lars,
    linear_model.LarsCV,
    linear_model.Lasso,
    linear_model.LassoCV,
    linear_model.LassoLars,
    linear_model.LassoLarsCV,
    linear_model.LassoLarsIC,
    linear_model.LinearRegression,
    linear_model.OrthogonalMatchingPursuit,
    linear_model.OrthogonalMatchingPursuitCV,
    linear_model.PassiveAggressiveRegressor,
    linear_model.QuantileRegressor,
    linear_model.Ridge,
    linear_model.RidgeCV,
    linear_model.SGDRegressor,
    linear_model.TheilSenRegressor,
    linear_model.GammaRegressor,
    linear_model.PoissonRegressor,
    linear_model.TweedieRegressor,
    svm.LinearSVR,
)
_ON_SEVERAL_NUMBERS = (
    linear_model.LinearRegression,
    linear_model.MultiTaskElasticNet,
    linear_model.MultiTaskElasticNetCV,
    linear_model.MultiTaskLasso,
    linear_model.MultiTaskLassoCV,
    linear_model.Ridge,
)
_CLASSIFIERS = (
    linear_model.LogisticRegression,
    linear_model.LogisticRegressionCV,
    linear_model.Perceptron,
    linear_model.PassiveAggressiveClassifier,
    linear_model.RidgeClassifier,
    linear_model.RidgeClassifierCV,
    linear_model.SGDClassifier,
    svm.LinearSVC,
    LinearDiscriminantAnalysis,
)
_SCALERS = (
    preprocessing.MaxAbsScaler,
    preprocessing.MinMaxScaler,
    preprocessing.RobustScaler,
    preprocessing.StandardScaler,
)

_CLASSES: tuple[Name, ...] = ("two", "three")

CASES = (
    *(Case(kind.__name__, kind, "numbers") for kind in _ON_NUMBERS),
    *(Case(kind.__name__, kind, "several numbers", "several outputs")
      for kind in _ON_SEVERAL_NUMBERS),
    *(Case(kind.__name__, kind, on, f"{on} classes")
      for kind in _CLASSIFIERS for on in _CLASSES),
    Case("RidgeClassifier", linear_model.RidgeClassifier, "indicators", "several labels"),
    *(Case("SGDClassifier", partial(linear_model.SGDClassifier, loss=loss), on,
           f"{loss}, {on} classes")
      for loss in ("log_loss", "modified_huber") for on in _CLASSES),
    *(Case("LinearDiscriminantAnalysis",
           partial(LinearDiscriminantAnalysis, solver=solver), "three", solver,
           "transform")
      for solver in ("svd", "eigen")),
    Case("SGDOneClassSVM", linear_model.SGDOneClassSVM, "three"),
    *(Case(kind.__name__, kind, "two") for kind in _SCALERS),
    Case("MinMaxScaler", lambda: preprocessing.MinMaxScaler((-3, 4), clip=True), "two", "clipped"),
)  # fmt: skip
