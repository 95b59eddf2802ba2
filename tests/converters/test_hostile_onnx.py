"""ONNX files that are not what they say: refused in words, with no other file opened."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from edgeship_converters.errors import SourceError
from edgeship_converters.sources import open_source
from tests.converters.onnx_files import cnn, mlp, model_of, one
from tests.face.test_command import edgeship


def refused(model: ModelProto | bytes, folder: Path) -> str:
    """What is said of a file with this model."""
    path = folder / "model.onnx"
    path.write_bytes(model if isinstance(model, bytes) else model.SerializeToString())
    with pytest.raises(SourceError) as caught:
        open_source(path)
    return str(caught.value)


def external(model: ModelProto, location: str) -> ModelProto:
    """A model whose first tensor lies in another file."""
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    return model


def external_in_attribute() -> ModelProto:
    tensor = numpy_helper.from_array(np.zeros(4, np.float32), "hidden")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    constant = helper.make_node("Constant", [], ["c"])
    constant.attribute.append(helper.make_attribute("value", tensor))
    add = helper.make_node("Add", ["x", "c"], ["y"])
    return model_of([constant, add], [("x", ["n", 4])], [("y", ["n", 4])])


def external_in_branch() -> ModelProto:
    inner = external_in_attribute().graph.node[0]
    then = helper.make_graph([inner], "then", [], [helper.make_tensor_value_info("c", 1, [4])])
    other = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["d"])], "else", [],
        [helper.make_tensor_value_info("d", 1, None)],
    )  # fmt: skip
    nodes = [
        helper.make_node("ReduceSum", ["x"], ["s"], keepdims=0),
        helper.make_node("Cast", ["s"], ["b"], to=TensorProto.BOOL),
        helper.make_node("If", ["b"], ["y"], then_branch=then, else_branch=other),
    ]
    return model_of(nodes, [("x", ["n", 4])], [("y", ["n", 4])])


def sparse() -> ModelProto:
    model = one("Relu")
    model.graph.sparse_initializer.append(
        helper.make_sparse_tensor(
            numpy_helper.from_array(np.ones(1, np.float32), "v"),
            numpy_helper.from_array(np.zeros(1, np.int64), "i"),
            [4],
        )
    )
    return model


def training() -> ModelProto:
    model = one("Relu")
    model.training_info.add()
    return model


def gradient() -> ModelProto:
    node = helper.make_node("Adam", ["x"], ["y"], domain="ai.onnx.preview.training")
    return model_of([node], [("x", ["n", 4])], [("y", ["n", 4])])


def custom() -> ModelProto:
    node = helper.make_node("Magic", ["x"], ["y"], domain="com.example")
    model = model_of([node], [("x", ["n", 4])], [("y", ["n", 4])])
    model.opset_import.append(helper.make_opsetid("com.example", 1))
    return model


def calling(levels: int, each: int, *, cycle: bool = False) -> ModelProto:
    """Functions that call the next one several times."""
    node = helper.make_node("F0", ["x"], ["y"], domain="f")
    model = model_of([node], [("x", ["n", 4])], [("y", ["n", 4])])
    own = helper.make_opsetid("f", 1)
    model.opset_import.append(own)
    for level in range(levels):
        last = level == levels - 1
        kind, domain = ("Relu", "") if last else (f"F{level + 1}", "f")
        if last and cycle:
            kind, domain = "F0", "f"
        names = ["a", *(f"t{k}" for k in range(each - 1)), "b"]
        calls = [
            helper.make_node(kind, [names[k]], [names[k + 1]], domain=domain) for k in range(each)
        ]
        opsets = [helper.make_opsetid("", 17), own]
        model.functions.append(helper.make_function("f", f"F{level}", ["a"], ["b"], calls, opsets))
    return model


def typed(element: int) -> ModelProto:
    return model_of(
        [helper.make_node("Identity", ["x"], ["y"])],
        [helper.make_tensor_value_info("x", element, ["n", 4])],
        [helper.make_tensor_value_info("y", element, ["n", 4])],
        opset=21,
        ir=10,
    )


def given_as(info: Any) -> ModelProto:
    node = helper.make_node("Identity", ["x"], ["y"])
    other = helper.make_node("Relu", ["z"], ["w"])
    output = onnx.ValueInfoProto()
    output.CopyFrom(info)
    output.name = "y"
    return model_of([node, other], [info, ("z", ["n", 4])], [output, ("w", ["n", 4])])


def of_opset(version: int, domain: str = "") -> ModelProto:
    model = one("Relu")
    for opset in model.opset_import:
        if opset.domain == domain:
            opset.version = version
    return model


def two_opsets() -> ModelProto:
    model = one("Relu")
    model.opset_import.append(helper.make_opsetid("ai.onnx", 9))
    return model


def of_ir(version: int) -> ModelProto:
    model = one("Relu")
    model.ir_version = version
    return model


def zipped_and_used() -> ModelProto:
    zipping = helper.make_node(
        "ZipMap", ["x"], ["y"], domain="ai.onnx.ml", classlabels_int64s=[0, 1, 2, 3]
    )
    info = helper.make_map_type_proto(TensorProto.INT64, helper.make_tensor_type_proto(1, None))
    sequence = helper.make_value_info("y", helper.make_sequence_type_proto(info))
    other = helper.make_value_info("w", helper.make_sequence_type_proto(info))
    copy = helper.make_node("Identity", ["y"], ["w"])
    return model_of([zipping, copy], [("x", ["n", 4])], [sequence, other])


def of_trees(count: int = 3, **attributes: Any) -> ModelProto:
    """A tree of a root and two leaves, with other attributes than it needs."""
    held = {
        "n_targets": 1,
        "nodes_treeids": [0] * count,
        "nodes_nodeids": list(range(count)),
        "nodes_featureids": [0] * count,
        "nodes_modes": ["BRANCH_LEQ", "LEAF", "LEAF"],
        "nodes_values": [0.5] * count,
        "nodes_truenodeids": [1, 0, 0],
        "nodes_falsenodeids": [2, 0, 0],
        "target_treeids": [0, 0],
        "target_nodeids": [1, 2],
        "target_ids": [0, 0],
        "target_weights": [1.0, 2.0],
    }
    node = helper.make_node("TreeEnsembleRegressor", ["x"], ["y"], "trees", domain="ai.onnx.ml")
    node.attribute.extend(helper.make_attribute(k, v) for k, v in (held | attributes).items())
    return model_of([node], [("x", ["n", 4])], [("y", ["n", 1])])


def of_a_part() -> ModelProto:
    """A tree over two of the four columns, which looks at the last."""
    model = of_trees(nodes_featureids=[3, 0, 0])
    ends = {name: np.array([k]) for k, name in ((0, "start"), (2, "end"), (1, "axis"))}
    model.graph.node[0].input[0] = "part"
    nodes = [helper.make_node("Slice", ["x", *ends], ["part"]), *model.graph.node]
    return model_of(nodes, [("x", ["n", 4])], [("y", ["n", 1])], ends)


def of_classes() -> ModelProto:
    """A classifier of two classes with a vote for a third."""
    model = of_trees()
    (node,) = model.graph.node
    held = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    votes = {f"class_{k[7:]}": v for k, v in held.items() if k.startswith("target_")}
    node = helper.make_node(
        "TreeEnsembleClassifier", ["x"], ["l", "y"], domain="ai.onnx.ml", classlabels_int64s=[0, 1],
        **{k: v for k, v in held.items() if k[:6] == "nodes_"}, **(votes | {"class_ids": [1, 2]}),
    )  # fmt: skip
    label = helper.make_tensor_value_info("l", TensorProto.INT64, ["n"])
    return model_of([node], [("x", ["n", 4])], [label, ("y", ["n", 2])])


def deep() -> ModelProto:
    """A chain of nodes, each with a leaf."""
    inner, count = 2000, 4001
    zeros = [0] * (inner + 1)
    return of_trees(
        count,
        nodes_modes=["BRANCH_LEQ"] * inner + ["LEAF"] * (inner + 1),
        nodes_truenodeids=[*range(1, inner), count - 1, *zeros],
        nodes_falsenodeids=[*range(inner, count - 1), *zeros],
    )


def apart(**attributes: Any) -> ModelProto:
    """A tree of opset 5, of a node and two leaves, with other attributes than it needs."""
    held = {
        "n_targets": 1,
        "tree_roots": [0],
        "nodes_featureids": [0],
        "nodes_splits": numpy_helper.from_array(np.array([0.5], np.float32)),
        "nodes_modes": numpy_helper.from_array(np.array([0], np.uint8)),
        "nodes_truenodeids": [0],
        "nodes_trueleafs": [1],
        "nodes_falsenodeids": [1],
        "nodes_falseleafs": [1],
        "leaf_targetids": [0, 0],
        "leaf_weights": numpy_helper.from_array(np.array([1, 2], np.float32)),
    }
    node = helper.make_node("TreeEnsemble", ["x"], ["y"], "trees", domain="ai.onnx.ml")
    node.attribute.extend(helper.make_attribute(k, v) for k, v in (held | attributes).items())
    model = model_of([node], [("x", ["n", 4])], [("y", ["n", 1])])
    model.opset_import[1].version = 5
    return model


def regressor(outputs: int) -> ModelProto:
    node = helper.make_node(
        "LinearRegressor", ["x"], ["y"], domain="ai.onnx.ml", coefficients=[1.0] * 4,
        intercepts=[0.0], targets=outputs,
    )  # fmt: skip
    return model_of([node], [("x", ["n", 4])], [("y", ["n", 1])])


def cut(model: ModelProto) -> bytes:
    return bytes(model.SerializeToString())[:-200]


def without_end(model: ModelProto) -> ModelProto:
    del model.graph.node[-1]
    return model


def unlike_rows() -> ModelProto:
    add = helper.make_node("Add", ["x", "z"], ["y"])
    return model_of([add], [("x", ["n", 4]), ("z", [4])], [("y", ["n", 4])])


def short_tensor() -> ModelProto:
    model = mlp()
    model.graph.initializer[0].raw_data = b"1234"
    return model


def large_tensor() -> ModelProto:
    model = mlp()
    model.graph.initializer[0].dims[:] = [1 << 40, 1 << 40]
    return model


REFUSED: dict[str, tuple[Callable[[], ModelProto | bytes], str]] = {
    "no file of ONNX": (lambda: b"hello, world", r"is not an ONNX model.*expected what onnx\.save"),
    "an empty file": (lambda: b"", r"is not an ONNX model.*no operators; expected what onnx\.save"),
    "a zip file": (lambda: b"PK\3\4" + bytes(100), r"is not an ONNX model"),
    "one that was cut off": (lambda: cut(mlp()), r"is not an ONNX model.*cut off"),
    "no last operator": (lambda: without_end(mlp()), r"is not (a sound ONNX model|an ONNX model)"),
    "weights elsewhere": (
        lambda: external(mlp(), "/etc/passwd"), r"'fc1\.weight' in another file.*as one file",
    ),
    "weights beside it": (lambda: external(mlp(), "weights.bin"), r"in another file, which is not"),
    "weights of a constant elsewhere": (external_in_attribute, r"'hidden' in another file"),
    "weights in a branch elsewhere": (external_in_branch, r"'hidden' in another file"),
    "a sparse tensor": (sparse, r"a sparse tensor.*export it with dense ones"),
    "a graph for training": (training, r"is a graph for training.*evaluation mode"),
    "an optimizer": (gradient, r"is a graph for training"),
    "operators of nobody": (custom, r"com\.example\.Magic, which onnxruntime does not know"),
    "no such operator": (lambda: one("Frobnicate"), r"is not a sound ONNX model.*Frobnicate"),
    "functions in a circle": (
        lambda: calling(3, 1, cycle=True), r"call each other more than 100 deep.*without functions",
    ),
    "functions that double": (
        lambda: calling(40, 2), r"has 1099511627776 operators.*at most 1000000.*without functions",
    ),
    "complex numbers": (lambda: typed(TensorProto.COMPLEX64), r"of complex64: edgeship converts"),
    "bfloat16": (lambda: typed(TensorProto.BFLOAT16), r"of bfloat16: edgeship converts"),
    "float8": (lambda: typed(TensorProto.FLOAT8E4M3FN), r"of float8e4m3fn: edgeship converts"),
    "int4": (lambda: typed(TensorProto.INT4), r"of int4: edgeship converts"),
    "no type": (lambda: typed(77), r"."),
    "a sequence": (
        lambda: given_as(helper.make_tensor_sequence_value_info("x", 1, None)),
        r"'x' of the ONNX model is a sequence, expected a tensor",
    ),
    "an optional": (
        lambda: given_as(
            helper.make_value_info(
                "x", helper.make_optional_type_proto(helper.make_tensor_type_proto(1, [4]))
            )
        ),
        r"'x' of the ONNX model is a optional, expected a tensor|optional",
    ),
    "a map that is used": (zipped_and_used, r"'y' of the ONNX model is a seq.*'zipmap': False"),
    "an opset of the future": (lambda: of_opset(999), r"opset 999 of ai\.onnx: expected 1 to \d+"),
    "an opset of trees of the future": (
        lambda: of_opset(99, "ai.onnx.ml"), r"opset 99 of ai\.onnx\.ml: expected 1 to \d+",
    ),
    "a negative opset": (lambda: of_opset(-3), r"opset -3 of ai\.onnx: expected 1 to \d+"),
    "two opsets": (two_opsets, r"imports two opsets of ai\.onnx, 17 and 9: expected one"),
    "an IR of the future": (lambda: of_ir(4000), r"IR version 4000: expected at most \d+"),
    "a child that is no node": (
        lambda: of_trees(nodes_truenodeids=[900, 0, 0]), r"sound.*nodes of the same tree",
    ),
    "a root that is a child": (
        lambda: of_trees(nodes_truenodeids=[0, 0, 0]), r"sound.*at most 1000, and without circles",
    ),
    "a child of two": (
        lambda: of_trees(nodes_truenodeids=[2, 0, 0]), r"sound.*to be the child of one",
    ),
    "a node twice": (lambda: of_trees(nodes_nodeids=[0, 1, 1]), r"sound.*each node of a tree once"),
    "few nodes": (lambda: of_trees(nodes_treeids=[0]), r"sound.*expected 3 numbers, got 1"),
    "few turns for missing values": (
        lambda: of_trees(nodes_missing_value_tracks_true=[0]), r"sound.*expected 3 or none",
    ),
    "a circle of trees without leaves": (
        lambda: apart(nodes_truenodeids=[0], nodes_trueleafs=[0]), r"sound.*without circles",
    ),
    "a leaf beyond": (lambda: apart(nodes_truenodeids=[7]), r"sound.*expected leaves below 2"),
    "a root beyond": (lambda: apart(tree_roots=[7]), r"sound.*tree_roots: expected nodes below 1"),
    "a feature beyond the input": (
        lambda: of_trees(nodes_featureids=[4, 0, 0]),
        r"sound.*nodes_featureids: expected numbers below 4, got 4",
    ),
    "a feature before the input": (
        lambda: of_trees(nodes_featureids=[-1, 0, 0]), r"nodes_featureids: .*below 4, got -1",
    ),
    "a feature beyond a part of the input": (of_a_part, r"nodes_featureids: .*below 2, got 3"),
    "a feature beyond, apart": (
        lambda: apart(nodes_featureids=[1 << 40]), r"nodes_featureids: .*below 4, got 109951",
    ),
    "an output beyond": (
        lambda: of_trees(target_ids=[0, 1]), r"target_ids: expected numbers below 1, got 1",
    ),
    "an output before": (lambda: of_trees(target_ids=[0, -1]), r"target_ids: .*below 1, got -1"),
    "an output beyond, apart": (
        lambda: apart(leaf_targetids=[0, 7]), r"leaf_targetids: expected numbers below 1, got 7",
    ),
    "a class beyond": (of_classes, r"class_ids: expected numbers below 2, got 2"),
    "a tree too deep to walk": (deep, r"sound.*depth of at most 1000"),
    "few weights": (lambda: of_trees(target_weights=[1.0]), r"can be run"),
    "outputs without end": (lambda: regressor(10**9), r"at most 100000 outputs, got 1000000000"),
    "unlike numbers of rows": (unlike_rows, r"unlike numbers of rows.*free first axis"),
    "a tensor of few bytes": (short_tensor, r"is not (a sound ONNX model|an ONNX model)"),
    "a tensor of too many bytes": (large_tensor, r"is not (a sound ONNX model|an ONNX model)"),
    "rows turned into columns": (
        lambda: one("Transpose", made=[4, "n"]), r"output 'y'.*as many rows as the inputs",
    ),
    "a sum over the rows": (
        lambda: one("ReduceSum", made=[], keepdims=0), r"output 'y'.*as many rows as the inputs",
    ),
    "no rows": (lambda: one("Relu", shape=[], made=[]), r"is a single value: expected a free"),
    "a negative size": (lambda: one("Relu", shape=["n", -4], made=["n", 4]), r"sizes of 1 or more"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_it_is_refused(make: Callable[[], ModelProto | bytes], said: str, tmp_path: Path) -> None:
    assert re.search(said, refused(make(), tmp_path), re.DOTALL)


def test_no_other_file_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it lies beside the file, and from the folder that edgeship runs in."""
    model = mlp()
    weights = model.graph.initializer[0].raw_data
    (tmp_path / "weights.bin").write_bytes(weights)
    monkeypatch.chdir(tmp_path)
    assert "in another file" in refused(external(model, "weights.bin"), tmp_path)
    with pytest.raises(SourceError, match="in another file"):
        open_source(external(mlp(), "weights.bin"))


def test_more_than_a_file_of_onnx_can_hold_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.onnx"
    with path.open("wb") as file:
        file.truncate(3 << 30)
    with pytest.raises(SourceError, match=r"has 3221225472 bytes: expected at most 2147483647"):
        open_source(path)


@pytest.mark.parametrize("make", [of_trees, apart])
def test_sound_trees_are_taken(make: Callable[[], ModelProto]) -> None:
    rows = np.array([[0, 0, 0, 0], [1, 0, 0, 0]], np.float32)
    assert open_source(make()).predict({"x": rows})["y"].ravel().tolist() == [1.0, 2.0]


def test_features_of_leaves_have_no_meaning() -> None:
    rows = np.array([[0, 0, 0, 0], [1, 0, 0, 0]], np.float32)
    source = open_source(of_trees(nodes_featureids=[0, 9, 9]))
    assert source.predict({"x": rows})["y"].ravel().tolist() == [1.0, 2.0]


def test_words_that_are_no_text_do_not_end_it() -> None:
    tensor = TensorProto(name="c", data_type=TensorProto.STRING, dims=[1], string_data=[b"\xff"])
    same = helper.make_node("Equal", ["x", "c"], ["y"])
    given = helper.make_tensor_value_info("x", TensorProto.STRING, ["n"])
    made = helper.make_tensor_value_info("y", TensorProto.BOOL, ["n"])
    model = model_of([same], [given], [made], opset=19, ir=9)
    model.graph.initializer.append(tensor)
    assert open_source(model).predict({"x": np.array(["a", "b"])})["y"].tolist() == [False, False]


def test_functions_of_reasonable_depth_are_taken() -> None:
    assert open_source(calling(10, 2)).contract.outputs[0].shape == (None, 4)


@pytest.mark.parametrize("what", ["weights elsewhere", "no file of ONNX", "a map that is used"])
def test_the_command_leaves_with_2_and_no_traceback(what: str, tmp_path: Path) -> None:
    made = REFUSED[what][0]()
    path = tmp_path / "model.onnx"
    path.write_bytes(made if isinstance(made, bytes) else made.SerializeToString())
    output = tmp_path / "model.edgeship"
    done = edgeship("convert", path, "-o", output, "--no-cache")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert re.search(REFUSED[what][1], done.stderr.replace("\n", " "))
    assert not output.exists()


def test_a_damaged_file_is_refused_wherever_it_is_damaged(tmp_path: Path) -> None:
    """Each byte in turn, some of them: refused in words, or a model all the same."""
    data = cnn().SerializeToString()
    random = np.random.default_rng(0)
    for place in random.choice(len(data), 150, replace=False):
        damaged = bytearray(data)
        damaged[place] ^= int(random.integers(1, 256))
        path = tmp_path / "model.onnx"
        path.write_bytes(bytes(damaged))
        try:
            open_source(path)
        except SourceError as error:
            assert str(error)
