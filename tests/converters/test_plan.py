"""The shortest way to each variant, each shared step once."""

from __future__ import annotations

import pytest

from edgeship_converters.errors import PlanError
from edgeship_converters.plan import STEPS, make_plan, reachable
from edgeship_converters.sources import Kind


def test_all_makes_every_variant_of_a_keras_model() -> None:
    plan = make_plan("keras", "all", with_data=True)
    assert plan.variants == tuple(step.variant for step in plan.steps)
    assert len(plan.variants) == 11


def test_without_data_all_leaves_quantized_variants_out() -> None:
    plan = make_plan("keras", "all", with_data=False)
    assert plan.variants == (
        "savedmodel-float32",
        "tflite-float32",
        "tflite-float16",
        "onnx-float32",
    )
    assert plan.without_data == (
        "tflite-dynamic-int8",
        "tflite-int8",
        "tflite-int16x8",
        "tflite-int4",
        "onnx-float16",
        "onnx-dynamic-int8",
        "onnx-int8",
    )


def test_all_may_leave_out_what_cannot_be_made_but_names_may_not() -> None:
    assert make_plan("keras", "all", with_data=True).may_leave_out
    assert not make_plan("keras", "tflite-int8,onnx-int8", with_data=True).may_leave_out


def test_a_step_in_between_runs_but_is_not_shipped() -> None:
    plan = make_plan("keras", "tflite-int8", with_data=True)
    assert [step.variant for step in plan.steps] == [
        "savedmodel-float32",
        "tflite-float32",
        "tflite-int8",
    ]
    assert plan.variants == ("tflite-int8",)


def test_a_shared_step_runs_once() -> None:
    plan = make_plan("keras", ["onnx-int8", "tflite-int8"], with_data=True)
    made = [step.variant for step in plan.steps]
    assert len(made) == len(set(made)) == 5


def test_every_start_comes_before_what_is_made_of_it() -> None:
    seen = {"keras", "tensorflow", "sklearn", "onnx"}
    for step in STEPS:
        assert step.start in seen
        seen.add(step.variant)


@pytest.mark.parametrize("kind", ["sklearn", "onnx"])
def test_scikit_learn_and_onnx_files_reach_every_variant(kind: Kind) -> None:
    ways = reachable(kind)
    assert ways["onnx-float32"].start == kind
    assert ways["savedmodel-float32"].start == ways["tflite-float32"].start == "onnx-float32"
    assert set(ways) == set(reachable("keras"))


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("tflite-int9", "cannot be made from a keras model: choose among savedmodel"),
        (" , ", "no variants were asked for"),
        ("onnx-int8", "give --data"),
    ],
)
def test_what_cannot_be_made_is_refused(wanted: str, message: str) -> None:
    with pytest.raises(PlanError, match=message):
        make_plan("keras", wanted, with_data=False)
