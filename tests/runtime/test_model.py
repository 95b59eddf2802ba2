"""What users call `predict` on."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from edgeship_runtime.arrays import Array, Arrays
from edgeship_runtime.bundle import Bundle, Quantization, QuantizedTensor
from edgeship_runtime.errors import BundleError, EngineError, InputError
from edgeship_runtime.model import Model, load
from tests import tiny


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return load(tiny.write(tmp_path_factory.mktemp("tiny") / "tiny.edgeship"))


class Doubling:
    """An engine that gives its input twice, and keeps what it was given."""

    name = "doubling 1"

    def __init__(self, *outputs: str) -> None:
        self.outputs = outputs
        self.given: list[dict[str, Array]] = []

    def run(self, inputs: Arrays) -> dict[str, Array]:
        self.given.append(dict(inputs))
        return dict.fromkeys(self.outputs, inputs["x"] * 2)


def test_outputs_come_by_name_in_the_contracts_dtypes(model: Model) -> None:
    outputs = model.predict({"x": tiny.ROWS})
    expected = tiny.source_outputs(tiny.ROWS)
    assert list(outputs) == ["label", "probabilities"]
    assert outputs["label"].dtype == np.int64
    assert np.array_equal(outputs["label"], expected["label"])
    assert np.allclose(outputs["probabilities"], expected["probabilities"], atol=1e-6)


def test_one_input_may_be_given_bare(model: Model) -> None:
    for given in (tiny.ROWS, tiny.ROWS.tolist(), tiny.ROWS.astype(np.float64)):
        expected = model.predict({"x": tiny.ROWS})["probabilities"]
        assert np.array_equal(model.predict(given)["probabilities"], expected)


def test_labels_are_the_classes(model: Model) -> None:
    labels = model.labels(model.predict(tiny.ROWS))
    assert labels is not None
    assert labels.tolist() == tiny.source_outputs(tiny.ROWS)["label"].tolist()


def test_what_does_not_fit_the_contract_never_reaches_the_engine(model: Model) -> None:
    engine = Doubling("label", "probabilities")
    other = Model(model.bundle, model.variant, engine)
    for given in ([[1.0, 2.0]], [[1.0, 2.0, np.nan]], {"z": tiny.ROWS}, tiny.ROWS[0]):
        with pytest.raises(InputError):
            other.predict(given)
    assert not engine.given


def test_no_rows_never_reach_the_engine(model: Model) -> None:
    engine = Doubling("label", "probabilities")
    outputs = Model(model.bundle, model.variant, engine).predict(np.empty((0, 3)))
    assert outputs["label"].shape == (0,)
    assert outputs["probabilities"].shape == (0, 2)
    assert outputs["label"].dtype == np.int64
    assert not engine.given


def test_a_large_batch_goes_to_the_engine_in_pieces_and_in_order(model: Model) -> None:
    engine = Doubling("label", "probabilities")
    rows = np.arange(30_000, dtype=np.float32).reshape(-1, 3)
    outputs = Model(model.bundle, model.variant, engine).predict(rows)
    assert np.array_equal(outputs["probabilities"], rows * 2)
    assert [len(piece["x"]) for piece in engine.given] == [1024] * 9 + [784]


def test_a_quantized_variant_is_given_integers_and_answers_in_floats(model: Model) -> None:
    tensor = QuantizedTensor(dtype="int8", scale=0.5, zero_point=-1)
    variant = msgspec.structs.replace(
        model.variant,
        quantization=Quantization(inputs={"x": tensor}, outputs={"probabilities": tensor}),
    )
    engine = Doubling("label", "probabilities")
    rows = np.array([[0.0, 1.0, 2.0]], np.float32)
    outputs = Model(model.bundle, variant, engine).predict(rows)
    assert engine.given[0]["x"].tolist() == [[-1, 1, 3]]
    assert engine.given[0]["x"].dtype == np.int8
    assert outputs["probabilities"].tolist() == [[-0.5, 1.5, 3.5]]
    assert outputs["label"].tolist() == [[-2, 2, 6]]
    assert rows.tolist() == [[0.0, 1.0, 2.0]]


@pytest.mark.parametrize("quantized", [False, True])
def test_an_output_that_the_variant_does_not_give_is_named(quantized: bool, model: Model) -> None:
    tensor = QuantizedTensor(dtype="int8", scale=0.5, zero_point=0)
    outputs = {"probabilities": tensor} if quantized else {}
    variant = msgspec.structs.replace(model.variant, quantization=Quantization(outputs=outputs))
    with pytest.raises(EngineError, match="onnx-float32 has no output 'probabilities'"):
        Model(model.bundle, variant, Doubling("label")).predict(tiny.ROWS)


def test_text_where_the_contract_says_numbers_is_named(model: Model) -> None:
    class Telling(Doubling):
        def run(self, inputs: Arrays) -> dict[str, Array]:
            return {name: array.astype(str) for name, array in super().run(inputs).items()}

    engine = Telling("label", "probabilities")
    with pytest.raises(EngineError, match=r"gives <U\d+ in output 'label', expected int64"):
        Model(model.bundle, model.variant, engine).predict(tiny.ROWS)


def test_a_path_an_open_bundle_and_a_variants_name_all_load(model: Model, tmp_path: Path) -> None:
    tiny.write(tmp_path / "tiny")
    expected = model.predict(tiny.ROWS)["probabilities"]
    for loaded in (
        load(tmp_path / "tiny"),
        load(str(tmp_path / "tiny")),
        load(Bundle.open(tmp_path / "tiny"), "onnx-float32", threads=1),
    ):
        assert loaded.variant.name == "onnx-float32"
        assert np.array_equal(loaded.predict(tiny.ROWS)["probabilities"], expected)


def test_a_variant_that_the_bundle_lacks_is_refused(model: Model) -> None:
    with pytest.raises(BundleError, match="it holds onnx-float32"):
        load(model.bundle, "tflite-int8")
