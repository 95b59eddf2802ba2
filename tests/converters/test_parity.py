"""What the gate lets through, and what it says of the rest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgeship_converters.parity import Judge, shake
from edgeship_converters.plan import Number
from edgeship_runtime.arrays import Array
from edgeship_runtime.bundle import Contract, InputSpec, OutputSpec

X = InputSpec(name="x", dtype="float32", shape=(None, 1))
CLASSIFIER = Contract(
    task="classification",
    inputs=(X,),
    outputs=(
        OutputSpec(name="label", dtype="int64", shape=(None,), role="label"),
        OutputSpec(name="probabilities", dtype="float32", shape=(None, 2), role="probabilities"),
    ),
    classes=(0, 1),
)
REGRESSOR = Contract(
    task="regression",
    inputs=(X,),
    outputs=(OutputSpec(name="prediction", dtype="float32", shape=(None,), role="value"),),
)


def classified(labels: Array) -> dict[str, Array]:
    """Sure answers of a classifier."""
    return {"label": labels, "probabilities": np.eye(2, dtype=np.float32)[labels]}


def flipped(labels: Array, count: int) -> Array:
    """The first `count` labels turned round."""
    turned = labels.copy()
    turned[:count] = 1 - turned[:count]
    return turned


LABELS = np.arange(1000) % 2


def judge(truth: Array | None, max_drop: float = 0.005) -> Judge:
    """A judge over the labels above."""
    rows = {"x": np.zeros((len(LABELS), 1), np.float32)}
    return Judge(CLASSIFIER, rows, classified(LABELS), truth, "held-out", max_drop)


def fault(judge: Judge, outputs: dict[str, Array], *, number: Number) -> str | None:
    """What the judge finds wrong."""
    found = judge.fault(outputs, judge.evidence(outputs, number), number)
    return None if found is None else str(found)


def test_a_float_variant_must_not_flip_one_label() -> None:
    said = fault(judge(None), classified(flipped(LABELS, 1)), number="float32")
    assert said == (
        "flips 1 of 1000 labels in output 'label' (limit 0): leave it out with --variants"
    )
    assert fault(judge(None), classified(LABELS), number="float32") is None


def test_a_float_variant_must_keep_to_float32() -> None:
    outputs = classified(LABELS)
    near = {**outputs, "probabilities": outputs["probabilities"] * np.float32(1 - 3e-6)}
    far = {**outputs, "probabilities": outputs["probabilities"] * np.float32(1 - 3e-3)}
    assert fault(judge(None), near, number="float32") is None
    said = fault(judge(None), far, number="float32")
    assert said is not None
    assert "is off by 0.003 in output 'probabilities' (limit" in said


@pytest.mark.parametrize(("lost", "passes"), [(0, True), (5, True), (6, False), (500, False)])
def test_a_quantized_variant_may_lose_half_a_point_of_accuracy(lost: int, passes: bool) -> None:
    said = fault(judge(LABELS), classified(flipped(LABELS, lost)), number="integer")
    assert (said is None) == passes
    if said is not None:
        assert f"loses {lost / 1000:.2%} accuracy on 1000 rows (limit 0.50%)" in said


def test_max_drop_is_the_budget() -> None:
    outputs = classified(flipped(LABELS, 30))
    assert fault(judge(LABELS, 0.03), outputs, number="integer") is None
    assert fault(judge(LABELS, 0.02), outputs, number="integer") is not None


def test_flips_that_mend_the_source_s_mistakes_are_no_loss() -> None:
    outputs = classified(flipped(LABELS, 100))
    assert fault(judge(flipped(LABELS, 100)), outputs, number="integer") is None


def test_without_truth_flips_are_counted() -> None:
    said = fault(judge(None), classified(flipped(LABELS, 10)), number="integer")
    assert said is not None
    assert said.startswith("flips 1.00% of labels on 1000 rows (limit 0.50%)")


def test_nan_never_passes() -> None:
    outputs = classified(LABELS)
    outputs["probabilities"] = outputs["probabilities"].copy()
    outputs["probabilities"][7, 0] = np.nan
    numbers: tuple[Number, ...] = ("float32", "float16", "integer")
    for number in numbers:
        said = fault(judge(LABELS, 0.9), outputs, number=number)
        assert said is not None
        assert "NaN" in said


def test_a_quantized_regression_must_explain_the_source_s_variance() -> None:
    expected = np.linspace(0, 10, 200, dtype=np.float32)
    rows = {"x": np.zeros((200, 1), np.float32)}
    judging = Judge(REGRESSOR, rows, {"prediction": expected}, None, "held-out")
    steps = np.round(expected * 4) / 4
    assert fault(judging, {"prediction": steps}, number="integer") is None
    said = fault(judging, {"prediction": np.round(expected / 4) * 4}, number="integer")
    assert said is not None
    assert "of the variance of output 'prediction' unexplained (limit 0.50%)" in said


def test_evidence_tells_errors_flips_and_metrics() -> None:
    outputs = classified(flipped(LABELS, 20))
    evidence = judge(flipped(LABELS, 5)).evidence(outputs, number="integer")
    assert evidence.rows == 1000
    assert evidence.label_flips == 20
    assert evidence.metric == "accuracy"
    assert evidence.source_metric == pytest.approx(0.995)
    assert evidence.variant_metric == pytest.approx(0.985)
    assert evidence.errors["probabilities"].max_abs == 1.0
    assert list(evidence.errors) == ["probabilities"]


def columns(expected: Array) -> Judge:
    """A judge over a regression of several columns."""
    spec = OutputSpec(name="y", dtype="float32", shape=(None, expected.shape[1]), role="value")
    contract = Contract(task="regression", inputs=(X,), outputs=(spec,))
    rows = {"x": np.zeros((len(expected), 1), np.float32)}
    return Judge(contract, rows, {"y": expected}, None, "held-out")


@pytest.mark.parametrize("number", ["float32", "float16", "integer"])
def test_a_small_column_counts_as_much_as_a_large_one(number: Number) -> None:
    random = np.random.default_rng(0)
    expected = (random.normal(size=(300, 2)) * [1e6, 1.0]).astype(np.float32)
    judging = columns(expected)
    assert fault(judging, {"y": expected.copy()}, number=number) is None
    broken = expected.copy()
    broken[:, 1] = 5.0
    assert fault(judging, {"y": broken}, number=number) is not None


@pytest.mark.parametrize("number", ["float32", "float16", "integer"])
def test_small_outputs_are_not_lost_in_the_tolerance(number: Number) -> None:
    expected = (np.random.default_rng(0).normal(size=(300, 1)) * 1e-5).astype(np.float32)
    assert fault(columns(expected), {"y": np.zeros_like(expected)}, number=number) is not None


def test_another_shape_is_a_fault_before_any_comparison() -> None:
    said = columns(np.ones((30, 2), np.float32)).shape_fault({"y": np.ones((1, 2), np.float32)})
    assert str(said) == (
        "gives output 'y' in the shape (1, 2), the source in (30, 2): leave it out with --variants"
    )


def test_a_float16_variant_has_the_room_of_its_format_and_no_more() -> None:
    outputs = classified(LABELS)
    near = {**outputs, "probabilities": np.abs(outputs["probabilities"] - np.float32(0.008))}
    far = {**outputs, "probabilities": np.abs(outputs["probabilities"] - np.float32(0.03))}
    assert fault(judge(None), near, number="float16") is None
    assert fault(judge(None), near, number="float32") is not None
    assert "is off by 0.03" in str(fault(judge(None), far, number="float16"))


def test_a_float16_variant_must_not_lose_more_labels_than_the_budget() -> None:
    outputs = {"label": flipped(LABELS, 20), "probabilities": classified(LABELS)["probabilities"]}
    assert fault(judge(None), outputs, number="float16") is not None


def test_a_model_that_magnifies_roundings_has_wider_limits_and_only_where_it_does() -> None:
    random = np.random.default_rng(0)
    expected = random.normal(size=(300, 2)).astype(np.float32)
    off = expected + np.array([2e-3, 0], np.float32)
    assert fault(columns(expected), {"y": off}, number="float32") is not None
    shaken = expected + np.array([5e-4, 0], np.float32)
    judging = replace(columns(expected), shaken={"y": shaken})
    assert fault(judging, {"y": off}, number="float32") is None
    other = expected + np.array([0, 2e-3], np.float32)
    assert fault(judging, {"y": other}, number="float32") is not None


def test_no_model_magnifies_so_much_that_anything_passes() -> None:
    expected = np.random.default_rng(0).normal(size=(300, 1)).astype(np.float32)
    judging = replace(columns(expected), shaken={"y": -expected})
    assert fault(judging, {"y": expected + np.float32(0.1)}, number="float32") is not None


def test_shaking_moves_floats_by_their_last_bit_and_nothing_else() -> None:
    given: dict[str, Array] = {
        "a": np.array([[1.0, -3.5, 0.0]], np.float32),
        "b": np.arange(3)[None],
    }
    moved = shake(given)
    assert moved["a"].dtype == np.float32
    change = np.abs(moved["a"] - given["a"])
    assert (change <= 2.0**-22 * np.abs(given["a"])).all()
    assert change.any()
    np.testing.assert_array_equal(moved["b"], given["b"])


def test_a_budget_of_nothing_is_nothing() -> None:
    one_off = classified(flipped(LABELS, 1))
    assert fault(judge(LABELS, 0.0), one_off, number="integer") is not None
    assert fault(judge(LABELS, 0.0001), one_off, number="integer") is None


@pytest.mark.parametrize("classes", [2, 10, 100])
def test_a_source_that_guesses_lends_no_proof_to_a_variant_that_always_says_the_same(
    classes: int,
) -> None:
    spec = OutputSpec(name="y", dtype="float32", shape=(None, classes), role="probabilities")
    contract = Contract(
        task="classification", inputs=(X,), outputs=(spec,), classes=tuple(range(classes))
    )
    numbers = np.arange(1000)
    truth = numbers % classes
    guesses = np.eye(classes, dtype=np.float32)[numbers // classes % classes]
    constant = np.eye(classes, dtype=np.float32)[np.zeros(1000, np.int64)]
    rows = {"x": np.zeros((1000, 1), np.float32)}
    judging = Judge(contract, rows, {"y": guesses}, truth, "held-out")
    evidence = judging.evidence({"y": constant}, "integer")
    assert evidence.variant_metric == evidence.source_metric == pytest.approx(1 / classes)
    said = fault(judging, {"y": constant}, number="integer")
    assert said is not None
    assert "a label that is neither the source's nor right (limit 5.00%)" in said
    assert fault(judging, {"y": guesses.copy()}, number="integer") is None


def test_a_regression_that_explains_nothing_lends_no_proof_to_a_constant() -> None:
    random = np.random.default_rng(0)
    expected = random.normal(size=(300, 1)).astype(np.float32)
    truth = random.normal(size=(300, 1)).astype(np.float32)
    judging = replace(columns(expected), truth=truth)
    said = fault(judging, {"y": np.zeros_like(expected)}, number="integer")
    assert said is not None
    assert "of the variance of output 'y' unexplained (limit 5.00%)" in said
    near = expected + random.normal(size=expected.shape).astype(np.float32) * np.float32(0.01)
    assert fault(judging, {"y": near}, number="integer") is None


def test_r_squared_has_no_allowance_of_one_row() -> None:
    expected = np.linspace(0, 1, 20, dtype=np.float32)[:, None]
    judging = replace(columns(expected), truth=expected)
    evidence = judging.evidence({"y": expected}, "integer")
    assert evidence.metric == "r2"
    off = expected + np.where(np.arange(20)[:, None] % 2, 0.04, -0.04).astype(np.float32)
    said = fault(judging, {"y": off}, number="integer")
    assert said is not None
    assert "r2 on 20 rows (limit 0.50%)" in said


def test_a_column_of_zeros_is_measured_by_the_others() -> None:
    expected = np.random.default_rng(0).normal(size=(300, 2)).astype(np.float32)
    expected[:, 1] = 0.0
    near, far = expected.copy(), expected.copy()
    near[:, 1], far[:, 1] = 7.5e-4, 0.2
    assert fault(columns(expected), {"y": near}, number="float16") is None
    assert fault(columns(expected), {"y": near}, number="float32") is not None
    assert fault(columns(expected), {"y": far}, number="float16") is not None
    assert fault(columns(expected), {"y": far}, number="integer") is not None


def test_a_figure_beyond_all_variance_is_not_written_out() -> None:
    expected = np.zeros((300, 1), np.float32)
    said = fault(columns(expected), {"y": expected + 1000}, number="integer")
    assert said is not None
    assert said.startswith("leaves more than 100% of the variance")


def test_rows_are_counted_and_not_their_values() -> None:
    spec = OutputSpec(name="ids", dtype="int32", shape=(None, 4), role="tensor")
    contract = Contract(task="other", inputs=(X,), outputs=(spec,))
    expected = np.zeros((40, 4), np.int32)
    other = expected.copy()
    other[:30] = 1
    judging = Judge(
        contract, {"x": np.zeros((40, 1), np.float32)}, {"ids": expected}, None, "synthetic"
    )
    said = fault(judging, {"ids": other}, number="float32")
    assert said is not None
    assert said.startswith("flips 30 of 40 rows in output 'ids'")


def test_words_are_judged_as_words() -> None:
    spec = OutputSpec(name="word", dtype="string", shape=(None,), role="tensor")
    contract = Contract(task="other", inputs=(X,), outputs=(spec,))
    expected = np.array(["red", "green"] * 20)
    other = expected.copy()
    other[3] = "blue"
    judging = Judge(
        contract, {"x": np.zeros((40, 1), np.float32)}, {"word": expected}, None, "held-out"
    )
    numbers: tuple[Number, ...] = ("float32", "integer")
    for number in numbers:
        assert fault(judging, {"word": expected.copy()}, number=number) is None
        other[:3] = "blue"
        assert fault(judging, {"word": other}, number=number) is not None


def test_places_are_the_same_or_others_and_never_near() -> None:
    spec = OutputSpec(name="place", dtype="int32", shape=(None,), role="tensor")
    contract = Contract(task="other", inputs=(X,), outputs=(spec,))
    expected = np.arange(1000, dtype=np.int32)
    rows = {"x": np.zeros((1000, 1), np.float32)}
    judging = Judge(contract, rows, {"place": expected}, None, "held-out")
    for unlike, passes in ((5, True), (6, False)):
        other = expected + (np.arange(1000) < unlike).astype(np.int32)
        said = fault(judging, {"place": other}, number="integer")
        assert (said is None) == passes
    assert said is not None
    assert said.startswith("gives 0.60% of 1000 rows another output 'place' (limit 0.50%)")
