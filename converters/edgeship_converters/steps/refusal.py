"""Refusals that name the layer at fault, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from edgeship_converters.artifact import Task
from edgeship_converters.errors import StepError, in_a_line
from edgeship_converters.layer_names import LayerNames

_LOCATED = re.compile(r'fused\["(\w+):", "([^"@]+)@')
_NAMED = re.compile(r"\b[Nn]ode (\S+/\S+)")
_MOST = 120
KEEP_IN_FLOAT = "keep the layer in float with --recipe"


@contextmanager
def refusing(task: Task, what: str, *ways: str, needed: bool = False) -> Iterator[None]:
    """Turn whatever the block raises into a refusal.

    The tools' exceptions share no base but Exception, and they fail by bare asserts and lookups.

    Args:
        task: whose model it is.
        what: it cannot do, such as `become ONNX`.
        ways: out of it, besides leaving the variant out.
        needed: whether all other variants are made of this one.

    Raises:
        StepError: with the tool's own words in a line; one that the block raises passes through.
    """
    try:
        yield
    except StepError:
        raise
    except Exception as error:
        line = in_a_line(error)
        raise StepError(f"{task.name} cannot {what}: {line}", *ways, needed=needed) from error


def located(message: str) -> dict[str, str]:
    """The operators that TFLiteConverter complains of: scoped name to type."""
    return {name: kind for kind, name in _LOCATED.findall(message) if "/" in name}


def refusal(task: Task, form: str, operators: Mapping[str, str], reason: str = "") -> StepError:
    """The error for a model that cannot become `form`.

    Args:
        task: whose layers are named.
        form: `TFLite` or `ONNX`.
        operators: those that cannot be converted, by scoped name, with their types; empty where
            the tool does not tell.
        reason: the tool's own words, used where it names no type of operator.
    """
    fault = " ".join(reason.split())[:_MOST]
    scoped = next(iter(operators), None)
    if scoped is not None:
        fault = f"the operator {operators[scoped]}, which {form} does not have"
    elif match := _NAMED.search(reason):
        scoped = match[1]
    layers = LayerNames(task.layers).of([scoped])[0] if scoped is not None else ()
    if layers:
        fault = (
            f"layer {layers[0]!r} needs {fault}" if operators else f"layer {layers[0]!r}: {fault}"
        )
    elif operators:
        fault = f"it needs {fault}"
    return StepError(
        f"{task.name} cannot become {form}: {fault}",
        "do that layer's work before the model",
        "do it by another layer",
    )
