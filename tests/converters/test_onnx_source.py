"""ONNX files as sources: what each exporter writes, in every form that its operators have."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper
from sklearn.datasets import make_blobs
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC

from edgeship_converters.artifact import Task
from edgeship_converters.convert import Conversion, carry_out
from edgeship_converters.errors import SourceError, StepError
from edgeship_converters.request import Request
from edgeship_converters.sources import open_source
from edgeship_converters.sources.sklearn_model import in_memory
from edgeship_converters.steps.sklearn_to_onnx import sklearn_to_onnx
from edgeship_runtime import datafiles
from edgeship_runtime.model import load
from tests.converters.onnx_files import cnn, mlp, model_of, one

FORMS = ("onnx-float32", "savedmodel-float32", "tflite-float32")
SMALL = (
    *("tflite-float16", "tflite-dynamic-int8", "tflite-int8", "tflite-int16x8"),
    *("onnx-float16", "onnx-dynamic-int8", "onnx-int8"),
)


def blobs() -> tuple[Any, Any]:
    """Rows of four numbers in three classes."""
    rows, truth = make_blobs(400, 4, centers=3, cluster_std=3.0, random_state=0)
    return rows.astype(np.float32), truth


ROWS, TRUTH = blobs()


def exported(estimator: Any, zipmap: Any = True, **more: Any) -> onnx.ModelProto:
    """skl2onnx's own export of a fitted estimator."""
    from skl2onnx import to_onnx

    options = {} if zipmap is True else {"options": {"zipmap": zipmap}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows = None if more else ROWS[:1]
        opsets = {"": 17, "ai.onnx.ml": 3}
        made: onnx.ModelProto = to_onnx(estimator, rows, target_opset=opsets, **options, **more)
    return made


def converted(model: Any, folder: Path, data: Any = None, **options: Any) -> Conversion:
    """A conversion of a model that was saved to a file, or of one in memory."""
    if isinstance(model, onnx.ModelProto):
        path = folder / "model.onnx"
        onnx.save(model, path)
        model = path
    data = {"x": ROWS, "y": TRUTH} if data is None else data
    request = Request(source=model, data=data, cache=False, **options)
    return carry_out(request, folder / "model.edgeship")


def as_run(model: onnx.ModelProto, rows: Mapping[str, Any]) -> list[Any]:
    """What onnxruntime gives for the file itself."""
    return onnxruntime.InferenceSession(model.SerializeToString()).run(None, dict(rows))  # type: ignore[no-any-return]


def answers(done: Conversion, variant: str, rows: Any = ROWS) -> dict[str, Any]:
    """What a variant of the bundle gives through the runtime."""
    return load(done.bundle, variant).predict(rows)


def test_a_forest_by_skl2onnx_runs_in_every_form(tmp_path: Path) -> None:
    model = exported(RandomForestClassifier(10, random_state=0).fit(ROWS, TRUTH))
    labels, zipped = as_run(model, {"X": ROWS})
    done = converted(model, tmp_path, variants=",".join(FORMS))
    contract = done.bundle.manifest.contract
    assert contract.task == "classification"
    assert contract.classes == (0, 1, 2)
    assert [(spec.name, spec.role) for spec in contract.outputs] == [
        ("output_label", "label"),
        ("output_probability", "probabilities"),
    ]
    matrix = np.array([[row[k] for k in contract.classes] for row in zipped], np.float32)
    for variant in FORMS:
        made = answers(done, variant)
        assert (made["output_label"] == labels).all(), variant
        assert np.abs(made["output_probability"] - matrix).max() < 1e-5, variant
    assert {v.evidence.metric for v in done.bundle.manifest.variants} == {"accuracy"}


@pytest.mark.parametrize(
    "estimator",
    [
        KNeighborsClassifier(3),
        SVC(probability=False),
        MLPClassifier((8,), max_iter=2000, random_state=0),
    ],
    ids=["neighbours", "SVC", "MLP"],
)
def test_other_classifiers_by_skl2onnx_run_in_every_form(estimator: Any, tmp_path: Path) -> None:
    model = exported(estimator.fit(ROWS, TRUTH), zipmap=False)
    labels, *_ = as_run(model, {"X": ROWS})
    done = converted(model, tmp_path, variants=",".join(FORMS))
    for variant in FORMS:
        made = answers(done, variant)
        assert (made["label"] == labels).all(), variant


@pytest.mark.parametrize("zipmap", [True, False, "columns"])
def test_a_logistic_regression_by_skl2onnx_keeps_its_words(zipmap: Any, tmp_path: Path) -> None:
    words = np.array(["setosa", "a b", "ü"])[TRUTH]
    model = exported(LogisticRegression(max_iter=1000).fit(ROWS, words), zipmap)
    done = converted(model, tmp_path, {"x": ROWS, "y": words})
    contract = done.bundle.manifest.contract
    assert contract.task == "classification"
    assert sorted(contract.classes or ()) == ["a b", "setosa", "ü"]
    roles = [spec.role for spec in contract.outputs]
    expected = ["tensor"] * 3 if zipmap == "columns" else ["probabilities"]
    assert roles == ["label", *expected]
    made = answers(done, "onnx-float32")
    label = contract.outputs[0].name
    assert (made[label] == as_run(model, {"X": ROWS})[0]).all()
    check_all(done, ROWS)


def test_decision_scores_are_not_called_probabilities(tmp_path: Path) -> None:
    model = exported(SVC(random_state=0).fit(ROWS, TRUTH), False)
    done = converted(model, tmp_path)
    assert [spec.role for spec in done.bundle.manifest.outputs] == ["label", "tensor"]
    labels, scores = as_run(model, {"X": ROWS})
    made = answers(done, "onnx-float32")
    assert (made["label"] == labels).all()
    assert np.allclose(made["probabilities"], scores, atol=1e-4)
    check_all(done, ROWS)


def test_text_columns_are_taken_as_text(tmp_path: Path) -> None:
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType
    from sklearn.compose import make_column_transformer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    pandas = pytest.importorskip("pandas")
    words = np.array(["u", "v", "w"])[(TRUTH + (ROWS[:, 1] > 0)) % 3]
    frame = pandas.DataFrame({"size": ROWS[:, 0], "kind": words})
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["kind"]), (StandardScaler(), ["size"])
    )
    fitted = make_pipeline(columns, LogisticRegression()).fit(frame, TRUTH)
    types = [("size", FloatTensorType([None, 1])), ("kind", StringTensorType([None, 1]))]
    model = exported(fitted, initial_types=types)
    rows = {"size": ROWS[:, :1], "kind": words[:, None]}
    done = converted(model, tmp_path, rows | {"y": TRUTH})
    assert [spec.dtype for spec in done.bundle.manifest.inputs] == ["float32", "string"]
    assert set(open_source(model).vocabulary) >= {"u", "v", "w"}  # type: ignore[attr-defined]
    check_all(done, rows)
    # As a table too, in which a column has no axis of its own.
    frame.assign(y=TRUTH).to_csv(tmp_path / "table.csv", index=False)
    read = datafiles.read(tmp_path / "table.csv", done.bundle.manifest.inputs, label_column="y")
    expected = answers(done, "onnx-float32", rows)
    for table in (frame, read.inputs):
        made = answers(done, "tflite-float32", table)
        assert {name: array.tolist() for name, array in made.items() if array.ndim == 1} == {
            name: array.tolist() for name, array in expected.items() if array.ndim == 1
        }


def test_text_that_an_export_of_our_own_takes_is_text_in_a_savedmodel(tmp_path: Path) -> None:
    from sklearn.compose import make_column_transformer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    pandas = pytest.importorskip("pandas")
    words = np.array(["u", "v", "w"])[(TRUTH + (ROWS[:, 1] > 0)) % 3]
    frame = pandas.DataFrame({"petal size": ROWS[:, 0], "kind": words})
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["kind"]), ("passthrough", ["petal size"])
    )
    source = in_memory(make_pipeline(columns, LogisticRegression()).fit(frame, TRUTH))
    artifact = sklearn_to_onnx(source, Task("own", source.contract))
    rows = {"petal_size": ROWS[:, 0], "kind": words}
    model = onnx.load_model_from_string(artifact.data)
    done = converted(model, tmp_path, rows, variants="onnx-float32,savedmodel-float32")
    assert [spec.name for spec in done.bundle.manifest.inputs] == ["petal_size", "kind"]
    expected = source.predict({"petal size": ROWS[:, 0], "kind": words})
    assert (answers(done, "savedmodel-float32", rows)["label"] == expected["label"]).all()
    check_all(done, rows, formats=("onnx", "savedmodel"))


def test_lightgbm_by_onnxmltools_is_a_classification(tmp_path: Path) -> None:
    onnxmltools = pytest.importorskip("onnxmltools")
    lightgbm = pytest.importorskip("lightgbm")
    from onnxmltools.convert.common.data_types import FloatTensorType

    fitted = lightgbm.LGBMClassifier(n_estimators=5, verbose=-1).fit(ROWS, TRUTH)
    model = onnxmltools.convert_lightgbm(fitted, initial_types=[("x", FloatTensorType([None, 4]))])
    done = converted(model, tmp_path)
    assert done.bundle.manifest.classes == (0, 1, 2)
    check_all(done, ROWS)


def test_a_regression_keeps_its_column(tmp_path: Path) -> None:
    model = exported(RandomForestRegressor(5, random_state=0).fit(ROWS, ROWS[:, 0] * 3))
    done = converted(model, tmp_path, {"x": ROWS, "y": ROWS[:, 0] * 3}, variants=",".join(FORMS))
    (output,) = done.bundle.manifest.outputs
    assert (done.bundle.manifest.task, output.role, output.shape) == (
        "regression",
        "value",
        (None, 1),
    )
    assert {v.evidence.metric for v in done.bundle.manifest.variants} == {"r2"}
    check_all(done, ROWS)


@pytest.mark.parametrize(
    "estimator",
    [RandomForestClassifier(5, random_state=0), LogisticRegression(max_iter=1000)],
    ids=["forest", "linear"],
)
def test_an_export_of_our_own_is_a_source_too(estimator: Any, tmp_path: Path) -> None:
    source = in_memory(estimator.fit(ROWS, TRUTH + 5))
    artifact = sklearn_to_onnx(source, Task("own", source.contract))
    (tmp_path / "own.onnx").write_bytes(artifact.data)
    done = converted(tmp_path / "own.onnx", tmp_path, {"x": ROWS, "y": TRUTH + 5})
    contract = done.bundle.manifest.contract
    assert (contract.task, contract.classes) == ("classification", (5, 6, 7))
    assert {spec.name: spec.role for spec in contract.outputs} == {
        "label": "label", "probabilities": "probabilities",
    }  # fmt: skip
    assert set(FORMS) <= {v.name for v in done.bundle.manifest.variants}
    assert (answers(done, "tflite-float32")["label"] == estimator.predict(ROWS)).all()


def test_a_network_exported_elsewhere_runs_in_every_form(tmp_path: Path) -> None:
    model = mlp()
    labels = as_run(model, {"features": ROWS})[0].argmax(axis=1)
    done = converted(
        model, tmp_path, {"features": ROWS, "y": labels}, variants=",".join((*FORMS, *SMALL)),
        max_drop=0.05,
    )  # fmt: skip
    (output,) = done.bundle.manifest.outputs
    assert (done.bundle.manifest.task, output.role) == ("classification", "probabilities")
    assert done.bundle.manifest.classes == (0, 1, 2)
    check_all(done, ROWS)
    sizes = {v.name: v.bytes for v in done.bundle.manifest.variants}
    assert sizes["onnx-int8"] < sizes["onnx-float32"] * 2


def test_a_network_by_skl2onnx_shrinks(tmp_path: Path) -> None:
    from sklearn.neural_network import MLPClassifier

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = MLPClassifier((128, 64), max_iter=10, random_state=0).fit(ROWS, TRUTH)
    done = converted(exported(fitted), tmp_path, max_drop=0.05)
    assert {v.name for v in done.bundle.manifest.variants} >= {
        "onnx-float32", "onnx-float16", "onnx-dynamic-int8", "onnx-int8",
    }  # fmt: skip
    check_all(done, ROWS)


@pytest.mark.parametrize("opset", [9, 12, 21])
def test_old_and_new_opsets_are_quantized(opset: int, tmp_path: Path) -> None:
    model = mlp(opset=opset, ir=4 if opset == 9 else 10)
    done = converted(model, tmp_path, ROWS, variants="onnx-float32,onnx-int8", max_drop=0.05)
    kept = onnx.load_model_from_string(variant_bytes(done, "onnx-float32"))
    assert [entry.version for entry in kept.opset_import] == [opset]


def test_what_holds_no_float32_has_no_smaller_form_of_onnx(tmp_path: Path) -> None:
    done = converted(mlp(dtype="float64"), tmp_path, ROWS.astype(np.float64), max_drop=0.05)
    assert {"onnx-float16", "onnx-dynamic-int8", "onnx-int8"} <= done.left_out.keys()


def test_a_convolution_keeps_its_onnx_forms(tmp_path: Path) -> None:
    pictures = np.random.default_rng(0).normal(size=(300, 1, 8, 8)).astype(np.float32)
    done = converted(cnn(), tmp_path, pictures, max_drop=0.05)
    assert {v.name for v in done.bundle.manifest.variants} >= {"onnx-float32", "onnx-int8"}
    for form in ("savedmodel-float32", "tflite-float32"):
        assert "the operator Conv (/conv/Conv) has no lowering" in done.left_out[form]
    with pytest.raises(StepError, match=r"the operator Conv \(/conv/Conv\) has no lowering"):
        converted(cnn(), tmp_path, pictures, variants="tflite-float32")


def test_the_releases_and_types_of_a_file_stay(tmp_path: Path) -> None:
    model = mlp(dtype="float64", opset=13, ir=7)
    done = converted(
        model, tmp_path, {"features": ROWS.astype(np.float64)}, variants=",".join(FORMS)
    )
    kept = onnx.load_model_from_string(variant_bytes(done, "onnx-float32"))
    assert (kept.ir_version, [o.version for o in kept.opset_import]) == (7, [13])
    assert {t.data_type for t in kept.graph.initializer} == {TensorProto.DOUBLE}
    assert [spec.dtype for spec in done.bundle.manifest.inputs] == ["float64"]
    check_all(done, ROWS.astype(np.float64))


def test_a_file_of_before_constants_were_no_inputs_is_taken(tmp_path: Path) -> None:
    model = mlp(opset=8, ir=3)
    for tensor in model.graph.initializer:
        model.graph.input.append(
            helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
        )
    done = converted(model, tmp_path, {"x": ROWS}, variants=",".join(FORMS))
    assert [spec.name for spec in done.bundle.manifest.inputs] == ["features"]
    check_all(done, ROWS)


def test_names_that_no_format_keeps_are_changed_and_told(tmp_path: Path) -> None:
    # The name that the input gets is that of a value between.
    model = mlp(given="h:", made="soft max")
    model.graph.node[0].name = "h"
    told: list[str] = []
    done = converted(model, tmp_path, ROWS, variants=",".join(FORMS), on_warning=told.append)
    contract = done.bundle.manifest.contract
    assert (contract.inputs[0].name, contract.outputs[0].name) == ("h", "soft_max")
    assert any("'h:' is h" in line and "'soft max' is soft_max" in line for line in told)
    check_all(done, ROWS)


def test_capital_letters_of_a_name_outlast_freezing() -> None:
    """TensorFlow's placeholders have none, and some graphs go to TFLite by way of a frozen one."""
    from edgeship_converters.steps.frozen import freeze
    from edgeship_converters.steps.onnx_as_source import onnx_as_source
    from edgeship_converters.steps.onnx_to_savedmodel import onnx_to_savedmodel

    source = open_source(mlp(given="Features"))
    task = Task("capital", source.contract)
    saved = onnx_to_savedmodel(onnx_as_source(source, task), task)  # type: ignore[arg-type]
    assert list(freeze(saved).inputs) == ["Features"]


@pytest.mark.parametrize("rows", [1, 3])
def test_a_fixed_number_of_rows_is_freed_where_no_operator_holds_it(
    rows: int, tmp_path: Path
) -> None:
    model = mlp(rows=rows)
    done = converted(model, tmp_path, ROWS[:200], variants=",".join(FORMS))
    assert done.bundle.manifest.inputs[0].shape == (None, 4)
    made = answers(done, "tflite-float32", ROWS[: 4 * rows])["scores"]
    parts = [as_run(model, {"features": ROWS[k * rows :][:rows]})[0] for k in range(4)]
    assert np.allclose(made, np.concatenate(parts), atol=1e-5)


def test_a_fixed_number_of_rows_that_an_operator_holds_is_refused() -> None:
    shape = helper.make_node("Constant", [], ["s"], value_ints=[1, 2, 2])
    node = helper.make_node("Reshape", ["x", "s"], ["y"])
    model = model_of([shape, node], [("x", [1, 4])], [("y", [1, 2, 2])])
    with pytest.raises(SourceError, match=r"fixed number of rows.*dynamic_axes"):
        open_source(model)


def test_a_sum_over_a_fixed_number_of_rows_is_refused() -> None:
    mean = helper.make_node("ReduceMean", ["x"], ["m"], axes=[0], keepdims=1)
    model = model_of(
        [mean, helper.make_node("Sub", ["x", "m"], ["y"])], [("x", [2, 4])], [("y", [2, 4])]
    )
    with pytest.raises(SourceError, match=r"fixed number of rows.*dynamic_axes"):
        open_source(model)


def test_functions_of_the_file_are_written_out(tmp_path: Path) -> None:
    function = helper.make_function(
        "mine", "Twice", ["a"], ["b"],
        [helper.make_node("Add", ["a", "a"], ["b"])], [helper.make_opsetid("", 17)],
    )  # fmt: skip
    called = helper.make_node("Twice", ["x"], ["t"], domain="mine")
    relu = helper.make_node("Relu", ["t"], ["y"])
    model = model_of([called, relu], [("x", ["n", 4])], [("y", ["n", 4])])
    model.functions.append(function)
    model.opset_import.append(helper.make_opsetid("mine", 1))
    done = converted(model, tmp_path, ROWS, variants=",".join(FORMS))
    for variant in FORMS:
        assert np.allclose(answers(done, variant)["y"], np.maximum(2 * ROWS, 0))


def test_an_input_passed_on_gets_a_name_of_its_own(tmp_path: Path) -> None:
    model = one("Relu")
    model.graph.output.append(model.graph.input[0])
    done = converted(model, tmp_path, ROWS, variants=",".join(FORMS))
    assert [spec.name for spec in done.bundle.manifest.outputs] == ["y", "x_1"]
    for variant in FORMS:
        assert (answers(done, variant)["x_1"] == ROWS).all()


def test_the_file_and_the_model_in_memory_are_one_source(tmp_path: Path) -> None:
    onnx.save(mlp(), tmp_path / "m.onnx")
    one_way = open_source(tmp_path / "m.onnx")
    other = open_source(mlp())
    assert one_way.contract == other.contract
    rows = {"features": ROWS}
    assert (one_way.predict(rows)["scores"] == other.predict(rows)["scores"]).all()


def test_the_same_file_gives_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one_way = converted(mlp(), tmp_path / "a", ROWS, variants="onnx-float32")
    other = converted(mlp(), tmp_path / "b", ROWS, variants="onnx-float32")
    assert variant_bytes(one_way, "onnx-float32") == variant_bytes(other, "onnx-float32")


def test_trees_that_look_at_missing_values_take_them(tmp_path: Path) -> None:
    model = exported(RandomForestClassifier(3, random_state=0).fit(ROWS, TRUTH))
    assert not open_source(model).contract.inputs[0].missing
    for attribute in model.graph.node[0].attribute:
        if attribute.name == "nodes_missing_value_tracks_true":
            attribute.ints[0] = 1
    assert open_source(model).contract.inputs[0].missing


def test_without_data_rows_are_drawn(tmp_path: Path) -> None:
    onnx.save(mlp(), tmp_path / "m.onnx")
    request = Request(
        source=tmp_path / "m.onnx", cache=False, variants="onnx-float32,tflite-float32"
    )
    done = carry_out(request, tmp_path / "m.edgeship")
    assert {v.evidence.rows_from for v in done.bundle.manifest.variants} == {"synthetic"}


def variant_bytes(done: Conversion, variant: str) -> bytes:
    """The file of a variant."""
    return done.bundle.read(done.bundle.manifest.variant(variant).path)


def check_all(
    done: Conversion, rows: Any, formats: tuple[str, ...] = ("onnx", "savedmodel", "tflite")
) -> None:
    """Whether every float32 variant that was made answers as the ONNX one does, in a new engine."""
    expected = answers(done, "onnx-float32", rows)
    for spec in done.bundle.manifest.variants:
        if spec.precision != "float32" or spec.format not in formats:
            continue
        made = answers(done, spec.name, rows)
        for name, array in expected.items():
            if array.dtype.kind == "f":
                assert np.allclose(made[name], array, rtol=1e-3, atol=1e-4), (spec.name, name)
            else:
                assert (made[name] == array).all(), (spec.name, name)
