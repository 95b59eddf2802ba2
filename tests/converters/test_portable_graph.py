"""Graphs that other runtimes take: the trace, the operators replaced in it, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import pytest
import tensorflow as tf
from keras import layers
from tensorflow.core.protobuf import saved_model_pb2
from tf2onnx.optimizer.identity_optimizer import IdentityOptimizer

from edgeship_converters.artifact import Artifact, Task
from edgeship_converters.errors import StepError
from edgeship_converters.plan import reachable, take
from edgeship_converters.sources import open_source
from edgeship_converters.steps import savedmodel_to_onnx
from edgeship_converters.steps.known import known
from edgeship_converters.steps.onnx_optimizers import optimizers
from edgeship_converters.steps.portable import portable
from edgeship_runtime.engines import Engine
from edgeship_runtime.engines.litert import LiteRT
from edgeship_runtime.engines.onnx_runtime import OnnxRuntime


def forms(model: Any, folder: Path, formats: str = "savedmodel tflite onnx") -> dict[str, Artifact]:
    """The float forms of a model, through a file as any other's."""
    wanted = [f"{format}-float32" for format in formats.split()]
    model.save(folder / "model.keras")
    source: Any = open_source(folder / "model.keras")
    task = Task("model", source.contract, layers=tuple(layer.name for layer in source.layers))
    made: dict[str, Any] = {"keras": source}
    for step in reachable("keras").values():
        if step.start in made and step.variant in wanted:
            made[step.variant] = take(step, made[step.start], task)
    return {name: artifact for name, artifact in made.items() if name != "keras"}


def on(shape: tuple[int | None, ...], *made: Any) -> Any:
    return keras.Sequential([keras.Input(shape), *made])


@pytest.mark.parametrize(
    "build",
    [
        lambda: on((9, 8, 3), layers.Resizing(5, 4, interpolation="bicubic")),
        lambda: on((4, 4, 4, 2), layers.AveragePooling3D(2)),
        lambda: on((8, 4), layers.Conv1D(4, 3, groups=2), layers.Activation("gelu")),
        lambda: on((None, 3), layers.GRU(4, return_sequences=True)),
        lambda: on((6, 3), layers.LSTM(4)),
    ],
    ids=["resizing", "pooling", "groups", "loop", "unrolled"],
)
def test_a_graph_with_replaced_operators_is_the_same_bytes_every_time(
    build: Callable[[], Any], tmp_path: Path
) -> None:
    model = build()
    first, second = forms(model, tmp_path), forms(model, tmp_path)
    for name, artifact in first.items():
        assert artifact.files == second[name].files, name


def test_a_traced_model_is_left_as_it_was() -> None:
    model = on((40, 3), layers.Bidirectional(layers.LSTM(4)), layers.RandomHue(0.5))
    model.layers[1].value_range = (0, 255)
    lstm = model.layers[0].forward_layer
    before = (lstm.use_cudnn, lstm.unroll, keras.src.backend.rnn)
    with pytest.raises(ZeroDivisionError), portable(model._flatten_layers()):
        assert lstm.use_cudnn is False
        raise ZeroDivisionError
    assert (lstm.use_cudnn, lstm.unroll, keras.src.backend.rnn) == before


def test_inference_leaves_no_seeds_and_no_updates_in_the_saved_model(tmp_path: Path) -> None:
    model = on((6, 6, 3), layers.RandomSaturation(0.5), layers.Dense(2))
    saved = forms(model, tmp_path)["savedmodel-float32"]
    (graph,) = saved_model_pb2.SavedModel.FromString(saved.files["1/saved_model.pb"]).meta_graphs
    functions = [
        function
        for function in graph.graph_def.library.function
        if "traced_restore" not in function.signature.name
    ]
    kinds = {node.op for function in functions for node in function.node_def}
    assert "ReadVariableOp" in kinds
    assert "AssignVariableOp" not in kinds


def test_a_loop_s_outputs_hold_for_a_hundred_steps_and_for_one(tmp_path: Path) -> None:
    model = on((None, 3), layers.LSTM(4, return_sequences=True, go_backwards=True))
    made = forms(model, tmp_path)
    engines: list[Engine] = [
        LiteRT(made["tflite-float32"].data),
        OnnxRuntime(made["onnx-float32"].data),
    ]
    for steps in (100, 1):
        rows = np.random.default_rng(steps).normal(size=(3, steps, 3)).astype(np.float32)
        expected = np.asarray(model(rows))
        for engine in engines:
            (answer,) = engine.run({"x": rows}).values()
            np.testing.assert_allclose(answer, expected, rtol=1e-4, atol=1e-5)


def test_the_lowest_opset_that_serves_is_taken(tmp_path: Path) -> None:
    data = forms(on((3,), layers.Dense(2, activation="gelu")), tmp_path)["onnx-float32"].data
    model = onnx.load_from_string(data)
    assert {opset.domain: opset.version for opset in model.opset_import} == {"": 13}
    assert model.ir_version == 7


def test_a_higher_opset_is_taken_where_the_lowest_lacks_the_operator(tmp_path: Path) -> None:
    x = keras.Input((3,), dtype="int32", name="x")
    flipped = keras.ops.bitwise_invert(x)
    model = keras.Model(x, keras.ops.cast(flipped, "float32"))
    made = forms(model, tmp_path, "savedmodel onnx")["onnx-float32"].data
    (opset,) = onnx.load_from_string(made).opset_import
    assert opset.version == 18
    (answer,) = OnnxRuntime(made).run({"x": np.array([[0, 1, -5]], np.int32)}).values()
    np.testing.assert_array_equal(answer, [[-1, -2, 4]])


def test_an_optimizer_that_fails_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing(IdentityOptimizer):  # type: ignore[misc]
        """Removes a node that others need, and gives up."""

        def optimize(self, graph: Any, *_: Any) -> Any:
            graph.remove_node(graph.get_nodes()[0].name)
            raise RuntimeError("gave up")

    model = on((5,), layers.Dense(3, activation="relu"), layers.Dense(2))
    sound = forms(model, tmp_path, "savedmodel onnx")["onnx-float32"].data
    with_failing = {"failing": Failing, **optimizers()}
    monkeypatch.setattr(savedmodel_to_onnx, "optimizers", lambda: with_failing)
    data = forms(model, tmp_path, "savedmodel onnx")["onnx-float32"].data
    assert data == sound


@pytest.mark.parametrize("form", ["TFLite", "ONNX"])
def test_a_refusal_names_the_layer_the_operator_and_the_way_round(
    form: str, tmp_path: Path
) -> None:
    layer = layers.Hashing(5, name="my_hash")
    model = keras.Sequential([keras.Input((3,), dtype="int64"), layer])
    model.save(tmp_path / "model.keras")
    source: Any = open_source(tmp_path / "model.keras")
    task = Task("colours", source.contract, layers=("my_hash",))
    steps = reachable("keras")
    saved = take(steps["savedmodel-float32"], source, task)
    step = steps[f"{form.lower()}-float32"]
    with pytest.raises(StepError) as caught:
        take(step, saved, task)
    message = str(caught.value)
    assert message.startswith(f"colours cannot become {form}: layer 'my_hash' needs the operator ")
    assert message.endswith("do it by another layer, or leave it out with --variants")
    assert "\n" not in message
    assert len(message) <= 300


def test_what_is_known_hangs_on_sizes_and_constants_only() -> None:
    with tf.Graph().as_default():
        rows = tf.compat.v1.placeholder(tf.float32, [None, 6, 4])
        shape = tf.shape(rows)
        assert known(shape[1:] * 2).tolist() == [12, 8]  # type: ignore[union-attr]
        assert known(shape[0]) is None
        assert known(tf.reduce_max(rows)) is None
        limit = tf.minimum(5, tf.maximum(5, tf.cast(tf.reduce_max(rows), tf.int32)))
        assert known(limit) == 5
        assert known(tf.minimum(5, tf.maximum(4, tf.cast(tf.reduce_max(rows), tf.int32)))) is None
        free = tf.compat.v1.placeholder(tf.float32, [None, None])
        assert known(tf.shape(free)[1:]) is None
