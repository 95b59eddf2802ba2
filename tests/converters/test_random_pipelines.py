"""Pipelines drawn at random from the steps that convert: each answers as its source does."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from onnx import ModelProto, TensorProto
from sklearn import (
    cluster,
    compose,
    decomposition,
    discriminant_analysis,
    ensemble,
    feature_selection,
    kernel_approximation,
    linear_model,
    naive_bayes,
    neighbors,
    neural_network,
    pipeline,
    preprocessing,
    svm,
    tree,
)
from sklearn.base import is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.multiclass import OneVsRestClassifier

from edgeship_converters.artifact import Task
from edgeship_converters.parity import Judge, shake
from edgeship_converters.sources.sklearn_inputs import finite
from edgeship_converters.sources.sklearn_model import SklearnSource, in_memory
from edgeship_converters.steps.sklearn_to_onnx import sklearn_to_onnx
from edgeship_runtime.arrays import Array
from edgeship_runtime.engines.onnx_runtime import OnnxRuntime
from edgeship_runtime.quiet import quiet
from tests.converters.lowered import FORMS, run_form

WIDTH = 5

# Each makes a step that is not fitted. The rough ones put rows at the same place, but for
# roundings, or some so far away that the distances between the others are roundings: models that
# leap from one answer to another do so there by scikit-learn's own last bits.
STEPS = st.sampled_from(
    [
        preprocessing.StandardScaler,
        preprocessing.MinMaxScaler,
        preprocessing.RobustScaler,
        preprocessing.MaxAbsScaler,
        preprocessing.PowerTransformer,
        lambda: preprocessing.QuantileTransformer(n_quantiles=40),
        lambda: preprocessing.QuantileTransformer(n_quantiles=40, output_distribution="normal"),
        lambda: preprocessing.FunctionTransformer(np.cbrt),
        lambda: preprocessing.SplineTransformer(n_knots=4),
        lambda: decomposition.PCA(2),
        lambda: decomposition.TruncatedSVD(2),
        lambda: feature_selection.SelectKBest(k=2),
        lambda: cluster.FeatureAgglomeration(2),
        # So wide that no row is out of reach of all points.
        lambda: kernel_approximation.Nystroem(gamma=1e-4, n_components=8, random_state=0),
        lambda: kernel_approximation.RBFSampler(n_components=8, random_state=0),
    ]
)
ROUGH = st.sampled_from(
    [
        lambda: preprocessing.PolynomialFeatures(2, include_bias=False),
        lambda: preprocessing.Binarizer(threshold=0.5),
        lambda: preprocessing.KBinsDiscretizer(4, encode="onehot-dense"),
        lambda: preprocessing.KBinsDiscretizer(4, encode="ordinal"),
        lambda: ensemble.RandomTreesEmbedding(4, max_depth=2, random_state=0, sparse_output=False),
    ]
)
SMOOTH = st.sampled_from(
    [
        linear_model.LogisticRegression,
        lambda: linear_model.SGDClassifier(random_state=0),
        linear_model.RidgeClassifier,
        discriminant_analysis.LinearDiscriminantAnalysis,
        naive_bayes.GaussianNB,
        svm.LinearSVC,
        svm.SVC,
        lambda: neural_network.MLPClassifier((6,), max_iter=40, random_state=0),
        lambda: CalibratedClassifierCV(svm.LinearSVC(), cv=3),
        lambda: OneVsRestClassifier(linear_model.LogisticRegression()),
        lambda: ensemble.StackingClassifier(
            [("bayes", naive_bayes.GaussianNB()), ("line", linear_model.LogisticRegression())]
        ),
        linear_model.Ridge,
        linear_model.HuberRegressor,
        svm.SVR,
        lambda: neural_network.MLPRegressor(hidden_layer_sizes=(6,), max_iter=40, random_state=0),
        lambda: compose.TransformedTargetRegressor(
            linear_model.Ridge(), transformer=preprocessing.StandardScaler()
        ),
    ]
)
SHARP = st.sampled_from(
    [
        lambda: tree.DecisionTreeClassifier(random_state=0),
        lambda: ensemble.RandomForestClassifier(10, random_state=0),
        lambda: ensemble.ExtraTreesClassifier(10, random_state=0),
        lambda: ensemble.GradientBoostingClassifier(n_estimators=5, random_state=0),
        lambda: ensemble.HistGradientBoostingClassifier(max_iter=5, random_state=0),
        lambda: ensemble.BaggingClassifier(n_estimators=4, random_state=0),
        lambda: ensemble.VotingClassifier(
            [
                ("tree", tree.DecisionTreeClassifier(random_state=0)),
                ("bayes", naive_bayes.GaussianNB()),
            ],
            voting="soft",
        ),
        lambda: ensemble.RandomForestRegressor(10, random_state=0),
        lambda: ensemble.GradientBoostingRegressor(n_estimators=5, random_state=0),
        lambda: ensemble.HistGradientBoostingRegressor(max_iter=5, random_state=0),
        neighbors.KNeighborsClassifier,
        neighbors.KNeighborsRegressor,
    ]
)


@st.composite
def chains(draw: st.DrawFn, steps: Any) -> list[Any]:
    """Up to three steps, some of them two side by side."""
    found = []
    for _ in range(draw(st.integers(0, 3))):
        step = draw(steps)()
        shape = draw(st.sampled_from(["alone", "alone", "union"]))
        if shape == "union":
            other = draw(steps)()
            step = pipeline.make_union(step, other)
        found.append(step)
    return found


@st.composite
def models(draw: st.DrawFn) -> Any:
    """A pipeline that is not fitted; its first steps may share the columns among them."""
    smooth = draw(st.booleans())
    last = draw(SMOOTH if smooth else SHARP)
    chain = draw(chains(st.one_of(STEPS, ROUGH) if smooth else STEPS))
    if draw(st.booleans()):
        columns = compose.make_column_transformer(
            (draw(STEPS)(), [0, 3, 4]),
            (draw(STEPS)(), [1, 2]),
            remainder=draw(st.sampled_from(["drop", "passthrough"])),
        )
        chain.insert(0, columns)
    return pipeline.make_pipeline(*chain, last())


def rows_of(seed: int) -> Array:
    """Numbers on several scales, no two the same."""
    random = np.random.default_rng(seed)
    scales = np.array([1.0, 10.0, 0.1, 100.0, 5.0])
    rows: Array = random.normal(size=(240, WIDTH)) * scales + scales / 3
    return rows.astype(np.float32)


def check(model: Any, seed: int, classes: int) -> None:
    rows = rows_of(seed)
    value = rows[:, 0] * rows[:, 1] + rows[:, 3] / 10 - rows[:, 2]
    truth = np.digitize(value, np.quantile(value, np.arange(1, classes) / classes))
    asked = rows.astype(np.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model.fit(asked[:160], (truth if is_classifier(model) else value)[:160])
        except (ValueError, IndexError):
            # Two columns cannot be chosen from one, say.
            reject()
        source = in_memory(model)
        expected = source.predict({"x": rows})
        if not finite(expected):
            # Columns without any variance make it so.
            reject()
        artifact = sklearn_to_onnx(source, Task("m", source.contract, {"x": rows[:200]}))
        judge = Judge(source.contract, {"x": rows}, expected, None, "held-out")
        fault = judge.verdict(OnnxRuntime(artifact.data).run({"x": rows}), "float32")
        if fault is not None and hangs_by_roundings(source, judge):
            reject()
        assert fault is None, f"{fault}: {model}"
        for form, step in FORMS.items():
            with quiet():
                lowered = step(artifact, Task("m", source.contract, classical=True))
            got = run_form(source, form, lowered, {"x": rows})
            other = judge.verdict(got, "float32")
            if other is not None:
                shaken = replace(judge, shaken=source.predict(shake(judge.inputs)))
                other = shaken.verdict(got, "float32")
            if other is not None and form.startswith("tflite") and in_float64(artifact.data):
                # The gate refuses it: TFLite has no float64.
                continue
            assert other is None, f"{form} {other}: {model}"


def in_float64(model: bytes) -> bool:
    """Whether an ONNX form computes in float64 somewhere, as float32 is not enough."""
    return any(
        tensor.data_type == TensorProto.DOUBLE
        for tensor in ModelProto.FromString(model).graph.initializer
    )


def hangs_by_roundings(source: SklearnSource, judge: Judge) -> bool:
    """Whether a source answers otherwise when asked row by row, or about rows one bit away.

    A scaler may divide by what roundings left of a column, a tree cut between two of them.
    """
    rows = judge.inputs["x"]
    apart = [source.predict({"x": row[None]}) for row in rows]
    joined = {name: np.concatenate([one[name] for one in apart]) for name in apart[0]}
    others = (joined, source.predict(shake(judge.inputs)))
    return any(judge.verdict(other, "float32") is not None for other in others)


def try_pipelines(most: int, *, derandomize: bool) -> int:
    """Check pipelines, and count those that were held to their sources."""
    held = 0

    @settings(
        max_examples=most,
        deadline=None,
        derandomize=derandomize,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(model=models(), seed=st.integers(0, 9999), classes=st.sampled_from([2, 3]))
    def run(model: Any, seed: int, classes: int) -> None:
        nonlocal held
        check(model, seed, classes)
        held += 1

    run()
    return held


def test_a_few_pipelines() -> None:
    assert try_pipelines(12, derandomize=True) >= 10


@pytest.mark.slow
def test_many_pipelines() -> None:
    assert try_pipelines(300, derandomize=False) >= 200
