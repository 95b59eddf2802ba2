"""Models that answer by the nearest of the points that they were fitted on."""

from __future__ import annotations

from functools import partial

from sklearn import impute, manifold, neighbors, semi_supervised

from tests.converters.estimators.case import Case
from tests.converters.estimators.data import Name

_CLASSES: tuple[Name, ...] = ("two", "three", "counts", "several labels", "indicators")
_RADII: tuple[tuple[float, Name], ...] = (
    (0.3, "three"),
    (30.0, "two"),
    (20.0, "counts"),
    (0.3, "several labels"),
)
_DENSE: tuple[Name, ...] = ("three", "two", "numbers")
_APART: tuple[Name, ...] = ("shares", "two")
_LABELLED: tuple[Name, ...] = ("three", "two")
_METRICS = ("manhattan", "cosine", "sqeuclidean")
_Outlying = partial(neighbors.RadiusNeighborsClassifier, outlier_label="most_frequent")

CASES = (
    *(Case("KNeighborsClassifier", neighbors.KNeighborsClassifier, on, on) for on in _CLASSES),
    *(
        Case(
            "KNeighborsClassifier",
            partial(neighbors.KNeighborsClassifier, weights="distance"),
            on,
            f"{on}, by distance",
        )
        for on in _CLASSES
    ),
    *(
        Case(
            "KNeighborsClassifier",
            partial(neighbors.KNeighborsClassifier, metric=name),
            "two",
            name,
        )
        for name in _METRICS
    ),
    Case(
        "KNeighborsClassifier",
        partial(neighbors.KNeighborsClassifier, p=3, metric_params={"w": [1.0, 2.0, 0.5, 3.0]}),
        "three",
        "weighted minkowski",
    ),
    Case("KNeighborsClassifier", partial(neighbors.KNeighborsClassifier, 1), "two", "one"),
    Case("KNeighborsRegressor", neighbors.KNeighborsRegressor, "numbers"),
    Case("KNeighborsRegressor", neighbors.KNeighborsRegressor, "several numbers", "several"),
    Case(
        "KNeighborsRegressor",
        partial(neighbors.KNeighborsRegressor, metric="chebyshev"),
        "shares",
        "chebyshev",
    ),
    Case(
        "KNeighborsRegressor",
        partial(neighbors.KNeighborsRegressor, weights="distance", n_neighbors=9),
        "several numbers",
        "by distance",
    ),
    *(
        Case(
            "KNeighborsTransformer",
            partial(neighbors.KNeighborsTransformer, mode=mode),
            on,
            f"{mode}, {on}",
        )
        for mode in ("distance", "connectivity")
        for on in _APART
    ),
    *(
        Case(
            "RadiusNeighborsClassifier",
            partial(_Outlying, radius, weights=weights),
            on,
            f"{on}, {weights}",
        )
        for weights in ("uniform", "distance")
        for radius, on in _RADII
    ),
    Case(
        "RadiusNeighborsClassifier",
        partial(neighbors.RadiusNeighborsClassifier, 20.0, outlier_label=0),
        "counts",
        "ten classes, outliers named",
    ),
    *(
        Case(
            "RadiusNeighborsClassifier",
            partial(_Outlying, 60.0, metric="manhattan", outlier_label=label),
            "counts",
            f"manhattan, {label}",
        )
        for label in ("most_frequent", 3)
    ),
    Case(
        "RadiusNeighborsClassifier",
        partial(neighbors.RadiusNeighborsClassifier, 100.0),
        "counts",
        "no outlier label",
    ),
    Case("RadiusNeighborsRegressor", partial(neighbors.RadiusNeighborsRegressor, 5.0), "numbers"),
    Case(
        "RadiusNeighborsRegressor",
        partial(neighbors.RadiusNeighborsRegressor, 5.0, weights="distance"),
        "several numbers",
        "by distance",
    ),
    *(
        Case(
            "RadiusNeighborsTransformer",
            partial(neighbors.RadiusNeighborsTransformer, radius=0.5, mode=mode),
            "three",
            mode,
        )
        for mode in ("distance", "connectivity")
    ),
    *(
        Case("LocalOutlierFactor", partial(neighbors.LocalOutlierFactor, novelty=True), on, on)
        for on in _DENSE
    ),
    *(
        Case("KNNImputer", partial(impute.KNNImputer, **options), "holes", note)
        for options, note in (
            ({}, ""),
            ({"weights": "distance"}, "by distance"),
            ({"add_indicator": True, "n_neighbors": 2}, "with indicator"),
        )
    ),
    *(
        Case(name, partial(make, kernel, gamma=2.0), on, f"{kernel}, {on}")
        for name, make in (
            ("LabelPropagation", semi_supervised.LabelPropagation),
            ("LabelSpreading", semi_supervised.LabelSpreading),
        )
        for kernel in ("rbf", "knn")
        for on in _LABELLED
    ),
    Case("Isomap", manifold.Isomap, "shares"),
    Case("Isomap", lambda: manifold.Isomap(n_neighbors=7, n_components=3), "two", "three"),
)
