"""Each quantized form of the digits model: what it weighs, what it takes, what recipes change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import pytest
from ai_edge_litert.interpreter import Interpreter

import edgeship
from edgeship_converters.convert import carry_out
from edgeship_converters.errors import ParityError, PlanError
from edgeship_converters.layer_names import LayerNames
from edgeship_converters.request import Request
from edgeship_converters.steps.tflite_ops import tflite_ops
from edgeship_runtime.bundle import Bundle


def converted(digits: Path, target: Path, variants: str, **options: Any) -> Bundle:
    """The digits model in some variants."""
    return edgeship.convert(
        digits / "digits.keras",
        target,
        data=digits / "digits-train.npz",
        eval_data=digits / "digits-test.npz",
        variants=variants,
        **options,
    )


def artifact(bundle: Bundle, name: str) -> bytes:
    """A variant's file."""
    return bundle.artifact(bundle.manifest.variant(name))


def weight_dtypes(model: bytes) -> dict[str, set[str]]:
    """The dtypes of the constant inputs of convolutions and dense layers, by layer."""
    from litert_quantizer.utils import tfl_flatbuffer_utils as flatbuffer

    names = LayerNames(["conv2d", "conv2d_1", "probabilities"])
    parsed = flatbuffer.read_model(model)
    (graph,) = parsed.subgraphs
    types = {0: "float32", 1: "float16", 9: "int8", 17: "int4", 2: "int32", 4: "int64"}
    found: dict[str, set[str]] = {}
    for op, facts in zip(graph.operators, tflite_ops(model, names), strict=True):
        held = [graph.tensors[i] for i in op.inputs if i >= 0]
        constant = [
            t for t in held if parsed.buffers[t.buffer].data is not None and len(t.shape) > 1
        ]
        for tensor in constant:
            found.setdefault(facts.scope, set()).add(types[tensor.type])
    return found


def test_all_gives_every_form_and_each_is_proven(digits_bundle: Path) -> None:
    manifest = Bundle.open(digits_bundle).manifest
    assert [variant.name for variant in manifest.variants] == [
        "savedmodel-float32",
        "tflite-float32",
        "tflite-float16",
        "tflite-dynamic-int8",
        "tflite-int8",
        "tflite-int16x8",
        "tflite-int4",
        "onnx-float32",
        "onnx-float16",
        "onnx-dynamic-int8",
        "onnx-int8",
    ]
    size = {variant.name: variant.bytes for variant in manifest.variants}
    assert size["tflite-float16"] < 0.55 * size["tflite-float32"]
    assert size["onnx-float16"] < 0.55 * size["onnx-float32"]
    assert size["tflite-int4"] < 0.2 * size["tflite-float32"]
    for name in ("tflite-int8", "tflite-dynamic-int8", "tflite-int16x8"):
        assert size[name] < 0.33 * size["tflite-float32"]
    for variant in manifest.variants:
        assert variant.evidence.rows == 540
        assert variant.evidence.variant_metric is not None
        assert variant.evidence.source_metric is not None
        assert variant.evidence.variant_metric >= variant.evidence.source_metric - 0.005


@pytest.mark.parametrize(("io", "dtype"), [("float", np.float32), ("int8", np.int8)])
def test_io_chooses_what_tflite_int8_takes_and_gives(
    digits: Path, tmp_path: Path, io: str, dtype: type
) -> None:
    bundle = converted(digits, tmp_path / "b", "tflite-int8", io=io)
    runner = Interpreter(model_content=artifact(bundle, "tflite-int8")).get_signature_runner()
    for detail in (*runner.get_input_details().values(), *runner.get_output_details().values()):
        assert detail["dtype"] is dtype
    quantization = bundle.manifest.variant("tflite-int8").quantization
    assert bool(quantization.inputs) == bool(quantization.outputs) == (io == "int8")


@pytest.mark.parametrize("method", ["percentile", "entropy"])
@pytest.mark.parametrize("variant", ["tflite-int8", "onnx-int8"])
def test_a_calibration_method_is_used_and_its_outcome_proven(
    digits: Path, tmp_path: Path, variant: str, method: str
) -> None:
    recipe = tmp_path / "mine.toml"
    recipe.write_text(f'[{variant}]\ncalibration = "{method}"\npercentile = 99.9\n')
    plain = converted(digits, tmp_path / "plain", variant, max_drop=0.05)
    other = converted(digits, tmp_path / "other", variant, recipe=recipe, max_drop=0.05)
    assert artifact(plain, variant) != artifact(other, variant)


def test_a_layer_kept_in_float_has_float_weights_and_the_rest_has_not(
    digits: Path, tmp_path: Path
) -> None:
    recipe = tmp_path / "mine.toml"
    recipe.write_text(
        '[tflite-int8.layers]\n"prob*" = "float32"\n[onnx-int8.layers]\n"prob*" = "float32"\n'
    )
    bundle = converted(digits, tmp_path / "b", "tflite-int8,onnx-int8", recipe=recipe)
    for scope, types in weight_dtypes(artifact(bundle, "tflite-int8")).items():
        assert types == ({"float32"} if "prob" in scope else {"int8"}), scope
    assert bundle.manifest.variant("tflite-int8").recipe["layers"] == {"prob*": "float32"}
    graph = onnx.load_model_from_string(artifact(bundle, "onnx-int8")).graph
    dense = [node for node in graph.node if node.op_type in ("MatMul", "Gemm")]
    floats = {t.name for t in graph.initializer if t.data_type == onnx.TensorProto.FLOAT}
    assert dense
    assert all(node.input[1] in floats for node in dense)


def test_layers_can_be_mixed_in_several_precisions(digits: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "mine.toml"
    recipe.write_text('[tflite-int8.layers]\n"conv*" = "int16x8"\n"prob*" = "dynamic-int8"\n')
    bundle = converted(digits, tmp_path / "b", "tflite-int8", recipe=recipe)
    plain = converted(digits, tmp_path / "p", "tflite-int8")
    assert artifact(bundle, "tflite-int8") != artifact(plain, "tflite-int8")


def test_a_second_conversion_is_found_in_the_cache_and_gives_the_same_bytes(
    digits: Path, tmp_path: Path
) -> None:
    steps: list[list[str]] = [[], [], []]
    for number, cache in enumerate((True, True, False)):
        request = Request(
            source=digits / "digits.keras",
            data=digits / "digits-train.npz",
            name="cached",
            cache=cache,
            on_step=steps[number].append,
        )
        carry_out(request, tmp_path / f"{number}.edgeship")
    first, second, third = ((tmp_path / f"{n}.edgeship").read_bytes() for n in range(3))
    assert first == second == third
    assert not [step for step in steps[1] if step.startswith(("making", "asking"))]
    assert len([step for step in steps[2] if step.startswith(("making", "asking"))]) == 12


@pytest.fixture(scope="module")
def regression(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dense regression with random weights, which 4 bits cannot hold, and rows for it."""
    folder = tmp_path_factory.mktemp("regression")
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(32, activation="tanh"), keras.layers.Dense(2)]
    keras.Sequential([keras.Input((8,)), *layers]).save(folder / "m.keras")
    np.savez(folder / "rows.npz", x=np.random.default_rng(0).normal(size=(300, 8)))
    return folder


def test_what_all_cannot_prove_is_left_out_and_named(regression: Path, tmp_path: Path) -> None:
    warned: list[str] = []
    request = Request(
        source=regression / "m.keras",
        data=regression / "rows.npz",
        on_warning=warned.append,
    )
    conversion = carry_out(request, tmp_path / "b")
    held = [variant.name for variant in conversion.bundle.manifest.variants]
    assert list(conversion.left_out) == ["tflite-int4"]
    assert len(held) == 10
    assert any(
        line.startswith("tflite-int4 is left out: it leaves") and "(limit 0.50%)" in line
        for line in warned
    )


def test_what_was_asked_for_by_name_must_be_proven(regression: Path, tmp_path: Path) -> None:
    with pytest.raises(ParityError, match=r"tflite-int4 leaves .* of the variance"):
        edgeship.convert(
            regression / "m.keras",
            tmp_path / "b",
            data=regression / "rows.npz",
            variants="tflite-float32,tflite-int4",
        )
    assert not (tmp_path / "b").exists()


def test_a_recipe_that_names_no_layer_of_the_model_is_refused(digits: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "mine.toml"
    recipe.write_text('[tflite-int8.layers]\n"convolution" = "float32"\n')
    with pytest.raises(PlanError, match=r"names 'convolution' for .*, which fits no layer"):
        converted(digits, tmp_path / "b", "tflite-int8", recipe=recipe)


def test_what_is_given_and_not_used_is_warned_of(digits: Path, tmp_path: Path) -> None:
    warned: list[str] = []
    recipe = tmp_path / "mine.toml"
    recipe.write_text("[tflite-int8]\nrows = 50\n")
    options: dict[str, Any] = {"recipe": recipe, "io": "int8", "on_warning": warned.append}
    converted(digits, tmp_path / "b", "onnx-int8", **options)
    assert any("is about tflite-int8 too, which is not made" in line for line in warned)
    assert any(line.startswith("--io int8 is about tflite-int8") for line in warned)


def test_rows_may_be_arrays_in_memory(digits: Path, tmp_path: Path) -> None:
    held = dict(np.load(digits / "digits-train.npz"))
    judged = dict(np.load(digits / "digits-test.npz"))
    options: dict[str, Any] = {"variants": "tflite-int8", "name": "digits"}
    source = digits / "digits.keras"
    given = edgeship.convert(source, tmp_path / "a", data=held, eval_data=judged, **options)
    read = converted(digits, tmp_path / "b", "tflite-int8", name="digits")
    assert artifact(given, "tflite-int8") == artifact(read, "tflite-int8")
    assert given.manifest.variants[0].evidence == read.manifest.variants[0].evidence
    bare = edgeship.convert(source, tmp_path / "c", data=held["image"], **options)
    assert bare.manifest.variants[0].evidence.metric is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_drop": "0.3%"}, "max_drop is a share"),
        (
            {"data": 3},
            "data is a file's path, a data frame, a list of records",
        ),
    ],
)
def test_options_of_a_wrong_type_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(PlanError, match=message):
        Request(source="m.keras", **options)
