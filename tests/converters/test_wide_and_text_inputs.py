"""Float64, int64 and matrices of text keep their contract in formats that hold narrower types."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from edgeship_converters.artifact import Artifact, Task
from edgeship_converters.errors import StepError
from edgeship_converters.steps.onnx_to_savedmodel import onnx_to_tflite
from edgeship_runtime.arrays import Array
from edgeship_runtime.bundle import Contract, InputSpec, OutputSpec
from edgeship_runtime.model import Model
from tests.converters.lowered import FORMS
from tests.converters.trial import loaded

CONTRACT = Contract(
    task="other",
    inputs=(
        InputSpec(name="text", dtype="string", shape=(None, 2), missing=True),
        InputSpec(name="real", dtype="float64", shape=(None,), missing=True),
        InputSpec(name="whole", dtype="int64", shape=(None,)),
    ),
    outputs=(
        OutputSpec(name="code", dtype="int64", shape=(None, 2)),
        OutputSpec(name="word", dtype="string", shape=(None,)),
        OutputSpec(name="doubled", dtype="float64", shape=(None,)),
        OutputSpec(name="next", dtype="int64", shape=(None,)),
    ),
)
INPUTS = {
    "text": np.array([["a", "b"], ["ç", "a"], ["", "other"], ["b", "b"]]),
    "real": np.array([0.1, -3.5, np.nan, 1e300]),
    "whole": np.array([0, 7, -2, 1 << 40]),
}
EXPECTED: dict[str, list[Any]] = {
    "code": [[10, 20], [30, 10], [40, -1], [20, 20]],
    "word": ["zero", "seven", "neither", "neither"],
    "doubled": [0.2, -7.0, np.nan, np.inf],
    "next": [1, 8, -1, (1 << 40) + 1],
}
TYPES = {
    "string": TensorProto.STRING,
    "float64": TensorProto.DOUBLE,
    "int64": TensorProto.INT64,
    "bool": TensorProto.BOOL,
}


def encoder(given: str, made: str, **entries: list[Any]) -> onnx.NodeProto:
    """A LabelEncoder from words to whole numbers, or back."""
    default: Any = (
        {"default_string": "neither"} if "values_strings" in entries else {"default_int64": -1}
    )
    attributes: Any = {**entries, **default}
    return helper.make_node("LabelEncoder", [given], [made], domain="ai.onnx.ml", **attributes)


def model(*nodes: onnx.NodeProto, contract: Contract = CONTRACT) -> Artifact:
    """An ONNX model of the contract's inputs and outputs."""
    inputs = [_end(spec) for spec in contract.inputs]
    outputs = [_end(spec) for spec in contract.outputs]
    one = helper.make_tensor("one", TensorProto.INT64, [], [1])
    graph = helper.make_graph(list(nodes), "by hand", inputs, outputs, [one])
    opsets = [helper.make_opsetid("", 15), helper.make_opsetid("ai.onnx.ml", 2)]
    proto = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    onnx.checker.check_model(proto)
    return Artifact.of_file(proto.SerializeToString(deterministic=True))


def _end(spec: InputSpec | OutputSpec) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(spec.name, TYPES[spec.dtype], list(spec.shape))


def by_hand() -> Artifact:
    """The model that EXPECTED is the answer of."""
    return model(
        encoder("text", "code", keys_strings=["a", "b", "ç", ""], values_int64s=[10, 20, 30, 40]),
        encoder("whole", "word", keys_int64s=[0, 7], values_strings=["zero", "seven"]),
        helper.make_node("Add", ["real", "real"], ["doubled"]),
        helper.make_node("Add", ["whole", "one"], ["next"]),
    )


def on_engine(variant: str, artifact: Artifact) -> Model:
    """The variant, on its engine."""
    outputs = {name: np.array(values) for name, values in EXPECTED.items()}
    return loaded(CONTRACT, variant, artifact, INPUTS, outputs)


def form(variant: str) -> Model:
    """The model in one of the formats."""
    made = by_hand()
    step = FORMS.get(variant)
    return on_engine(variant, step(made, Task("by-hand", CONTRACT)) if step else made)


def assert_expected(got: dict[str, Array], rows: slice) -> None:
    """The answers are those of the source, in the contract's types."""
    assert {name: array.dtype.kind for name, array in got.items()} == {
        "code": "i",
        "word": "U",
        "doubled": "f",
        "next": "i",
    }
    for name in ("code", "word", "next"):
        assert got[name].tolist() == EXPECTED[name][rows], name
    np.testing.assert_allclose(got["doubled"], EXPECTED["doubled"][rows], rtol=1e-6)


@pytest.mark.parametrize("variant", ["onnx-float32", *FORMS])
def test_every_format_keeps_the_contract(variant: str) -> None:
    made = form(variant)
    # Beyond float32 only the formats that hold float64 have a number for it.
    rows = slice(0, 3)
    assert_expected(made.predict({name: array[rows] for name, array in INPUTS.items()}), rows)
    for row in range(3):
        rows = slice(row, row + 1)
        one = made.predict({name: array[rows] for name, array in INPUTS.items()})
        assert_expected(one, rows)


def test_a_number_beyond_float32_is_infinite_to_tflite_and_says_nothing() -> None:
    rows = slice(3, 4)
    got = form("tflite-float32").predict({name: array[rows] for name, array in INPUTS.items()})
    assert_expected(got, rows)


def test_words_keep_the_matrix_and_the_places() -> None:
    made = form("tflite-float32")
    assert made.variant.words.inputs == {"text": ("", "a", "b", "ç")}
    assert made.variant.words.outputs == {"word": ("neither", "seven", "zero")}
    assert made.contract == CONTRACT


def test_texts_that_are_compared_with_each_other_cannot_become_tflite() -> None:
    # Of two words that are both unknown nothing tells whether they are the same.
    inputs = tuple(
        InputSpec(name=name, dtype="string", shape=(None,)) for name in ("left", "right")
    )
    outputs = (OutputSpec(name="same", dtype="bool", shape=(None,)),)
    contract = Contract(task="other", inputs=inputs, outputs=outputs)
    made = model(helper.make_node("Equal", ["left", "right"], ["same"]), contract=contract)
    with pytest.raises(StepError, match="compares texts with each other"):
        onnx_to_tflite(made, Task("by-hand", contract))
