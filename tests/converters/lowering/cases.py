"""One operator alone, and whether its lowering agrees with onnxruntime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import onnx
import onnxruntime
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from onnx import TensorProto, helper, numpy_helper

from edgeship_converters.steps.lowering.lower import lower
from edgeship_converters.steps.lowering.values import Words
from edgeship_converters.steps.onnx_words import words_met
from edgeship_runtime.arrays import Array

ML = "ai.onnx.ml"
ROWS = "rows"
_TYPES = {
    "float32": TensorProto.FLOAT,
    "float64": TensorProto.DOUBLE,
    "int32": TensorProto.INT32,
    "int64": TensorProto.INT64,
    "bool": TensorProto.BOOL,
    "string": TensorProto.STRING,
}
_UNKNOWN = "a word met nowhere"
EDGES = (0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, 1e-30, -1e-30, 1e30, -1e30)
TAME = (0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1e-30)


def near(most: float = 100.0, edges: Sequence[float] = TAME, *, nan: bool = False) -> Any:
    """Numbers up to a magnitude, special ones among them."""
    edges = (*edges, float("nan")) if nan else edges
    return st.one_of(
        st.sampled_from(edges), st.floats(-most, most, width=32, allow_subnormal=False)
    )


def some(*values: Any) -> Any:
    """One of these."""
    return st.sampled_from(values)


def _tame() -> Any:
    return near()


WIDE = near(1000.0, EDGES)
WITH_NAN = near(1000.0, EDGES, nan=True)


@dataclass(frozen=True, slots=True)
class Drawn:
    """An input of drawn values.

    Attributes:
        dtype: float32, float64, int32, int64, bool or string.
        shape: sizes, `ROWS` among them for the batch.
        values: of each entry.
    """

    dtype: str = "float32"
    shape: tuple[int | str, ...] = (ROWS, 3)
    values: Any = field(default_factory=_tame, compare=False)

    def of(self, rows: int) -> Any:
        """Arrays for a number of rows."""
        shape = tuple(rows if size == ROWS else int(size) for size in self.shape)
        if self.dtype == "string":
            count = int(np.prod(shape))
            listed = st.lists(self.values, min_size=count, max_size=count)
            return listed.map(lambda words: np.array(words, object).reshape(shape))
        return hnp.arrays(np.dtype(self.dtype), shape, elements=self._elements())

    def _elements(self) -> Any:
        if self.dtype == "bool":
            return st.booleans()
        if self.dtype.startswith("int"):
            return self.values.map(
                lambda value: int(np.clip(np.nan_to_num(value), -(2**31) + 128, 2**31 - 129))
            )
        return self.values


@dataclass(frozen=True, slots=True)
class Case:
    """One operator with its attributes, constants and inputs.

    Attributes:
        kind: the operator.
        inputs: drawn ones, constants, or None where an optional one is left out.
        attributes: by name.
        domain: empty for ai.onnx.
        opset: the version of the domain.
        outputs: how many are asked for.
        rtol: what a float may be off, in parts of it; float64 in a wide graph a thousandth of it.
        atol: what it may be off beside that.
        narrow: False where TFLite can have no such graph.
        empty: whether a batch of no rows is tried too, in the wide graph; LiteRT computes none,
            and `Model.predict` asks no engine for it.
        note: what the case is about, for its name.
    """

    kind: str
    inputs: tuple[Any, ...] = (Drawn(),)
    attributes: Mapping[str, Any] = field(default_factory=dict)
    domain: str = ""
    opset: int = 18
    outputs: int = 1
    rtol: float = 1e-5
    atol: float = 1e-6
    narrow: bool = True
    empty: bool = True
    note: str = ""

    def __str__(self) -> str:
        kinds = {drawn.dtype for drawn in self.drawn().values()}
        told = ",".join(
            f"{k}={v}"
            for k, v in self.attributes.items()
            if np.size(v) < 4 and not isinstance(v, onnx.GraphProto)
        )
        return "-".join(filter(None, [self.kind, *sorted(kinds), told, self.note]))

    def drawn(self) -> dict[str, Drawn]:
        """The inputs that are not constant, by name."""
        return {f"x{k}": given for k, given in enumerate(self.inputs) if isinstance(given, Drawn)}

    def model(self) -> onnx.ModelProto:
        """An ONNX model of nothing else."""
        names = [f"x{k}" if given is not None else "" for k, given in enumerate(self.inputs)]
        made = [f"y{k}" for k in range(self.outputs)]
        node = helper.make_node(self.kind, names, made, domain=self.domain, **self.attributes)
        graph = helper.make_graph(
            [node],
            "alone",
            [
                helper.make_tensor_value_info(name, _TYPES[given.dtype], given.shape)
                for name, given in self.drawn().items()
            ],
            [onnx.ValueInfoProto(name=name) for name in made],
            [
                numpy_helper.from_array(np.asarray(given), names[k])
                for k, given in enumerate(self.inputs)
                if given is not None and not isinstance(given, Drawn)
            ],
        )
        opsets = [helper.make_opsetid("", 18 if self.domain else self.opset)]
        if self.domain:
            opsets.append(helper.make_opsetid(self.domain, self.opset))
        return helper.make_model(graph, opset_imports=opsets, ir_version=9)

    def check(self, examples: int = 6) -> None:
        """Draw inputs, and compare both forms of the graph with onnxruntime."""
        exact, wide = _Onnxruntime(self.model()), _Wide(self)
        narrow = _Narrow(self) if self.narrow else None
        batched = any(ROWS in given.shape for given in self.drawn().values())

        def compare(arrays: dict[str, Array]) -> None:
            self._compare(exact(arrays), wide(arrays), fine=True)
            if narrow is not None:
                rounded = {name: _rounded(array) for name, array in arrays.items()}
                self._compare(exact(rounded), narrow(rounded), fine=False)

        if batched and self.empty:
            arrays = {name: _none(given) for name, given in self.drawn().items()}
            self._compare(exact(arrays), wide(arrays), fine=True)

        @settings(
            max_examples=examples if self.drawn() else 1,
            derandomize=True,
            deadline=None,
            database=None,
            # A case that fails does so in many ways; to seek the smallest takes minutes.
            phases=(Phase.explicit, Phase.generate),
            suppress_health_check=list(HealthCheck),
        )
        @given(st.data())
        def drawn(data: st.DataObject) -> None:
            rows = data.draw(st.sampled_from((1, 2, 5)))
            compare({name: data.draw(given.of(rows)) for name, given in self.drawn().items()})

        drawn()

    def _compare(self, wanted: list[Array], made: list[Any], *, fine: bool) -> None:
        assert len(wanted) == len(made)
        for right, ours in zip(wanted, made, strict=True):
            if isinstance(ours, Words):
                assert right.shape == np.shape(ours.places)
                held = [ours.known[k] if k >= 0 else _UNKNOWN for k in np.ravel(ours.places)]
                assert held == [w if w in ours.known else _UNKNOWN for w in right.ravel().tolist()]
                continue
            assert ours.shape == right.shape
            if ours.dtype.kind in "OS":
                words = [w.decode() if isinstance(w, bytes) else w for w in ours.ravel()]
                assert words == right.ravel().tolist()
                continue
            if fine:
                assert ours.dtype == right.dtype
            else:
                assert ours.dtype.kind == right.dtype.kind
            if right.dtype.kind == "f":
                small = 1e-3 if fine and right.dtype == np.float64 else 1.0
                np.testing.assert_allclose(
                    ours, right.astype(ours.dtype), rtol=self.rtol * small, atol=self.atol * small
                )
            else:
                np.testing.assert_array_equal(ours, right)


class _Onnxruntime:
    """The model as onnxruntime runs it."""

    def __init__(self, model: onnx.ModelProto) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 4
        self._session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, ["CPUExecutionProvider"]
        )

    def __call__(self, arrays: dict[str, Array]) -> list[Array]:
        return [np.asarray(made) for made in self._session.run(None, arrays)]


class _Wide:
    """The graph in ONNX's own types, called in TensorFlow."""

    def __init__(self, case: Case) -> None:
        self._model = case.model()
        specs = {
            name: tf.TensorSpec(_shape(given), tf.as_dtype(given.dtype), name=name)
            for name, given in case.drawn().items()
        }
        function = tf.function(self._serve, autograph=False)
        self._concrete = function.get_concrete_function(specs)

    def _serve(self, tensors: dict[str, Any]) -> list[Any]:
        made = lower(self._model, tensors, narrow=False)
        return [_output(value) for value in made.values()]

    def __call__(self, arrays: dict[str, Array]) -> list[Any]:
        given = {name: tf.constant(array) for name, array in arrays.items()}
        return [made.numpy() for made in self._concrete(**given)]


class _Narrow:
    """The graph for TFLite, converted with builtin operators only and run in LiteRT."""

    def __init__(self, case: Case) -> None:
        self._model = case.model()
        self._case = case
        self._words = {
            name: words_met(self._model, name)
            for name, given in case.drawn().items()
            if given.dtype == "string"
        }
        self._told: list[tuple[str, ...] | None] = []
        specs = {
            name: tf.TensorSpec(_shape(given), _narrow_type(given.dtype), name=name)
            for name, given in case.drawn().items()
        }
        function = tf.function(self._serve, autograph=False)
        concrete = function.get_concrete_function(specs)
        converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], tf.Module())
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        interpreter = Interpreter(model_content=converter.convert(), num_threads=1)
        self._interpreter = interpreter
        self._inputs = {
            detail["name"].removeprefix("serving_default_").split(":")[0]: detail
            for detail in interpreter.get_input_details()
        }
        details = interpreter.get_output_details()
        self._outputs = sorted(details, key=lambda d: (len(d["name"]), d["name"]))
        self._shapes: dict[str, tuple[int, ...]] = {}

    def _serve(self, tensors: dict[str, Any]) -> list[Any]:
        given = {
            name: Words(tensor, self._words[name]) if name in self._words else tensor
            for name, tensor in tensors.items()
        }
        made = list(lower(self._model, given, narrow=True).values())
        self._told[:] = [value.known if isinstance(value, Words) else None for value in made]
        return [_output(value.places if isinstance(value, Words) else value) for value in made]

    def __call__(self, arrays: dict[str, Array]) -> list[Any]:
        interpreter = self._interpreter
        fed = {name: self._fed(name, array) for name, array in arrays.items()}
        shapes = {name: array.shape for name, array in fed.items()}
        if shapes != self._shapes or not fed:
            for name, shape in shapes.items():
                interpreter.resize_tensor_input(self._inputs[name]["index"], shape)
            interpreter.allocate_tensors()
            self._shapes = shapes
        for name, array in fed.items():
            interpreter.set_tensor(self._inputs[name]["index"], array)
        interpreter.invoke()
        made = [interpreter.get_tensor(detail["index"]) for detail in self._outputs]
        return [
            Words(value, known) if known is not None else value
            for value, known in zip(made, self._told, strict=True)
        ]

    def _fed(self, name: str, array: Array) -> Array:
        if name not in self._words:
            return array.astype(np.float32) if array.dtype == np.float64 else array
        place = {word: k for k, word in enumerate(self._words[name])}
        held = [place.get(word, -1) for word in array.ravel().tolist()]
        return np.array(held, np.int32).reshape(array.shape)


def _shape(given: Drawn) -> list[int | None]:
    return [None if size == ROWS else int(size) for size in given.shape]


def _narrow_type(dtype: str) -> tf.DType:
    return {"string": tf.int32, "float64": tf.float32}.get(dtype, tf.as_dtype(dtype))


def _output(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.dtype.kind in "OUS":
        value = value.astype(object)
    return tf.identity(value)


def _rounded(array: Array) -> Array:
    return array.astype(np.float32).astype(np.float64) if array.dtype == np.float64 else array


def _none(given: Drawn) -> Array:
    shape = tuple(0 if size == ROWS else int(size) for size in given.shape)
    return np.zeros(shape, object if given.dtype == "string" else given.dtype)


doubled = partial(Drawn, "float64")
