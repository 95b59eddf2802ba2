"""An ONNX graph in the making: operators are called by name, numpy arrays are constants."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, helper
from onnx import numpy_helper as numpy_onnx

from edgeship_runtime.arrays import Array

if TYPE_CHECKING:
    from edgeship_converters.steps.classical.answers import Answers
    from edgeship_converters.steps.classical.rows import Rows

ML = "ai.onnx.ml"
# Opset 15 is read by onnxruntime 1.10 and later; the classical operators are those of version 3,
# or of the first version that has trees in few bytes.
OPSETS = {"": 15, ML: 3}
_COMPACT = 5
_IR = 8


class Graph:
    """Collects nodes; `graph.Add(x, 1.0)` adds an ONNX Add and gives the name of its result.

    An argument that is a `str` names a value; arrays and numbers become constants, floats among
    them in the precision that the graph computes in at that moment.

    Attributes:
        real: that precision, float32 or float64.
        missing: whether the model's rows may hold missing values (NaN).
        compact: whether trees that can go into the operator of few bytes, which only newer
            runtimes have, and not beside the older ones.
        own: classes that the user has converters for, whose steps are not folded into others.
        part: the model at hand, which names the nodes that it adds where converters of the user's
            own take part: their operators need not be known here.
        answer: converts a model inside the model at hand; see `dispatch`.
    """

    def __init__(self, *, compact: bool = False) -> None:
        self.compact = compact
        self.real: np.dtype[Any] = np.dtype(np.float32)
        self.missing = False
        self.own: frozenset[str] = frozenset()
        self.part = ""
        self.answer: Callable[[Any, Rows], Answers]
        self._nodes: list[NodeProto] = []
        self._constants: dict[tuple[Any, ...], str] = {}
        self._tensors: list[TensorProto] = []
        self._count = 0
        self._singles: dict[str, str] = {}

    def __getattr__(self, operator: str) -> Callable[..., str]:
        if not operator[:1].isupper():
            raise AttributeError(operator)

        def call(*inputs: Any, **attributes: Any) -> str:
            (name,) = self.node(operator, *inputs, **attributes)
            return name

        return call

    def node(
        self, operator: str, *inputs: Any, outputs: int = 1, domain: str = "", **attributes: Any
    ) -> tuple[str, ...]:
        """Add a node and give the names of its results; an input of None is left out."""
        self._count += 1
        names = [f"{operator}_{self._count}" + (f"_{i}" if i else "") for i in range(outputs)]
        given = ["" if value is None else self.value(value) for value in inputs]
        part = f"{self.part}/{names[0]}" if self.own else None
        made = helper.make_node(operator, given, names, domain=domain, name=part, **attributes)
        self._nodes.append(made)
        return tuple(names)

    def value(self, given: Any) -> str:
        """The name of a value: as it is, or of the constant that an array or number becomes."""
        if isinstance(given, str):
            return given
        array = np.asarray(given)
        if array.dtype.kind == "f":
            return self.exactly(array.astype(self.real))
        if array.dtype.kind in "iu":
            array = array.astype(np.int64)
        elif array.dtype.kind in "UO":
            array = array.astype(object)
        return self.exactly(array)

    def exactly(self, array: Array) -> str:
        """The name of a constant in an array's own dtype, whatever the graph computes in."""
        content = tuple(array.ravel()) if array.dtype == object else array.tobytes()
        key = (array.dtype.str, array.shape, content)
        if key not in self._constants:
            name = f"constant_{len(self._constants)}"
            self._constants[key] = name
            self._tensors.append(numpy_onnx.from_array(array, name))
        return self._constants[key]

    def cast(self, value: str, dtype: Any = None) -> str:
        """A value as another type; as the graph's own reals, where none is named."""
        to = np.dtype(dtype or self.real)
        if to == np.float32 and value in self._singles:
            return self._singles[value]
        return self.Cast(value, to=helper.np_dtype_to_tensor_dtype(to))

    @contextmanager
    def computing_in(self, real: Any) -> Iterator[None]:
        """Let floats become constants of another precision for a while."""
        before, self.real = self.real, np.dtype(real)
        try:
            yield
        finally:
            self.real = before

    def widened(self, single: str) -> str:
        """A float32 value as the graph's own reals; cast to float32 again, it is itself."""
        if self.real == np.float32:
            return single
        wide = self.cast(single)
        self._singles[wide] = single
        return wide

    def inline(self, other: GraphProto, inputs: dict[str, str]) -> list[str]:
        """Add all of another graph, its inputs joined to values of this one; its output names."""
        self._count += 1
        prefix = f"inner_{self._count}_"
        known = dict(inputs)

        def renamed(name: str) -> str:
            return known.get(name, prefix + name if name else "")

        for tensor in other.initializer:
            kept = TensorProto()
            kept.CopyFrom(tensor)
            kept.name = renamed(tensor.name)
            self._tensors.append(kept)
        for node in other.node:
            copied = NodeProto()
            copied.CopyFrom(node)
            copied.input[:] = [renamed(name) for name in node.input]
            copied.output[:] = [renamed(name) for name in node.output]
            copied.name = ""
            self._nodes.append(copied)
        return [renamed(output.name) for output in other.output]

    def model(
        self, name: str, inputs: Sequence[ValueInfoProto], outputs: dict[str, tuple[str, int, Any]]
    ) -> ModelProto:
        """The model whose outputs are the values named, with all that no output needs left out.

        Args:
            name: of the graph.
            inputs: of the graph.
            outputs: by output name the value, its element type and its shape.
        """
        ends = [
            helper.make_node("Identity", [value], [output])
            for output, (value, _, _) in outputs.items()
        ]
        needed = {name for node in ends for name in node.input}
        kept: list[NodeProto] = []
        for node in reversed(self._nodes):
            if needed.intersection(node.output):
                needed.update(node.input)
                kept.append(node)
        graph = helper.make_graph(
            [*reversed(kept), *ends],
            name,
            list(inputs),
            [
                helper.make_tensor_value_info(output, kind, shape)
                for output, (_, kind, shape) in outputs.items()
            ],
            [tensor for tensor in self._tensors if tensor.name in needed],
        )
        _without_copies(graph)
        newer = any(node.op_type == "TreeEnsemble" for node in graph.node)
        opsets = OPSETS | {ML: _COMPACT} if newer else OPSETS
        imports = [helper.make_opsetid(domain, version) for domain, version in opsets.items()]
        return helper.make_model(
            graph, opset_imports=imports, ir_version=_IR, producer_name="edgeship"
        )


def _without_copies(graph: GraphProto) -> None:
    """Let the node that computes an output carry its name, wherever nothing else forbids it."""
    own = {value.name for value in (*graph.input, *graph.output)}
    own.update(tensor.name for tensor in graph.initializer)
    renamed: dict[str, str] = {}
    kept = []
    for node in graph.node:
        source = node.input[0] if node.op_type == "Identity" else ""
        if node.output[0] in own and source and source not in own and source not in renamed:
            renamed[source] = node.output[0]
        else:
            kept.append(node)
    for node in kept:
        node.input[:] = [renamed.get(name, name) for name in node.input]
        node.output[:] = [renamed.get(name, name) for name in node.output]
    del graph.node[:]
    graph.node.extend(kept)
