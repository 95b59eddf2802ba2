"""Gradient boosting over histograms: scikit-learn's, LightGBM's and XGBoost's."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any

from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, PowerTransformer, StandardScaler

from tests.converters.estimators.case import Case
from tests.converters.estimators.data import Name

_LABELS: tuple[tuple[Name, str], ...] = (
    ("two", "two classes"),
    ("three", "three classes"),
    ("gaps", "missing values"),
)


def _lightgbm() -> tuple[Case, ...]:
    import lightgbm

    def quiet(kind: str, **options: Any) -> Callable[[], Any]:
        return lambda: getattr(lightgbm, kind)(n_estimators=40, verbose=-1, n_jobs=1, **options)

    classifier, regressor = "LGBMClassifier", "LGBMRegressor"
    return (
        *(Case(classifier, quiet(classifier), on, note) for on, note in _LABELS),
        Case(classifier, quiet(classifier, zero_as_missing=True), "counts", "zeros missing"),
        Case(classifier, quiet(classifier, objective="multiclassova", num_class=3), "three",
             "one against all"),
        Case(classifier, quiet(classifier, boosting_type="dart"), "two", "dart"),
        Case(classifier, quiet(classifier, boosting_type="rf", subsample=0.5, subsample_freq=1),
             "two", "random forest"),
        Case(classifier, quiet(classifier, categorical_feature=[0, 3], min_child_samples=2,
                               min_data_per_group=2, max_cat_to_onehot=1), "few", "categories"),
        *(Case(regressor, quiet(regressor, objective=objective), "numbers", objective)
          for objective in ("regression", "regression_l1", "huber", "quantile", "poisson", "gamma",
                            "tweedie", "mape")),
        Case(regressor, quiet(regressor, reg_sqrt=True), "numbers", "of the root"),
        Case(regressor, quiet(regressor, linear_tree=True), "numbers", "linear leaves"),
        Case("Pipeline", lambda: make_pipeline(StandardScaler(), quiet(classifier)()), "two",
             "scaled LightGBM"),
    )  # fmt: skip


def _xgboost() -> tuple[Case, ...]:
    import xgboost

    def small(kind: str, **options: Any) -> Callable[[], Any]:
        return lambda: getattr(xgboost, kind)(n_estimators=40, n_jobs=1, **options)

    classifier, regressor = "XGBClassifier", "XGBRegressor"
    return (
        Case(classifier, small(classifier), "two", "two classes"),
        Case(classifier, small(classifier), "counts", "ten classes"),
        Case(classifier, small(classifier, missing=0.0), "counts", "zeros missing"),
        Case(classifier, small(classifier, booster="dart", rate_drop=0.3), "two", "dart"),
        Case(classifier, small(classifier, booster="gblinear"), "two", "linear"),
        Case(classifier, small(classifier, enable_categorical=True, max_cat_to_onehot=1,
                               feature_types=["c", "q", "q", "c", "q"]), "few", "categories"),
        Case("XGBRFClassifier", small("XGBRFClassifier"), "two"),
        *(Case(regressor, small(regressor, objective=objective), "numbers", objective)
          for objective in ("reg:squarederror", "reg:absoluteerror", "reg:pseudohubererror",
                            "count:poisson", "reg:gamma", "reg:tweedie")),
        Case(regressor, small(regressor), "several numbers", "several outputs"),
        Case(regressor, small(regressor, multi_strategy="multi_output_tree"), "several numbers",
             "leaves of several outputs"),
        Case(regressor, small(regressor, objective="reg:quantileerror",
                              quantile_alpha=[0.1, 0.9]), "numbers", "two quantiles"),
        Case("XGBRFRegressor", small("XGBRFRegressor"), "numbers"),
        Case("Pipeline", lambda: make_pipeline(StandardScaler(), small(classifier)()), "two",
             "scaled XGBoost"),
    )  # fmt: skip


_HIST = HistGradientBoostingClassifier
_HISTS = HistGradientBoostingRegressor

CASES = (
    *(Case("HistGradientBoostingClassifier", _HIST, on, note) for on, note in _LABELS),
    Case("HistGradientBoostingClassifier", lambda: _HIST(categorical_features=[0, 3]), "few",
         "categories"),
    Case("HistGradientBoostingClassifier",
         lambda: make_pipeline(FunctionTransformer(), _HIST(categorical_features=[0])), "few",
         "categories in a pipeline"),
    *(Case("HistGradientBoostingRegressor", partial(_HISTS, loss=loss), "numbers", loss)
      for loss in ("squared_error", "absolute_error", "poisson", "gamma")),
    Case("HistGradientBoostingRegressor", lambda: _HISTS(loss="quantile", quantile=0.9),
         "numbers", "quantile"),
    Case("Pipeline", lambda: make_pipeline(StandardScaler(), _HIST()), "three",
         "scaled HistGradientBoosting"),
    Case("Pipeline", lambda: make_pipeline(PowerTransformer(), _HIST()), "three",
         "bent HistGradientBoosting"),
    *(_lightgbm() if find_spec("lightgbm") else ()),
    *(_xgboost() if find_spec("xgboost") else ()),
)  # fmt: skip
