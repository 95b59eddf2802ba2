"""What goes into a Keras model and what comes out, however its author nested it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgeship_converters.errors import SourceError
from edgeship_converters.sources.nesting import joined, leaves, map_leaves
from edgeship_runtime.arrays import dtype_name

# Names that Keras gives when the author gave none; they change with every model built before.
_UNNAMED_INPUT = re.compile(r"(keras_tensor|input_layer|input)(_?\d+)?")
_NOT_INPUTS = ("self", "training", "mask")


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input or output.

    Attributes:
        name: that its author, or else Keras, gave it.
        dtype: as Keras names it.
        shape: None for a free axis; the batch comes first.
        layer: that makes an output; None for inputs, and where it is not known.
    """

    name: str
    dtype: str
    shape: tuple[int | None, ...]
    layer: Any = None

    @property
    def activation(self) -> str | None:
        """The name of the last activation: 'linear' for none, None where it is not known."""
        if self.layer is None:
            return None
        if type(self.layer).__name__ == "Softmax":
            return "softmax"
        activation = getattr(self.layer, "activation", None)
        name = getattr(activation, "__name__", type(activation).__name__)
        return None if activation is None else str(name).lower()


@dataclass(frozen=True, slots=True)
class Interface:
    """The inputs and outputs of a model, in their nesting.

    Attributes:
        inputs: nested `Tensor`s.
        outputs: nested `Tensor`s; None where only a trace can tell.
        by_keyword: whether `inputs` is a dict of several arguments, not the first one.
    """

    inputs: Any
    outputs: Any = None
    by_keyword: bool = False

    @property
    def fixed_batch(self) -> int | None:
        """The number of rows that the model was built for, if it was for one number only."""
        sizes = [tensor.shape[0] for tensor in leaves(self.inputs).values() if tensor.shape]
        return next((size for size in sizes if size is not None), None)


def functional_interface(inputs: Any, outputs: Any) -> Interface:
    """The interface of a Sequential or Functional model, from its symbolic tensors.

    Inputs and outputs that the author put into a dict are called by its keys, other inputs by
    their own names, other outputs by the layers that make them.

    Raises:
        SourceError: for tensors of a kind that no contract can hold.
    """

    def name_input(path: tuple[str | int, ...], tensor: Any) -> Tensor:
        keyed = bool(path) and isinstance(path[-1], str)
        name = joined(path) if keyed else str(tensor.name)
        if not path and _UNNAMED_INPUT.fullmatch(name):
            name = "x"
        return _tensor(tensor, name)

    def name_output(path: tuple[str | int, ...], tensor: Any) -> Tensor:
        layer = tensor._keras_history[0]
        keyed = any(isinstance(key, str) for key in path)
        name = joined(path) if keyed else str(layer.name)
        if not path and _named_by_keras(layer):
            name = ""
        return _tensor(tensor, name, layer=_innermost(tensor))

    named = map_leaves(name_input, inputs)
    only = list(leaves(named).values())
    if len(only) == 1 and _UNNAMED_INPUT.fullmatch(only[0].name):
        named = map_leaves(lambda path, t: Tensor("x", t.dtype, t.shape), named)
    made = map_leaves(name_output, outputs)
    if isinstance(outputs, list | tuple) and len(outputs) == 1 and not isinstance(outputs[0], dict):
        made = map_leaves(lambda path, t: name_output((), leaves(outputs)[path]), made)
    return Interface(named, made)


def argument_interface(call: Callable[..., Any], shapes: Any, dtype: str) -> Interface:
    """The interface of a subclassed model, from the shapes that its first argument was built on.

    Inputs in a dict are called by its keys, others by the argument of `call`.

    Raises:
        SourceError: where `call` needs arguments besides the first.
    """
    parameters = [
        parameter
        for name, parameter in inspect.signature(call).parameters.items()
        if name not in _NOT_INPUTS
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
    needed = [parameter.name for parameter in parameters if parameter.default is parameter.empty]
    if len(needed) > 1:
        raise SourceError(
            f"the model's call takes the arguments {', '.join(needed)}, and Keras keeps the shape "
            "of the first only: take the inputs as one dict, call(self, inputs)"
        )
    argument = parameters[0].name if parameters else "x"

    def name_input(path: tuple[str | int, ...], shape: Any) -> Tensor:
        keyed = any(isinstance(key, str) for key in path)
        name = joined(path) if keyed else joined((argument, *path))
        return Tensor(name, dtype, (None, *shape[1:]))

    return Interface(map_leaves(name_input, shapes, is_leaf=is_shape))


def is_shape(item: Any) -> bool:
    """Whether something nested is a shape, which is a tuple or list itself."""
    return isinstance(item, list | tuple) and all(
        size is None or isinstance(size, int) for size in item
    )


def checked_dtype(name: str, dtype: Any) -> Any:
    """The contract's name for a TensorFlow or Keras dtype.

    Raises:
        SourceError: where it has none.
    """
    kind = _dtype(dtype)
    try:
        return "string" if kind == "string" else dtype_name(np.dtype(kind))
    except (TypeError, ValueError) as error:
        raise SourceError(
            f"the model's tensor {name!r} is of {kind}: edgeship converts models over ordinary "
            "numbers and text"
        ) from error


def _tensor(tensor: Any, name: str, layer: Any = None) -> Tensor:
    kinds = ("sparse", "ragged")
    kind = next((k for k in kinds if k in type(tensor).__name__.lower()), None)
    # Keras takes the product with any array for a sparse tensor, so that only inputs, and layers
    # that were told to, are believed.
    if layer is None or getattr(layer, "sparse", False):
        kind = kind or next((k for k in kinds if getattr(tensor, k, False)), None)
    if kind is not None:
        raise SourceError(
            f"the model's tensor {str(tensor.name)!r} is {kind}, and no board's runtime takes it: "
            "build the model on dense tensors"
        )
    shape = tuple(None if size is None else int(size) for size in tensor.shape)
    return Tensor(name, _dtype(tensor.dtype), shape, layer)


def _dtype(dtype: Any) -> str:
    return str(getattr(dtype, "name", dtype))


def _named_by_keras(layer: Any) -> bool:
    kind = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", type(layer).__name__)
    kind = re.sub(r"([a-z])([A-Z])", r"\1_\2", kind).lower()
    return re.fullmatch(rf"({kind}|model)(_\d+)?", str(layer.name)) is not None


def _innermost(tensor: Any) -> Any:
    """The layer that makes an output, also where that is inside a nested model."""
    layer, _, index = tensor._keras_history
    outputs = getattr(layer, "outputs", None)
    if not outputs:
        return layer
    return _innermost(outputs[index])
