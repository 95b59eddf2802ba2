"""The contract of a Keras model, by its interface, and by a trace where that leaves things open."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from edgeship_converters.errors import SourceError, in_a_line
from edgeship_converters.sources.graph_ops import last_activation
from edgeship_converters.sources.interface import Interface, Tensor, checked_dtype
from edgeship_converters.sources.meaning import DEFAULT_NAMES, Loss, contract_of, role
from edgeship_converters.sources.names import portable
from edgeship_converters.sources.nesting import Path, joined, leaves, map_leaves
from edgeship_runtime.bundle import Contract, InputSpec, OutputSpec

Invoke = Callable[[Interface, Any, Mapping[str, Any]], Any]


@dataclass(frozen=True, slots=True)
class Described:
    """What is known of a model.

    Attributes:
        interface: its inputs and outputs.
        contract: as every variant keeps it.
        inputs: the contract's input names, in the nesting that the model takes.
        outputs: where each of the contract's outputs lies in the nesting that the model gives.
    """

    interface: Interface
    contract: Contract
    inputs: Any
    outputs: dict[str, Path]


def describe(interface: Interface, invoke: Invoke, loss: Loss, *, unsure: bool) -> Described:
    """Name the inputs and outputs, and tell what they are.

    Args:
        interface: of the model.
        invoke: calls the model on tensors by name, given the names in the model's nesting.
        loss: that the model was trained with.
        unsure: whether the model may give other dtypes than the interface states.

    Raises:
        SourceError: where the model cannot be called with a free batch.
    """
    given = leaves(interface.inputs)
    names = dict(zip(given, portable([t.name for t in given.values()]), strict=True))
    nested = map_leaves(lambda path, tensor: names[path], interface.inputs)
    inputs = [_input_spec(names[path], tensor) for path, tensor in given.items()]
    stated = leaves(interface.outputs) if interface.outputs is not None else None
    activations: dict[Path, str | None] = {}
    if stated is None or unsure or interface.fixed_batch is not None:
        traced, activations = _trace(interface, nested, inputs, invoke)
        stated = _merged(stated, traced)
    if stated is not None and not activations:
        activations = {path: tensor.activation for path, tensor in stated.items()}
    made = _outputs(stated, activations, loss, [spec.name for spec in inputs])
    places = {spec.name: path for spec, path in zip(made, stated, strict=True)}
    return Described(interface, contract_of(inputs, made), nested, places)


def _outputs(
    stated: dict[Path, Tensor],
    activations: Mapping[Path, str | None],
    loss: Loss,
    taken: list[str],
) -> list[OutputSpec]:
    roles = {
        path: role(tensor.shape, activations.get(path), loss) if _scores(stated) else "tensor"
        for path, tensor in stated.items()
    }
    names = portable([t.name or DEFAULT_NAMES[roles[path]] for path, t in stated.items()], taken)
    for name, tensor in zip(names, stated.values(), strict=True):
        if not tensor.shape or tensor.shape[0] is not None:
            raise SourceError(
                f"the output {name!r} has the shape {tensor.shape}, without an axis for the rows: "
                "every output must have as many rows as the inputs"
            )
    return [
        OutputSpec(
            name=name, dtype=checked_dtype(name, tensor.dtype), shape=tensor.shape, role=roles[path]
        )
        for name, (path, tensor) in zip(names, stated.items(), strict=True)
    ]


def _scores(stated: dict[Path, Tensor]) -> bool:
    """Whether an output is alone, and of numbers that can be probabilities or a prediction."""
    return len(stated) == 1 and all(str(t.dtype).startswith("float") for t in stated.values())


def _input_spec(name: str, tensor: Tensor) -> InputSpec:
    if not tensor.shape:
        raise SourceError(
            f"the input {name!r} is a single number, without an axis for the rows: "
            "build the model on batches"
        )
    return InputSpec(
        name=name, dtype=checked_dtype(name, tensor.dtype), shape=(None, *tensor.shape[1:])
    )


def _trace(
    interface: Interface, nested: Any, inputs: list[InputSpec], invoke: Invoke
) -> tuple[dict[Path, Tensor], dict[Path, str | None]]:
    """The outputs that the model gives on a free batch, and their last activations."""
    places: list[Path] = []

    def serve(**tensors: Any) -> list[Any]:
        made = leaves(invoke(interface, nested, tensors))
        places[:] = list(made)
        return list(made.values())

    specs = {
        spec.name: tf.TensorSpec(spec.shape, tf.dtypes.as_dtype(spec.dtype), name=spec.name)
        for spec in inputs
    }
    try:
        concrete = tf.function(serve, autograph=False).get_concrete_function(**specs)
    except Exception as error:
        # Layers raise what they like while they are traced.
        raise SourceError(_no_trace(interface, inputs, error)) from error
    made = dict(zip(places, concrete.structured_outputs, strict=True))
    if interface.fixed_batch and any(t.shape.rank and t.shape[0] for t in made.values()):
        raise SourceError(_no_trace(interface, inputs, None))
    tensors = {
        path: Tensor(_name(path), spec.dtype.name, tuple(spec.shape.as_list()))
        for path, spec in made.items()
    }
    return tensors, dict(zip(places, last_activation(concrete), strict=True))


def _name(path: Path) -> str:
    keyed = any(isinstance(key, str) for key in path)
    return joined(path) if keyed or not path else joined(("output", *path))


def _merged(stated: dict[Path, Tensor] | None, traced: dict[Path, Tensor]) -> dict[Path, Tensor]:
    """The names and shapes that the model states, the dtypes that it gives."""
    if stated is None:
        return traced
    return {
        path: Tensor(t.name, traced[path].dtype, (None, *t.shape[1:]), t.layer)
        for path, t in stated.items()
    }


def _no_trace(interface: Interface, inputs: list[InputSpec], error: Exception | None) -> str:
    reason = f": {in_a_line(error)}" if error is not None else ""
    if interface.fixed_batch is not None:
        return (
            f"the model was built for batches of {interface.fixed_batch} rows and cannot run on "
            f"others{reason}; build it from keras.Input(shape) without batch_size"
        )
    taken = ", ".join(f"{spec.name} {spec.dtype}{list(spec.shape[1:])}" for spec in inputs)
    return (
        f"the model cannot be called on {taken}{reason}; make a Functional model of it: "
        "keras.Model(inputs, model(inputs)), with inputs from keras.Input"
    )
