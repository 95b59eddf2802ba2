"""What ONNX files hold as constants, wherever it stands: words, weights, and numbers to meet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from edgeship_converters.convert import Conversion, carry_out
from edgeship_converters.drawn_rows import Vocabulary, answered, beside
from edgeship_converters.errors import StepError
from edgeship_converters.request import Request
from edgeship_converters.sources import open_source
from edgeship_converters.sources.onnx_numbers import numbers_met
from edgeship_converters.steps.onnx_words import words_met
from edgeship_runtime.arrays import Array
from edgeship_runtime.model import load
from tests.converters.onnx_files import mlp, model_of

ML = "ai.onnx.ml"
FORMS = "onnx-float32,savedmodel-float32,tflite-float32"
COLOURS = np.array(["red", "blue", "green", "grey"])


def info(name: str, element: int, *sizes: int) -> Any:
    """A tensor with any number of rows."""
    return helper.make_tensor_value_info(name, element, ["n", *sizes])


def text(name: str = "x") -> Any:
    """An input of one word a row."""
    return info(name, TensorProto.STRING)


def constant(name: str, value: Any) -> Any:
    """A Constant of the main graph."""
    return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(value))


def word(name: str, value: str) -> Any:
    """A Constant of text, in the short form."""
    return helper.make_node("Constant", [], [name], value_strings=[value])


def table(given: str = "x", made: str = "place", /, **attributes: Any) -> Any:
    """A LabelEncoder, of two colours unless told otherwise."""
    held = attributes or {"keys_strings": ["blue", "green"], "values_int64s": [1, 2]}
    return helper.make_node("LabelEncoder", [given], [made], domain=ML, **held)


def converted(model: ModelProto, folder: Path, **options: Any) -> Conversion:
    onnx.save(model, folder / "m.onnx")
    request = Request(source=folder / "m.onnx", cache=False, **options)
    return carry_out(request, folder / "m.edgeship")


def judged_rows(model: ModelProto) -> dict[str, Array]:
    """The rows that a conversion without data draws."""
    source = open_source(model)
    return answered(source.contract, Vocabulary(numbers=source.numbers), source.predict)  # type: ignore[attr-defined]


def with_a_constant() -> ModelProto:
    """A table of two words, and a comparison with a third, which is a Constant."""
    nodes = [table(), word("red", "red"), helper.make_node("Equal", ["x", "red"], ["is_red"])]
    ends = [info("place", TensorProto.INT64), info("is_red", TensorProto.BOOL)]
    return model_of(nodes, [text()], ends, opset=19, ir=9)


def test_a_word_in_a_constant_is_met(tmp_path: Path) -> None:
    assert words_met(with_a_constant(), "x") == ("blue", "green", "red")
    done = converted(with_a_constant(), tmp_path, variants=FORMS)
    for variant in FORMS.split(","):
        made = load(done.bundle, variant).predict({"x": COLOURS})
        assert made["is_red"].tolist() == [True, False, False, False], variant
        assert made["place"].tolist() == [-1, 1, 2, -1], variant


def test_words_are_met_by_way_of_other_operators() -> None:
    choice = helper.make_node("Where", ["z", "a", "b"], ["which"])
    nodes = [word("a", "red"), word("b", "grey"), choice]
    nodes.append(helper.make_node("Equal", ["x", "which"], ["y"]))
    inputs = [text(), info("z", TensorProto.BOOL), text("other")]
    nodes.append(table("other", "place"))
    ends = [info("y", TensorProto.BOOL), info("place", TensorProto.INT64)]
    model = model_of(nodes, inputs, ends, opset=19, ir=9)
    assert words_met(model, "x") == ("grey", "red")
    assert words_met(model, "other") == ("blue", "green")


def test_words_are_met_in_branches() -> None:
    then = helper.make_graph(
        [word("c", "red"), helper.make_node("Equal", ["x", "c"], ["t"])], "then", [],
        [info("t", TensorProto.BOOL)],
    )  # fmt: skip
    other = helper.make_graph(
        [helper.make_node("Equal", ["x", "held"], ["f"])], "else", [], [info("f", TensorProto.BOOL)]
    )
    nodes = [helper.make_node("If", ["b"], ["y"], then_branch=then, else_branch=other)]
    ends = [info("y", TensorProto.BOOL)]
    once = helper.make_tensor_value_info("b", TensorProto.BOOL, [])
    model = model_of(nodes, [text(), once], ends, {"held": np.array(["grey"], object)}, opset=19)
    assert words_met(model, "x") == ("grey", "red")


def test_words_of_every_kind_are_met() -> None:
    keys = numpy_helper.from_array(np.array(["", "ü"], object), "k")
    nodes = [
        table(keys_tensor=keys, values_int64s=[1, 2]),
        table("x", "first", classes_strings=["c"]),
        helper.make_node("OneHotEncoder", ["x"], ["hot"], domain=ML, cats_strings=["d"]),
    ]
    model = model_of(nodes, [text()], [info("place", TensorProto.INT64)])
    assert words_met(model, "x") == ("", "c", "d", "ü")


def test_text_without_words_is_refused_for_tflite(tmp_path: Path) -> None:
    relu = helper.make_node("Relu", ["z"], ["y"])
    model = model_of([relu], [text(), ("z", ["n", 2])], [("y", ["n", 2])])
    with pytest.raises(StepError, match=r"input 'x' is text that the graph compares with no word"):
        converted(model, tmp_path, variants="tflite-float32")
    done = converted(model, tmp_path)
    assert "compares with no word" in done.left_out["tflite-float32"]


def with_weights_in_constants(**more: Any) -> ModelProto:
    """A network whose weights are Constants, as some exporters write them."""
    model = mlp(**more)
    weights = [constant(t.name, numpy_helper.to_array(t)) for t in model.graph.initializer]
    nodes = [*weights, *model.graph.node]
    ends = (model.graph.input, model.graph.output)
    return model_of(nodes, *ends, opset=model.opset_import[0].version, ir=model.ir_version)


def test_a_network_with_weights_in_constants_shrinks(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(200, 4)).astype(np.float32)
    source = open_source(with_weights_in_constants(width=256))
    assert not source.classical  # type: ignore[attr-defined]
    variants = "onnx-float32,onnx-float16,onnx-dynamic-int8,onnx-int8"
    model = with_weights_in_constants(width=256)
    done = converted(model, tmp_path, data=rows, variants=variants, max_drop=0.1)
    sizes = {v.name: v.bytes for v in done.bundle.manifest.variants}
    assert sizes["onnx-float16"] < 0.7 * sizes["onnx-float32"]


def test_constants_of_an_old_file_are_held_too(tmp_path: Path) -> None:
    model = with_weights_in_constants(opset=8, ir=3)
    rows = np.random.default_rng(0).normal(size=(200, 4)).astype(np.float32)
    done = converted(model, tmp_path, data=rows, variants=FORMS)
    assert [spec.name for spec in done.bundle.manifest.inputs] == ["features"]


def test_an_output_that_is_a_constant_of_the_rows_stays(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Constant", [], ["c"], value_float=2.0),
        helper.make_node("Constant", [], ["axes"], value_ints=[1]),
        helper.make_node("Mul", ["x", "c"], ["m"]),
        helper.make_node("ReduceSum", ["m", "axes"], ["y"], keepdims=0),
    ]
    done = converted(model_of(nodes, [("x", ["n", 3])], [("y", ["n"])]), tmp_path, variants=FORMS)
    rows = np.ones((2, 3), np.float32)
    for variant in FORMS.split(","):
        assert load(done.bundle, variant).predict({"x": rows})["y"].tolist() == [6.0, 6.0]


LARGE = 3_000_000_000


def test_rows_are_drawn_at_and_beside_the_keys_of_a_table(tmp_path: Path) -> None:
    nodes = [table(keys_int64s=[LARGE, -7], values_int64s=[1, 2])]
    model = model_of(
        nodes, [info("x", TensorProto.INT64, 2)], [info("place", TensorProto.INT64, 2)]
    )
    rows = judged_rows(model)["x"]
    near = {LARGE - 1, LARGE, LARGE + 1, -8, -7, -6}
    assert near < set(rows.ravel().tolist()) <= near | {0, 1}
    assert 0.2 < np.isin(rows, [*near]).mean() < 0.3
    done = converted(model, tmp_path, variants=FORMS)
    given = np.array([[LARGE, LARGE + 1]])
    for variant in FORMS.split(","):
        assert load(done.bundle, variant).predict({"x": given})["place"].tolist() == [[1, -1]]


def test_rows_are_drawn_at_and_beside_what_is_compared_and_subtracted() -> None:
    nodes = [
        constant("most", np.array([0.1], np.float32)),
        helper.make_node("Cast", ["most"], ["wide"], to=TensorProto.DOUBLE),
        constant("mean", np.array([1e9 + 0.25])),
        helper.make_node("Sub", ["x", "mean"], ["less"]),
        helper.make_node("Greater", ["less", "wide"], ["y"]),
    ]
    model = model_of(nodes, [info("x", TensorProto.DOUBLE, 2)], [info("y", TensorProto.BOOL, 2)])
    numbers = (float(np.float32(0.1)), 1e9 + 0.25)
    assert numbers_met(model, "x") == numbers
    rows = judged_rows(model)["x"]
    for number in numbers:
        assert {np.nextafter(number, -np.inf), number, np.nextafter(number, np.inf)} <= set(
            rows.ravel().tolist()
        )


def test_a_form_that_rounds_is_found_without_data(tmp_path: Path) -> None:
    """No number drawn at random tells float32 from float64 here."""
    greater = helper.make_node("Greater", ["x", "limit"], ["y"])
    held = {"limit": np.array(1e9 + 0.25)}
    ends = [info("y", TensorProto.BOOL)]
    model = model_of([greater], [info("x", TensorProto.DOUBLE)], ends, held)
    done = converted(model, tmp_path)
    assert {v.name for v in done.bundle.manifest.variants} >= {"onnx-float32", "savedmodel-float32"}
    assert "tflite-float32" in done.left_out


def test_a_sample_of_a_forest_s_thresholds_is_met() -> None:
    count = 500
    inner = [*range(1, count), 2 * count]
    zeros = [0] * (count + 1)
    trees = helper.make_node(
        "TreeEnsembleRegressor", ["x"], ["y"], domain=ML, n_targets=1,
        nodes_treeids=[0] * (2 * count + 1), nodes_nodeids=[*range(2 * count + 1)],
        nodes_featureids=[0] * (2 * count + 1),
        nodes_modes=["BRANCH_LEQ"] * count + ["LEAF"] * (count + 1),
        nodes_values=[float(k + 10) for k in range(count)] + [0.0] * (count + 1),
        nodes_truenodeids=[*inner, *zeros], nodes_falsenodeids=[*range(count, 2 * count), *zeros],
        target_treeids=[0], target_nodeids=[count], target_ids=[0], target_weights=[1.0],
    )  # fmt: skip
    numbers = numbers_met(model_of([trees], [("x", ["n", 4])], [("y", ["n", 1])]), "x")
    assert len(numbers) == 100
    assert (numbers[0], numbers[-1]) == (10.0, 509.0)


def test_numbers_that_the_model_fails_on_are_left_to_other_inputs() -> None:
    nodes = [
        helper.make_node("Gather", ["table", "ids"], ["found"]),
        helper.make_node("Equal", ["ids", "none"], ["padding"]),
        helper.make_node("Greater", ["x", "limit"], ["above"]),
        helper.make_node("Or", ["padding", "above"], ["y"]),
    ]
    held: dict[str, Array] = {
        "table": np.arange(3.0),
        "none": np.array(99),
        "limit": np.array(77, np.float32),
    }
    inputs = [info("ids", TensorProto.INT64), info("x", TensorProto.FLOAT)]
    ends = [info("y", TensorProto.BOOL), info("found", TensorProto.DOUBLE)]
    rows = judged_rows(model_of(nodes, inputs, ends, held))
    assert set(rows["ids"].tolist()) == {0, 1}
    assert (rows["x"] == 77).any()


def test_rows_without_a_finite_answer_are_plain() -> None:
    nodes = [
        helper.make_node("Less", ["x", "three"], ["below"]),
        helper.make_node("Sub", ["x", "three"], ["less"]),
        helper.make_node("Reciprocal", ["less"], ["y"]),
    ]
    ends = [("y", ["n"]), info("below", TensorProto.BOOL)]
    model = model_of(nodes, [("x", ["n"])], ends, {"three": np.array(3, np.float32)})
    rows = judged_rows(model)["x"]
    assert (rows != 3).all()
    assert np.isin(np.nextafter(np.float32(3), np.array([0, 9], np.float32)), rows).all()
    assert np.isfinite(open_source(model).predict({"x": rows})["y"]).all()


def test_only_what_a_type_holds_is_beside() -> None:
    assert beside((0, 255, 2.5, 3e9), np.dtype(np.uint8)).tolist() == [0, 1, 2, 3, 254, 255]
    most = float(np.finfo(np.float32).max)
    assert np.isfinite(beside((most, -1e300, 2**64), np.dtype(np.float32))).all()
    assert beside((1, 0), np.dtype(bool)).size == 0
