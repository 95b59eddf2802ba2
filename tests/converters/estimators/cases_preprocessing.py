"""Steps before a model: choosing columns, categories, missing values, bending."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from sklearn import (
    ensemble,
    feature_extraction,
    feature_selection,
    impute,
    linear_model,
    preprocessing,
)
from sklearn.pipeline import make_pipeline

from tests.converters.estimators.case import Case
from tests.converters.estimators.data import Name


def _tree() -> ensemble.RandomForestClassifier:
    return ensemble.RandomForestClassifier(5, random_state=0)


def _logistic() -> linear_model.LogisticRegression:
    return linear_model.LogisticRegression()


def _filled(step: Any) -> Any:
    """A step that lets missing values through, and 9 for those, as no output may be NaN."""
    return make_pipeline(step, impute.SimpleImputer(strategy="constant", fill_value=9.0))


_SELECTING = (
    Case("SelectKBest", lambda: feature_selection.SelectKBest(k=5), "two"),
    Case("SelectPercentile", feature_selection.SelectPercentile, "counts"),
    Case("SelectFpr", feature_selection.SelectFpr, "two"),
    Case("SelectFdr", feature_selection.SelectFdr, "two"),
    Case("SelectFwe", feature_selection.SelectFwe, "two"),
    Case("GenericUnivariateSelect",
         lambda: feature_selection.GenericUnivariateSelect(mode="k_best", param=1), "two"),
    Case("VarianceThreshold", lambda: feature_selection.VarianceThreshold(0.5), "three"),
    Case("VarianceThreshold", lambda: _filled(feature_selection.VarianceThreshold(0.5)), "gaps",
         "missing values"),
    Case("SelectFromModel", lambda: feature_selection.SelectFromModel(_tree()), "two"),
    Case("SequentialFeatureSelector",
         lambda: feature_selection.SequentialFeatureSelector(
             linear_model.LinearRegression(), n_features_to_select=3), "numbers"),
    Case("RFE", lambda: feature_selection.RFE(_logistic()), "three"),
    Case("RFE", lambda: feature_selection.RFE(_logistic()), "three", "", "transform"),
    Case("RFE", lambda: feature_selection.RFE(linear_model.Ridge()), "numbers", "regressor"),
    Case("RFECV", lambda: feature_selection.RFECV(_logistic()), "two"),
    Case("RFECV", lambda: feature_selection.RFECV(linear_model.Ridge()), "numbers", "",
         "transform"),
)  # fmt: skip

_ONE_HOT: tuple[tuple[str, dict[str, Any]], ...] = (
    ("", {"handle_unknown": "ignore"}),
    ("dense, of float32", {"sparse_output": False, "dtype": np.float32}),
    ("first dropped", {"drop": "first", "handle_unknown": "ignore"}),
    ("dropped if binary", {"drop": "if_binary", "handle_unknown": "ignore"}),
    ("some dropped", {"drop": [2.0, 0.0, 1.0, 3.0, 0.5], "handle_unknown": "ignore"}),
    ("infrequent", {"min_frequency": 20, "handle_unknown": "ignore"}),
    ("infrequent if unknown", {"min_frequency": 20, "handle_unknown": "infrequent_if_exist"}),
    ("infrequent with a warning", {"max_categories": 3, "handle_unknown": "warn"}),
    ("infrequent, first dropped",
     {"max_categories": 3, "handle_unknown": "infrequent_if_exist", "drop": "first"}),
)  # fmt: skip
_ORDINAL: tuple[tuple[str, dict[str, Any]], ...] = (
    ("", {"handle_unknown": "use_encoded_value", "unknown_value": -1}),
    ("unknown is missing", {"handle_unknown": "use_encoded_value", "unknown_value": np.nan}),
    ("infrequent",
     {"min_frequency": 20, "handle_unknown": "use_encoded_value", "unknown_value": -1}),
)  # fmt: skip
_ENCODING = (
    *(Case("OneHotEncoder", partial(preprocessing.OneHotEncoder, **o), "few", note)
      for note, o in _ONE_HOT),
    *(Case("OrdinalEncoder", partial(_filled, preprocessing.OrdinalEncoder(**o)), "few", note)
      for note, o in _ORDINAL),
    Case("OneHotEncoder", lambda: preprocessing.OneHotEncoder(handle_unknown="ignore"), "gaps",
         "missing values"),
    *(Case("OrdinalEncoder",
           partial(_filled, preprocessing.OrdinalEncoder(
               handle_unknown="use_encoded_value", unknown_value=unknown,
               encoded_missing_value=missing)), "gaps", f"missing is {missing}, unknown {unknown}")
      for missing in (np.nan, -2) for unknown in (np.nan, -1)),
)  # fmt: skip


def _binned(step: Any) -> Any:
    """A step on few values a column."""
    return make_pipeline(preprocessing.KBinsDiscretizer(5, encode="ordinal"), step)


_TARGETS: tuple[Name, ...] = ("few", "three", "gaps", "two")
_TARGET_ENCODING = (
    *(Case("TargetEncoder", preprocessing.TargetEncoder, on, on) for on in _TARGETS),
    Case("TargetEncoder", lambda: preprocessing.TargetEncoder(smooth=30.0), "few", "smoothed"),
    Case("TargetEncoder", lambda: preprocessing.TargetEncoder(smooth=0.0), "three", "not smoothed"),
    Case("TargetEncoder", lambda: preprocessing.TargetEncoder(
             categories=[[0.0, 1.0, 2.0]] * 5), "few", "categories given"),
    Case("TargetEncoder", lambda: _binned(preprocessing.TargetEncoder()), "shares", "of numbers"),
    Case("TargetEncoder", lambda: preprocessing.TargetEncoder(target_type="continuous"), "one",
         "of numbers, one column"),
)  # fmt: skip

_IMPUTING = (
    *(Case("SimpleImputer", partial(
               impute.SimpleImputer, strategy=kind, add_indicator=add,
               fill_value=-3.5 if kind == "constant" else None),
           "gaps", kind + (", with marks" if add else ""))
      for kind in ("mean", "median", "most_frequent", "constant") for add in (False, True)),
    Case("SimpleImputer", lambda: impute.SimpleImputer(missing_values=0, add_indicator=True),
         "few", "zeros are missing"),
    Case("SimpleImputer", lambda: impute.SimpleImputer(add_indicator=True), "two",
         "nothing missing"),
    Case("MissingIndicator", impute.MissingIndicator, "gaps"),
    Case("MissingIndicator", lambda: impute.MissingIndicator(features="all"), "gaps", "all"),
    Case("MissingIndicator", lambda: impute.MissingIndicator(missing_values=1, features="all"),
         "few", "ones are missing"),
)  # fmt: skip

_PRODUCTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("", {}),
    ("cubic", {"degree": 3}),
    ("products only", {"degree": 3, "interaction_only": True}),
    ("no constant", {"include_bias": False}),
    ("of degrees 2 to 3", {"degree": (2, 3), "include_bias": False}),
)
_TERMS: tuple[tuple[dict[str, Any], Name], ...] = (
    ({}, "counts"), ({}, "few"), ({"norm": "l1"}, "counts"), ({"norm": None}, "counts"),
    ({"sublinear_tf": True}, "counts"), ({"use_idf": False}, "counts"),
    ({"smooth_idf": False, "norm": None, "sublinear_tf": True}, "three"),
)  # fmt: skip
_NORMED: tuple[Name, ...] = ("two", "few")
_BINS: tuple[tuple[str, Name], ...] = (
    ("quantile", "three"), ("uniform", "few"), ("kmeans", "three"),
)  # fmt: skip
_POWERS: tuple[tuple[str, Name], ...] = (
    ("yeo-johnson", "two"), ("yeo-johnson", "numbers"), ("box-cox", "three"),
)  # fmt: skip
_QUANTILES: tuple[tuple[int, Name], ...] = (
    (100, "two"), (20, "few"), (60, "three"), (250, "numbers"),
)  # fmt: skip
_BENDING = (
    *(Case("Normalizer", partial(preprocessing.Normalizer, norm), on, f"{norm}, {on}")
      for norm in ("l1", "l2", "max") for on in _NORMED),
    *(Case("TfidfTransformer", partial(feature_extraction.text.TfidfTransformer, **o), on,
           ", ".join((on, *(f"{name} {value}" for name, value in o.items()))))
      for o, on in _TERMS),
    Case("Binarizer", lambda: preprocessing.Binarizer(threshold=1.3), "three"),
    Case("Binarizer", lambda: preprocessing.Binarizer(threshold=2.0), "few", "on the threshold"),
    *(Case("PolynomialFeatures", partial(preprocessing.PolynomialFeatures, **o), "three", note)
      for note, o in _PRODUCTS),
    *(Case("KBinsDiscretizer",
           partial(
               preprocessing.KBinsDiscretizer, 4, encode=encode, strategy=strategy,
               random_state=0), on,
           f"{encode}, {strategy}, {on}")
      for encode in ("onehot", "onehot-dense", "ordinal")
      for strategy, on in _BINS),
    *(Case("PowerTransformer",
           partial(preprocessing.PowerTransformer, method, standardize=scaled), on,
           f"{method}, {on}" + ("" if scaled else ", not scaled"))
      for method, on in _POWERS
      for scaled in (True, False)),
    *(Case("SplineTransformer",
           partial(
               preprocessing.SplineTransformer, 4, degree, extrapolation=beyond), "numbers",
           f"{beyond}, degree {degree}")
      for beyond in ("constant", "linear", "continue", "periodic") for degree in (2, 3)),
    Case("SplineTransformer",
         lambda: preprocessing.SplineTransformer(knots="quantile", include_bias=False), "two",
         "of quantiles, without the last"),
    *(Case("SplineTransformer", partial(
               preprocessing.SplineTransformer, 9, knots="quantile", extrapolation=beyond), "few",
           f"{beyond}, repeated knots")
      for beyond in ("constant", "linear", "periodic")),
    Case("SplineTransformer", lambda: preprocessing.SplineTransformer(
             degree=1, extrapolation="linear"), "one", "linear, degree 1"),
    Case("SplineTransformer", lambda: preprocessing.SplineTransformer(
             degree=0, extrapolation="continue"), "three", "steps"),
    *(Case("QuantileTransformer",
           partial(
               preprocessing.QuantileTransformer, n_quantiles=many, output_distribution=shape,
               random_state=0), on,
           f"{shape}, {many} quantiles, {on}")
      for shape in ("uniform", "normal")
      for many, on in _QUANTILES),
)  # fmt: skip

CASES = (*_SELECTING, *_ENCODING, *_TARGET_ENCODING, *_IMPUTING, *_BENDING)
