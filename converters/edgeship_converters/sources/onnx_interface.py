"""What goes into an ONNX graph and what comes out, and what an output means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from onnx import (
    AttributeProto,
    ModelProto,
    NodeProto,
    TensorProto,
    ValueInfoProto,
    helper,
    numpy_helper,
)

from edgeship_converters.errors import SourceError
from edgeship_converters.sources.onnx_checks import ML, OWN
from edgeship_runtime.arrays import Array, dtype_name
from edgeship_runtime.bundle.manifest import DType, Role

Shape = tuple[int | None, ...]
_PASSING = ("Identity", "Cast", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Dropout")
_CLASSIFIERS = ("LinearClassifier", "SVMClassifier", "TreeEnsembleClassifier")
_REGRESSORS = ("LinearRegressor", "SVMRegressor", "TreeEnsembleRegressor")
_CLASSICAL = ("skl2onnx", "OnnxMLTools", "edgeship")
_CLASSES = ("classlabels_strings", "classlabels_int64s", "classlabels_ints")


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input or output of a graph, by its own name.

    Attributes:
        name: as the file has it.
        dtype: of the contract.
        shape: as the file has it, None for a free axis; None where it does not tell.
        zipped: the classes of an output that is a map from class to probability for each row.
    """

    name: str
    dtype: DType
    shape: Shape | None
    zipped: tuple[Any, ...] | None = None


def inputs_of(model: ModelProto) -> list[Tensor]:
    """The inputs, without those that the file has values for.

    Raises:
        SourceError: for one that is no tensor, or not of numbers or text.
    """
    held = {tensor.name for tensor in model.graph.initializer}
    found = [_tensor(value, "input") for value in model.graph.input if value.name not in held]
    if not found:
        raise SourceError("the ONNX model has no inputs: expected at least one")
    for tensor in found:
        if tensor.shape is None:
            raise SourceError(
                f"the input {tensor.name!r} of the ONNX model has no shape: expected one with a "
                "free first axis for the rows; export it with one"
            )
    return found


def outputs_of(model: ModelProto) -> list[Tensor]:
    """The outputs; a map from class to probability counts as the matrix that it was made of.

    Raises:
        SourceError: for one that is no tensor, or not of numbers or text.
    """
    nodes = makers(model)
    if not model.graph.output:
        raise SourceError("the ONNX model has no outputs: expected at least one")
    return [_output(value, nodes, model) for value in model.graph.output]


def _output(value: ValueInfoProto, nodes: dict[str, NodeProto], model: ModelProto) -> Tensor:
    node = nodes.get(value.name)
    if node is not None and (node.domain, node.op_type) == (ML, "ZipMap"):
        classes = _classes_in(node)
        taken = any(value.name in other.input for other in model.graph.node)
        if classes is not None and not taken:
            return Tensor(value.name, "float32", (None, len(classes)), classes)
    return _tensor(value, "output")


def _tensor(value: ValueInfoProto, what: str) -> Tensor:
    kind = value.type.WhichOneof("value")
    if kind != "tensor_type":
        held = str(kind).removesuffix("_type")
        remedy = (
            "convert the scikit-learn model with skl2onnx's options={'zipmap': False}"
            if held in ("sequence", "map")
            else "export the model on dense tensors"
        )
        raise SourceError(
            f"the {what} {value.name!r} of the ONNX model is a {held}, expected a tensor: {remedy}"
        )
    tensor = value.type.tensor_type
    shape = None
    if tensor.HasField("shape"):
        shape = tuple(
            size.dim_value if size.HasField("dim_value") else None for size in tensor.shape.dim
        )
        if any(size is not None and size < 1 for size in shape):
            raise SourceError(
                f"the {what} {value.name!r} of the ONNX model has the shape {shape}: expected "
                "sizes of 1 or more, or free ones"
            )
    return Tensor(value.name, _dtype(value.name, tensor.elem_type), shape)


def _dtype(name: str, element: int) -> DType:
    if element == TensorProto.STRING:
        return "string"
    known = element in TensorProto.DataType.values()
    word = TensorProto.DataType.Name(element).lower() if known else f"type {element}"
    try:
        dtype = helper.tensor_dtype_to_np_dtype(element)
        # What numpy has no type for, onnx holds in another.
        if helper.np_dtype_to_tensor_dtype(dtype) == element and dtype.isbuiltin == 1:
            return dtype_name(dtype)
    except (KeyError, ValueError):
        pass
    raise SourceError(
        f"the tensor {name!r} of the ONNX model is of {word}: edgeship converts models over "
        "ordinary numbers and text"
    )


def makers(model: ModelProto) -> dict[str, NodeProto]:
    """The node that makes each value."""
    return {name: node for node in model.graph.node for name in node.output if name}


def maker(name: str, nodes: dict[str, NodeProto]) -> NodeProto | None:
    """The node that computes a value, seen through what only changes its type or shape."""
    node = nodes.get(name)
    while node is not None and node.domain in OWN and node.op_type in _PASSING:
        node = nodes.get(node.input[0])
    return node


def classes_of(model: ModelProto, label: Tensor) -> tuple[Any, ...] | None:
    """The classes that a label is one of; None where the graph does not tell.

    They stand in a classifier of ai.onnx.ml, or are a constant that a place is looked up in.
    """
    nodes = makers(model)
    node = maker(label.name, nodes)
    if node is None:
        return None
    if (
        node.domain == ML
        and node.op_type in _CLASSIFIERS
        and _through(label.name, nodes) == node.output[0]
    ):
        return _as(_classes_in(node), label.dtype)
    if node.op_type in ("ArrayFeatureExtractor", "Gather"):
        place = maker(node.input[1], nodes)
        table = _constant(model, node.input[0])
        if table is not None and place is not None and place.op_type == "ArgMax":
            return _as(tuple(table.ravel().tolist()), label.dtype)
    return None


def is_most_likely(model: ModelProto, label: Tensor) -> bool:
    """Whether a label is the place of the largest score."""
    node = maker(label.name, makers(model))
    return node is not None and node.domain in OWN and node.op_type == "ArgMax"


def role_alone(model: ModelProto, output: Tensor, shape: Shape) -> Role:
    """What the only output of a model means."""
    node = maker(output.name, makers(model))
    if node is None or None in shape[1:] or not output.dtype.startswith("float"):
        return "tensor"
    if node.domain == ML and node.op_type in _REGRESSORS:
        return "value"
    if node.domain not in OWN or len(shape) != 2:
        return "tensor"
    scores = node.op_type == "Softmax" or (node.op_type == "Sigmoid" and shape[1] == 1)
    return "probabilities" if scores else "tensor"


def looks_at_missing(model: ModelProto) -> bool:
    """Whether anything in a graph tells NaN from numbers."""
    for node in model.graph.node:
        if (node.domain, node.op_type) in ((ML, "Imputer"), ("", "IsNaN")):
            return True
        for attribute in node.attribute:
            if attribute.name == "nodes_missing_value_tracks_true" and any(attribute.ints):
                return True
    return False


def is_classical(model: ModelProto) -> bool:
    """Whether smaller formats may leave a model as it is: see `Task.classical`.

    They shrink matrices of float32, which trees, tables, and networks in float64 have none of.
    """
    single = any(tensor.data_type == TensorProto.FLOAT for tensor in model.graph.initializer)
    ml = any(node.domain == ML for node in model.graph.node)
    return ml or not single or model.producer_name in _CLASSICAL


def _through(name: str, nodes: dict[str, NodeProto]) -> str:
    """The value that a value is another type or shape of."""
    node = nodes.get(name)
    while node is not None and node.domain in OWN and node.op_type in _PASSING:
        name = node.input[0]
        node = nodes.get(name)
    return name


def _classes_in(node: NodeProto) -> tuple[Any, ...] | None:
    for attribute in node.attribute:
        if attribute.name in _CLASSES and (attribute.strings or attribute.ints):
            if attribute.type == AttributeProto.STRINGS:
                return tuple(item.decode(errors="replace") for item in attribute.strings)
            return tuple(attribute.ints)
    return None


def _constant(model: ModelProto, name: str) -> Array | None:
    for tensor in model.graph.initializer:
        if tensor.name == name:
            return numpy_helper.to_array(tensor)
    return None


def _as(classes: Sequence[Any] | None, dtype: DType) -> tuple[Any, ...] | None:
    """Classes in the label's own type; None where they have none such."""
    if not classes or len(set(classes)) < len(classes):
        return None
    if dtype == "string":
        return tuple(str(value) for value in classes)
    if any(isinstance(value, str | bytes) for value in classes):
        return None
    return tuple(np.asarray(classes).astype(dtype).tolist())
