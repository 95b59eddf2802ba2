"""Keras models to every variant, each proven."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import onnx
import pytest
import tensorflow as tf
from keras import layers

from edgeship_converters import convert
from edgeship_converters.errors import ParityError, SourceError
from edgeship_runtime.bundle import Bundle
from edgeship_runtime.model import load

ALL = [
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


def test_digits_keep_the_source_accuracy_in_every_variant(digits_bundle: Path) -> None:
    manifest = Bundle.open(digits_bundle).manifest
    assert [variant.name for variant in manifest.variants] == ALL
    for variant in manifest.variants:
        evidence = variant.evidence
        assert evidence.rows == 540
        assert evidence.rows_from == "eval-data"
        assert evidence.metric == "accuracy"
        assert evidence.source_metric is not None
        assert evidence.variant_metric is not None
        assert evidence.source_metric > 0.95
        assert abs(evidence.source_metric - evidence.variant_metric) <= 0.005


def test_int8_is_a_third_of_float(digits_bundle: Path) -> None:
    sizes = {v.name: v.bytes for v in Bundle.open(digits_bundle).manifest.variants}
    assert sizes["tflite-int8"] <= 0.33 * sizes["tflite-float32"]
    assert sizes["tflite-dynamic-int8"] <= 0.33 * sizes["tflite-float32"]
    assert sizes["onnx-int8"] <= 0.4 * sizes["onnx-float32"]


def test_float_variants_give_the_numbers_of_keras(digits: Path, digits_bundle: Path) -> None:
    images = np.load(digits / "digits-test.npz")["image"]
    expected = keras.saving.load_model(digits / "digits.keras").predict(images, verbose=0)
    for name in ("savedmodel-float32", "tflite-float32", "onnx-float32"):
        got = load(digits_bundle, name).predict({"image": images})["probabilities"]
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)


def test_int8_tflite_takes_and_gives_integers_where_they_are_asked_for(
    digits: Path, digits_bundle: Path, tmp_path: Path
) -> None:
    assert not Bundle.open(digits_bundle).manifest.variant("tflite-int8").quantization.inputs
    bundle = convert(
        digits / "digits.keras",
        tmp_path / "b",
        data=digits / "digits-train.npz",
        variants="tflite-int8",
        io="int8",
    )
    quantization = bundle.manifest.variant("tflite-int8").quantization
    assert quantization.inputs["image"].dtype == "int8"
    assert quantization.outputs["probabilities"].dtype == "int8"
    images = np.load(digits / "digits-test.npz")["image"]
    exact = load(digits_bundle, "tflite-float32").predict(images)["probabilities"]
    for made in (bundle, digits_bundle):
        got = load(made, "tflite-int8").predict(images)["probabilities"]
        assert got.dtype == np.float32
        assert float(np.abs(got - exact).mean()) < 0.01


def test_the_saved_model_serves_by_name(digits_bundle: Path, tmp_path: Path) -> None:
    bundle = Bundle.open(digits_bundle)
    path = bundle.unpack(bundle.manifest.variant("savedmodel-float32"), tmp_path)
    assert (path / "1" / "saved_model.pb").is_file()
    loaded = tf.saved_model.load(str(path / "1"))
    signature = loaded.signatures["serving_default"]
    assert list(signature.structured_input_signature[1]) == ["image"]
    assert list(signature.structured_outputs) == ["probabilities"]


def test_onnx_is_valid_and_of_a_low_opset(digits_bundle: Path) -> None:
    bundle = Bundle.open(digits_bundle)
    for name in ("onnx-float32", "onnx-int8"):
        model = onnx.load_from_string(bundle.artifact(bundle.manifest.variant(name)))
        onnx.checker.check_model(model, full_check=True)
        assert {opset.domain: opset.version for opset in model.opset_import}[""] == 13
        assert model.ir_version == 7
        assert [value.name for value in model.graph.input] == ["image"]
        assert [value.name for value in model.graph.output] == ["probabilities"]


def test_the_same_inputs_give_the_same_bytes_in_this_process_and_another(
    digits: Path, digits_bundle: Path, tmp_path: Path
) -> None:
    script = (
        "import sys; from edgeship_converters import convert; "
        "convert(sys.argv[1], sys.argv[2], data=sys.argv[3], eval_data=sys.argv[4])"
    )
    inputs = [
        str(digits / name) for name in ("digits.keras", "digits-train.npz", "digits-test.npz")
    ]
    target = tmp_path / "elsewhere.edgeship"
    command = [sys.executable, "-c", script, inputs[0], str(target), *inputs[1:]]
    subprocess.run(command, check=True)
    again = tmp_path / "again.edgeship"
    convert(inputs[0], again, data=inputs[1], eval_data=inputs[2])
    assert target.read_bytes() == digits_bundle.read_bytes()
    assert again.read_bytes() == digits_bundle.read_bytes()


def test_several_inputs_and_outputs_keep_their_names(tmp_path: Path) -> None:
    keras.utils.set_random_seed(1)
    zeta, alpha = keras.Input((3,), name="zeta"), keras.Input((4,), name="alpha")
    joined = layers.Concatenate()([zeta, alpha])
    outputs = [layers.Dense(2, name="second")(joined), layers.Dense(5, name="first")(joined)]
    model = keras.Model([zeta, alpha], outputs)
    random = np.random.default_rng(0)
    rows = {
        "zeta": random.normal(size=(200, 3)).astype(np.float32),
        "alpha": random.normal(size=(200, 4)).astype(np.float32),
    }
    model.save(tmp_path / "two.keras")
    np.savez(tmp_path / "rows.npz", allow_pickle=False, **rows)
    bundle = convert(
        tmp_path / "two.keras", tmp_path / "b", data=tmp_path / "rows.npz", max_drop=0.02
    )
    assert [spec.name for spec in bundle.manifest.inputs] == ["zeta", "alpha"]
    second, first = model.predict([rows["zeta"], rows["alpha"]], verbose=0)
    for name in ("savedmodel-float32", "tflite-float32", "onnx-float32"):
        got = load(bundle, name).predict(rows)
        np.testing.assert_allclose(got["second"], second, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(got["first"], first, rtol=1e-4, atol=1e-5)


def test_inputs_given_as_a_dict_are_kept_by_name(tmp_path: Path) -> None:
    wide, deep = keras.Input((2,), name="wide"), keras.Input((3,), name="deep")
    joined = layers.Concatenate()([wide, deep])
    model = keras.Model({"wide": wide, "deep": deep}, layers.Dense(1, name="price")(joined))
    model.save(tmp_path / "m.keras")
    bundle = convert(tmp_path / "m.keras", tmp_path / "b")
    rows = {"deep": np.ones((5, 3), np.float32), "wide": np.zeros((5, 2), np.float32)}
    expected = model.predict(rows, verbose=0)
    got = load(bundle, "tflite-float32").predict(rows)["price"]
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)


def test_a_matrix_without_a_name_is_called_x(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((3,)), layers.Dense(4, activation="relu")])
    model.add(layers.Dense(1))
    model.compile("adam", "mse")
    rows = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    model.fit(rows, rows.sum(axis=1), epochs=1, verbose=0)
    model.save(tmp_path / "sum.keras")
    np.savez(tmp_path / "rows.npz", x=rows, y=rows.sum(axis=1))
    bundle = convert(
        tmp_path / "sum.keras",
        tmp_path / "b",
        data=tmp_path / "rows.npz",
        variants="tflite-float32,onnx-float32",
    )
    assert [spec.name for spec in bundle.manifest.inputs] == ["x"]
    assert [spec.name for spec in bundle.manifest.outputs] == ["prediction"]
    assert bundle.manifest.task == "regression"
    assert bundle.manifest.variants[0].evidence.metric == "r2"


@pytest.mark.parametrize(
    ("units", "activation", "loss", "role", "classes"),
    [
        (3, "softmax", None, "probabilities", (0, 1, 2)),
        (1, "sigmoid", None, "probabilities", (0, 1)),
        (3, None, "sparse_categorical_crossentropy", "logits", (0, 1, 2)),
        (3, "sigmoid", "binary_crossentropy", "tensor", None),
        (1, None, "mae", "value", None),
        (1, "hard_sigmoid", "binary_crossentropy", "probabilities", (0, 1)),
        (1, "sigmoid", "mse", "value", None),
    ],
)
def test_the_meaning_of_an_output_comes_from_its_activation_or_loss(
    units: int,
    activation: str | None,
    loss: str | None,
    role: str,
    classes: tuple[int, ...] | None,
    tmp_path: Path,
) -> None:
    model = keras.Sequential([keras.Input((3,)), layers.Dense(units, activation=activation)])
    if loss is not None:
        model.compile("adam", loss)
    model.save(tmp_path / "m.keras")
    bundle = convert(tmp_path / "m.keras", tmp_path / "b", variants="tflite-float32")
    assert bundle.manifest.outputs[0].role == role
    assert bundle.manifest.classes == classes


def test_logits_are_known_by_the_loss(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
    model.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True))
    model.save(tmp_path / "m.keras")
    bundle = convert(tmp_path / "m.keras", tmp_path / "b", variants="tflite-float32")
    assert bundle.manifest.outputs[0].role == "logits"


def test_outputs_never_share_a_name(tmp_path: Path) -> None:
    first, second = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    shared = layers.Dense(2, name="dense")
    model = keras.Model([first, second], [shared(first), shared(second)])
    model.save(tmp_path / "m.keras")
    bundle = convert(tmp_path / "m.keras", tmp_path / "b")
    assert [spec.name for spec in bundle.manifest.outputs] == ["dense", "dense_1"]


def test_an_output_never_has_an_input_s_name(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2, name="x")])
    model.save(tmp_path / "m.keras")
    bundle = convert(tmp_path / "m.keras", tmp_path / "b")
    assert [spec.name for spec in bundle.manifest.outputs] == ["x_1"]


def test_input_names_are_changed_alike_in_every_format(tmp_path: Path) -> None:
    inputs = keras.Input((3,), name="my-input")
    keras.Model(inputs, layers.Dense(2)(inputs)).save(tmp_path / "m.keras")
    bundle = convert(tmp_path / "m.keras", tmp_path / "b")
    assert [spec.name for spec in bundle.manifest.inputs] == ["my_input"]
    rows = {"my_input": np.ones((2, 3), np.float32)}
    expected = load(bundle, "savedmodel-float32").predict(rows)["output"]
    for variant in ("tflite-float32", "onnx-float32"):
        got = load(bundle, variant).predict(rows)["output"]
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)


def test_rows_that_the_source_itself_cannot_take_are_said(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((2,), dtype="int32"), layers.Embedding(5, 3)])
    model.save(tmp_path / "m.keras")
    np.save(tmp_path / "rows.npy", np.full((20, 2), 99))
    with pytest.raises(SourceError, match="itself fails on these rows"):
        convert(
            tmp_path / "m.keras",
            tmp_path / "b",
            data=tmp_path / "rows.npy",
            variants="tflite-float32",
        )


def test_without_data_only_float_variants_are_made(digits: Path, tmp_path: Path) -> None:
    bundle = convert(digits / "digits.keras", tmp_path / "b")
    names = [variant.name for variant in bundle.manifest.variants]
    assert names == ["savedmodel-float32", "tflite-float32", "tflite-float16", "onnx-float32"]
    assert bundle.manifest.variants[0].evidence.rows_from == "synthetic"
    assert bundle.manifest.baseline is None


def test_a_text_file_named_keras_is_refused(tmp_path: Path) -> None:
    (tmp_path / "fake.keras").write_text("hello")
    with pytest.raises(SourceError, match="not a Keras model") as caught:
        convert(tmp_path / "fake.keras", tmp_path / "b")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "b").exists()


def test_a_lambda_layer_is_refused_and_its_code_does_not_run(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((3,)), layers.Lambda(lambda x: x * 2)])
    model.save(tmp_path / "lambda.keras")
    with pytest.raises(SourceError, match=r"[Ll]ambda"):
        convert(tmp_path / "lambda.keras", tmp_path / "b")


def test_a_quantized_variant_that_loses_accuracy_is_refused_with_the_figure(
    digits: Path, tmp_path: Path
) -> None:
    with np.load(digits / "digits-train.npz") as rows:
        np.savez(tmp_path / "dim.npz", image=rows["image"] * 0.05, y=rows["y"])
    with pytest.raises(ParityError, match=r"tflite-int8 loses .*% accuracy .*limit.*--data"):
        convert(
            digits / "digits.keras",
            tmp_path / "b",
            data=tmp_path / "dim.npz",
            eval_data=digits / "digits-test.npz",
            variants="tflite-int8",
        )
    assert [path.name for path in tmp_path.iterdir()] == ["dim.npz"]
