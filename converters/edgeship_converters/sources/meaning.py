"""What an output means, told from the loss a model was trained with and its last activation."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edgeship_runtime.bundle import Contract, InputSpec, OutputSpec
from edgeship_runtime.bundle.manifest import Role, Task

DEFAULT_NAMES: dict[Role, str] = {
    "probabilities": "probabilities",
    "logits": "logits",
    "value": "prediction",
    "tensor": "output",
    "label": "label",
}


@dataclass(frozen=True, slots=True)
class Loss:
    """A loss, by its name in snake case ('' for none), and whether it takes logits."""

    name: str = ""
    from_logits: bool = False


def loss_of(loss: Any) -> Loss:
    """The loss of a compiled model, or as a model file writes it down; several count as none."""
    if isinstance(loss, str):
        return Loss(snake(loss))
    if isinstance(loss, Mapping) and "class_name" in loss:
        config = loss.get("config")
        if loss["class_name"] == "function":
            return Loss(snake(str(config)))
        from_logits = isinstance(config, Mapping) and bool(config.get("from_logits", False))
        return Loss(snake(str(loss["class_name"])), from_logits)
    if callable(loss):
        name = getattr(loss, "__name__", type(loss).__name__)
        return Loss(snake(name), bool(getattr(loss, "from_logits", False)))
    return Loss()


def role(shape: Sequence[int | None], activation: str | None, loss: Loss) -> Role:
    """What the only output of a model means.

    Args:
        shape: of the output, batch first.
        activation: `softmax`, `sigmoid`, `linear`…; None where it is not known.
        loss: what the model was trained with.
    """
    if len(shape) != 2 or shape[1] is None:
        return "tensor"
    if "crossentropy" in loss.name and shape[1] == 1:
        return "logits" if loss.from_logits else "probabilities"
    if activation == "softmax":
        return "probabilities"
    if "categorical" in loss.name:
        return "logits" if loss.from_logits or activation == "linear" else "probabilities"
    if "crossentropy" in loss.name:
        return "tensor"
    if activation == "sigmoid" and not loss.name:
        return "probabilities" if shape[1] == 1 else "tensor"
    return "value" if loss.name or shape[1] == 1 else "tensor"


def contract_of(inputs: Sequence[InputSpec], outputs: Sequence[OutputSpec]) -> Contract:
    """The contract of a model whose outputs' roles are known; classes are counted from 0."""
    task: Task = "other"
    classes = None
    if len(outputs) == 1 and outputs[0].role in ("probabilities", "logits"):
        task = "classification"
        classes = tuple(range(max(2, outputs[0].shape[-1] or 0)))
    elif len(outputs) == 1 and outputs[0].role == "value":
        task = "regression"
    return Contract(task=task, inputs=tuple(inputs), outputs=tuple(outputs), classes=classes)


def snake(name: str) -> str:
    """`SparseCategoricalCrossentropy` as `sparse_categorical_crossentropy`."""
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
