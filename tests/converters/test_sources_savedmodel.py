"""SavedModel folders as sources: by name, and only if they compute and nothing else."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from tensorflow.core.protobuf import saved_model_pb2

from edgeship_converters import convert
from edgeship_converters.errors import SourceError
from edgeship_converters.sources import default_name, open_source
from edgeship_runtime.model import load
from tests.converters.served import assert_served, savedmodel

ROWS = np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32)
ROW = tf.TensorSpec([None, 3], tf.float32, name="row")


class Linear(tf.Module):  # type: ignore[misc]
    """Weights, and functions over them that are not in the order of their names."""

    def __init__(self) -> None:
        super().__init__()
        self.unused = tf.Variable(tf.ones([4]))
        self.weights = tf.Variable([[1.0, -2.0], [0.5, 3.0], [2.0, 0.1]])
        self.bias = tf.Variable([1.0, 2.0])

    @tf.function(input_signature=[ROW])  # type: ignore[untyped-decorator]
    def both(self, row: Any) -> Any:
        return {"zeta": row @ self.weights + self.bias, "alpha": tf.reduce_sum(row, 1)}

    @tf.function(input_signature=[ROW])  # type: ignore[untyped-decorator]
    def scores(self, row: Any) -> Any:
        return {"scores": tf.nn.softmax(row @ self.weights)}


def saved(folder: Path, function: Any, module: Any = None) -> Path:
    """A folder with `function` as its only signature."""
    concrete = tf.function(function, input_signature=[ROW]) if module is None else function
    tf.saved_model.save(module or tf.Module(), str(folder), signatures=concrete)
    return folder


def test_the_signature_s_names_are_kept(tmp_path: Path) -> None:
    module = Linear()
    source: Any = open_source(saved(tmp_path / "m", module.both, module))
    assert source.kind == "tensorflow"
    assert source.layers == []
    assert [spec.name for spec in source.contract.inputs] == ["row"]
    got = assert_served(source, {"row": ROWS}, tmp_path / "out")
    np.testing.assert_allclose(got["zeta"], ROWS @ module.weights + module.bias, rtol=1e-5)
    np.testing.assert_allclose(got["alpha"], ROWS.sum(1), rtol=1e-5, atol=1e-6)


def test_every_float_variant_is_made_of_a_savedmodel(tmp_path: Path) -> None:
    module = Linear()
    folder = saved(tmp_path / "flowers" / "1", module.both, module).parent
    wanted = ("savedmodel-float32", "tflite-float32", "onnx-float32")
    bundle = convert(folder, tmp_path / "b", variants=wanted)
    for variant in wanted:
        got = load(bundle, variant).predict({"row": ROWS})
        np.testing.assert_allclose(
            got["zeta"], ROWS @ module.weights + module.bias, rtol=1e-4, atol=1e-5
        )
        np.testing.assert_allclose(got["alpha"], ROWS.sum(1), rtol=1e-4, atol=1e-5)


def test_the_latest_version_of_a_serving_folder_is_taken(tmp_path: Path) -> None:
    module = Linear()
    saved(tmp_path / "m" / "9", module.both, module)
    saved(tmp_path / "m" / "10", module.scores, module)
    source = open_source(tmp_path / "m")
    assert [spec.name for spec in source.contract.outputs] == ["scores"]
    assert source.sha256 == open_source(tmp_path / "m" / "10").sha256
    assert default_name(tmp_path / "m" / "10") == default_name(tmp_path / "m") == "m"


@pytest.mark.parametrize(
    ("last", "width", "role"),
    [
        (tf.nn.softmax, 3, "probabilities"),
        (tf.nn.sigmoid, 1, "probabilities"),
        (tf.nn.sigmoid, 3, "tensor"),
        (tf.nn.relu, 3, "tensor"),
        (tf.identity, 1, "tensor"),
    ],
)
def test_the_last_operator_tells_what_the_output_means(
    last: Any, width: int, role: str, tmp_path: Path
) -> None:
    folder = saved(tmp_path / "m", lambda row: {"y": tf.identity(last(row[:, :width]))})
    contract = open_source(folder).contract
    assert contract.outputs[0].role == role
    assert contract.task == ("classification" if role == "probabilities" else "other")


def test_what_keras_exports_is_taken(tmp_path: Path) -> None:
    inputs = keras.Input((3,), name="row")
    model = keras.Model(inputs, layers.Dense(2, activation="softmax")(inputs))
    model.export(tmp_path / "m", verbose=False)
    source = open_source(tmp_path / "m")
    assert source.contract.outputs[0].role == "probabilities"
    got = assert_served(source, {"row": ROWS}, tmp_path / "out")
    np.testing.assert_allclose(got["output_0"], model.predict(ROWS, verbose=0), rtol=1e-5)


def test_what_tensorflow_1_saved_is_taken(tmp_path: Path) -> None:
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        row = v1.placeholder(tf.float32, [None, 3], name="row")
        weights = v1.get_variable("w", initializer=np.ones((3, 2), np.float32))
        session.run(v1.global_variables_initializer())
        v1.saved_model.simple_save(
            session, str(tmp_path / "m"), {"row:0": row}, {"y": tf.nn.softmax(row @ weights)}
        )
    source = open_source(tmp_path / "m")
    assert [spec.name for spec in source.contract.inputs] == ["row_0"]
    got = assert_served(source, {"row_0": ROWS}, tmp_path / "out")
    np.testing.assert_allclose(got["y"], np.full((7, 2), 0.5), rtol=1e-6)


def test_a_table_s_file_goes_with_the_model(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("red\ngreen\n")
    module = tf.Module()
    index = tf.lookup.TextFileIndex
    module.table = tf.lookup.StaticHashTable(
        tf.lookup.TextFileInitializer(
            str(tmp_path / "words.txt"),
            tf.string,
            index.WHOLE_LINE,
            tf.int64,
            index.LINE_NUMBER,
        ),
        -1,
    )
    word = tf.TensorSpec([None], tf.string, name="word")
    function = tf.function(lambda word: {"id": module.table.lookup(word)}, input_signature=[word])
    tf.saved_model.save(module, str(tmp_path / "m"), signatures=function)
    artifact = savedmodel(open_source(tmp_path / "m"))
    assert artifact.files["1/assets/words.txt"] == b"red\ngreen\n"
    shutil.rmtree(tmp_path / "m")
    (tmp_path / "words.txt").unlink()
    artifact.write_to(tmp_path / "out")
    script = (
        "import sys, tensorflow as tf; model = tf.saved_model.load(sys.argv[1]);"
        "ids = model.signatures['serving_default'](word=tf.constant(['green', 'x', 'red']))['id'];"
        "assert ids.numpy().tolist() == [1, -1, 0], ids"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "out" / "1")], check=True)


def test_a_savedmodel_gives_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    inputs = keras.Input((3,), name="row")
    word = keras.Input((1,), dtype="string", name="word")
    body = layers.BatchNormalization()(layers.Dense(4, activation="relu")(inputs))
    looked_up = [layers.StringLookup(vocabulary=known)(word) for known in (["a"], ["b", "c"])]
    model = keras.Model([inputs, word], [layers.Dense(2)(body), layers.Dense(3)(body), *looked_up])
    model.export(tmp_path / "m", verbose=False)
    script = (
        "import sys; from pathlib import Path; from edgeship_converters.sources import open_source;"
        "from tests.converters.served import savedmodel;"
        "savedmodel(open_source(sys.argv[1])).write_to(Path(sys.argv[2]))"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "m"), str(tmp_path / "out")]
    subprocess.run(command, check=True)
    here = savedmodel(open_source(tmp_path / "m")).files
    there = {name: (tmp_path / "out" / name).read_bytes() for name in here}
    assert there == here


def test_variables_that_the_signature_does_not_use_are_left_behind(tmp_path: Path) -> None:
    module = Linear()
    saved(tmp_path / "m", module.both, module)
    savedmodel(open_source(tmp_path / "m")).write_to(tmp_path / "out")
    kept = tf.train.list_variables(str(tmp_path / "out" / "1" / "variables" / "variables"))
    shapes = [shape for name, shape in kept if name.startswith("variables_in_order")]
    assert sorted(shapes) == [[2], [3, 2]]


def test_python_and_files_in_a_graph_are_refused_before_loading(tmp_path: Path) -> None:
    def write(row: Any) -> Any:
        tf.io.write_file(str(tmp_path / "written"), "x")
        return {"y": row}

    def read(row: Any) -> Any:
        size = tf.strings.length(tf.io.read_file("/etc/hostname"))
        return {"y": row + tf.cast(size, tf.float32)}

    def python(row: Any) -> Any:
        return {"y": tf.ensure_shape(tf.numpy_function(lambda x: x, [row], tf.float32), [None, 3])}

    def print_to_file(row: Any) -> Any:
        tf.print(row, output_stream=f"file://{tmp_path / 'written'}")
        return {"y": row}

    for operator, function in (
        ("WriteFile", write),
        ("ReadFile", read),
        ("PyFunc", python),
        ("PrintV2", print_to_file),
    ):
        folder = saved(tmp_path / operator, function)
        with pytest.raises(SourceError, match=rf"holds the operator {operator} .*only computes"):
            open_source(folder)
    assert not (tmp_path / "written").exists()


def test_a_signature_that_saves_checkpoints_is_refused(tmp_path: Path) -> None:
    def save(row: Any) -> Any:
        path = str(tmp_path / "written")
        tf.raw_ops.SaveV2(prefix=path, tensor_names=["r"], shape_and_slices=[""], tensors=[row])
        return {"y": row}

    folder = saved(tmp_path / "m", save)
    with pytest.raises(SourceError, match=r"in the function .*SaveV2.* is not loaded"):
        open_source(folder)
    assert not list(tmp_path.glob("written*"))


@pytest.mark.parametrize("path", ["../../secret.txt", "/etc/hostname", "a/../../b.txt"])
def test_an_asset_outside_the_folder_is_refused(path: str, tmp_path: Path) -> None:
    folder = saved(tmp_path / "m", lambda row: {"y": row * 2})
    message = saved_model_pb2.SavedModel()
    message.ParseFromString((folder / "saved_model.pb").read_bytes())
    message.meta_graphs[0].asset_file_def.add(filename=path)
    (folder / "saved_model.pb").write_bytes(message.SerializeToString())
    with pytest.raises(SourceError, match="outside its folder, and is not loaded"):
        open_source(folder)


def test_a_table_filled_from_a_fixed_path_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("red\n")

    def fill(row: Any) -> Any:
        table = tf.raw_ops.HashTableV2(key_dtype=tf.string, value_dtype=tf.int64)
        tf.raw_ops.InitializeTableFromTextFileV2(
            table_handle=table,
            filename=tf.constant(str(tmp_path / "secret.txt")),
            key_index=-2,
            value_index=-1,
        )
        return {"y": row}

    with pytest.raises(SourceError, match=r"a file of a fixed path .* not loaded"):
        open_source(saved(tmp_path / "m", fill))


@pytest.fixture
def two_signatures(tmp_path: Path) -> Path:
    """A folder with the signatures a and b."""
    module = Linear()
    signatures = {"b": module.both, "a": module.scores}
    tf.saved_model.save(module, str(tmp_path / "m"), signatures=signatures)
    return tmp_path / "m"


def test_several_signatures_without_a_default_are_listed(two_signatures: Path) -> None:
    with pytest.raises(SourceError, match="signatures a, b: choose one with --signature"):
        open_source(two_signatures)


def test_a_signature_is_chosen_by_its_name(two_signatures: Path, tmp_path: Path) -> None:
    for name, outputs in (("a", {"scores"}), ("b", {"zeta", "alpha"})):
        source = open_source(two_signatures, signature=name)
        assert set(assert_served(source, {"row": ROWS}, tmp_path / name)) == outputs
    with pytest.raises(SourceError, match="no signature 'c': choose among a, b"):
        open_source(two_signatures, signature="c")


def test_each_signature_has_outcomes_of_its_own_in_the_cache(
    two_signatures: Path, tmp_path: Path
) -> None:
    for name, outputs in (("a", ["scores"]), ("b", ["alpha", "zeta"])):
        options = {"variants": "tflite-float32", "signature": name}
        bundle = convert(two_signatures, tmp_path / f"{name}.edgeship", **options)
        assert sorted(spec.name for spec in bundle.manifest.outputs) == outputs


def test_the_only_signature_is_taken_whatever_its_name(tmp_path: Path) -> None:
    module = Linear()
    tf.saved_model.save(module, str(tmp_path / "m"), signatures={"guess": module.scores})
    assert_served(open_source(tmp_path / "m"), {"row": ROWS}, tmp_path / "out")


def test_a_signature_for_one_batch_size_is_refused(tmp_path: Path) -> None:
    spec = tf.TensorSpec([1, 3], tf.float32, name="row")
    function = tf.function(lambda row: {"y": row * 2.0}, input_signature=[spec])
    tf.saved_model.save(tf.Module(), str(tmp_path / "m"), signatures=function)
    with pytest.raises(SourceError, match=r"'row'.*\[1, 3\].*free first axis"):
        open_source(tmp_path / "m")


def test_an_output_without_rows_is_refused(tmp_path: Path) -> None:
    folder = saved(tmp_path / "m", lambda row: {"total": tf.reduce_sum(row)})
    with pytest.raises(SourceError, match=r"'total'.*as many rows"):
        open_source(folder)


@pytest.mark.parametrize("content", [b"", b"hello"])
def test_damaged_folders_are_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(content)
    with pytest.raises(SourceError) as caught:
        open_source(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_folder_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no SavedModel: expected saved_model\.pb"):
        open_source(tmp_path)
