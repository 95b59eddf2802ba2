"""An ONNX graph as its variants start from it: the contract's names, tensors only, any rows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from onnx import (
    GraphProto,
    ModelProto,
    NodeProto,
    TensorProto,
    helper,
    inliner,
    numpy_helper,
    shape_inference,
)

from edgeship_converters.errors import SourceError, in_a_line
from edgeship_converters.sources.onnx_checks import ML, OWN
from edgeship_converters.steps.canonical_onnx import graphs, rename
from edgeship_runtime.arrays import numpy_dtype
from edgeship_runtime.bundle import Contract


def inlined(model: ModelProto) -> ModelProto:
    """The model without functions of its own.

    Raises:
        SourceError: where these do not fit it.
    """
    if not model.functions:
        return model
    try:
        return inliner.inline_local_functions(model)
    except Exception as error:
        # The inliner raises whatever its C++ code does.
        raise SourceError(
            f"the functions of the ONNX model cannot be written out: {in_a_line(error)}; export it "
            "without functions"
        ) from error


def constants_held(model: ModelProto) -> ModelProto:
    """With each Constant of the main graph among those that it holds, where all look for them."""
    made = ModelProto()
    made.CopyFrom(model)
    graph = made.graph
    kept = GraphProto()
    for node in graph.node:
        tensor = _constant(node) if (node.domain in OWN and node.op_type == "Constant") else None
        if tensor is None:
            kept.node.append(node)
            continue
        graph.initializer.append(tensor)
        if made.ir_version < 4:
            graph.input.append(
                helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
            )
    del graph.node[:]
    graph.node.extend(kept.node)
    return made


def _constant(node: NodeProto) -> TensorProto | None:
    """What a Constant gives; None where none here knows its kind."""
    (name,) = node.output
    for attribute in node.attribute:
        value = helper.get_attribute_value(attribute)
        match attribute.name:
            case "value":
                tensor = TensorProto()
                tensor.CopyFrom(value)
                tensor.name = name
                return tensor
            case "value_int" | "value_ints":
                return numpy_helper.from_array(np.asarray(value, np.int64), name)
            case "value_float" | "value_floats":
                return numpy_helper.from_array(np.asarray(value, np.float32), name)
            case "value_string":
                return helper.make_tensor(name, TensorProto.STRING, [], [value])
            case "value_strings":
                return helper.make_tensor(name, TensorProto.STRING, [len(value)], value)
    return None


def unzipped(model: ModelProto) -> ModelProto:
    """With each map from class to probability that is an output as a matrix."""
    made = ModelProto()
    made.CopyFrom(model)
    ends = {value.name: value for value in made.graph.output}
    for node in made.graph.node:
        if (node.domain, node.op_type) == (ML, "ZipMap") and node.output[0] in ends:
            name = node.output[0]
            node.CopyFrom(helper.make_node("Identity", [node.input[0]], [name], node.name))
            ends[name].CopyFrom(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
    return made


def freed(model: ModelProto) -> ModelProto:
    """With a free first axis of every input.

    Raises:
        SourceError: where an output would still have a fixed one, by ONNX's shape inference.
    """
    made = ModelProto()
    made.CopyFrom(model)
    held = {tensor.name for tensor in made.graph.initializer}
    for value in made.graph.input:
        if value.name not in held:
            value.type.tensor_type.shape.dim[0].dim_param = "rows"
    del made.graph.value_info[:]
    for value in made.graph.output:
        value.type.tensor_type.ClearField("shape")
    try:
        inferred = shape_inference.infer_shapes(made, data_prop=True)
    except Exception as error:
        # Shape inference raises whatever its C++ code does.
        raise SourceError(
            f"the ONNX model's shapes do not fit together: {in_a_line(error)}"
        ) from error
    for value in inferred.graph.output:
        sizes = value.type.tensor_type.shape.dim
        if sizes and sizes[0].HasField("dim_value"):
            raise SourceError(fixed(value.name, sizes[0].dim_value))
    return made


def fixed(name: str, size: int | str) -> str:
    """The words for a file that takes one number of rows only."""
    return (
        f"the ONNX model was exported for a fixed number of rows, and its {name!r} keeps {size} "
        "where any number is given: export it with a free first axis, with "
        "torch.onnx.export(…, dynamic_axes={'x': {0: 'rows'}}) or what its exporter has for it"
    )


def renamed(
    model: ModelProto, inputs: Mapping[str, str], outputs: Mapping[str, str], contract: Contract
) -> ModelProto:
    """With the contract's names and shapes.

    Args:
        model: with tensors only, and a free first axis.
        inputs: the contract's names by the file's own.
        outputs: the same.
        contract: of the model.
    """
    made = ModelProto()
    made.CopyFrom(model)
    graph = made.graph
    held = {tensor.name for tensor in graph.initializer}
    if made.ir_version >= 4:
        kept = [value for value in graph.input if value.name in inputs]
        copies = GraphProto()
        copies.input.extend(kept)
        del graph.input[:]
        graph.input.extend(copies.input)
    _pack(graph)
    # Their names would have to change too, and nothing reads them.
    del graph.quantization_annotation[:]
    names = {**inputs}
    for value in graph.output:
        own = value.name
        if own in inputs or own in held:
            # A value that the graph was given is not made by a node, which an output's name needs.
            graph.node.append(helper.make_node("Identity", [own], [f"{outputs[own]}_passed_on"]))
            value.name = f"{outputs[own]}_passed_on"
            names[value.name] = outputs[own]
        else:
            names[own] = outputs[own]
    wanted = set(names.values())
    every = _every_name(graph)
    taken = every | wanted
    for name in sorted(every & wanted):
        if name not in names:
            new = name
            while new in taken:
                new += "_"
            names[name] = new
            taken.add(new)
    for inner in graphs(graph):
        rename(inner, names)
    specs = {spec.name: spec for spec in contract.outputs}
    for value in graph.output:
        spec = specs[value.name]
        element = (
            TensorProto.STRING
            if spec.dtype == "string"
            else helper.np_dtype_to_tensor_dtype(numpy_dtype(spec.dtype))
        )
        value.CopyFrom(helper.make_tensor_value_info(value.name, element, spec.shape))
    return made


def _pack(graph: GraphProto) -> None:
    """Hold numbers as bytes, which some exporters list one by one."""
    for tensor in graph.initializer:
        if tensor.data_type != TensorProto.STRING and not tensor.HasField("raw_data"):
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor), tensor.name))


def _every_name(graph: GraphProto) -> set[str]:
    names: set[str] = set()
    for inner in graphs(graph):
        names.update(value.name for value in (*inner.input, *inner.output))
        names.update(tensor.name for tensor in inner.initializer)
        for node in inner.node:
            names.update((*node.input, *node.output))
    return names
