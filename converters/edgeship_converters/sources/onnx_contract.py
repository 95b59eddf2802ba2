"""The contract of an ONNX graph, from what it says of itself and answers to example rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import numpy as np
from onnx import ModelProto

from edgeship_converters.errors import SourceError
from edgeship_converters.sources.meaning import contract_of as plain_contract
from edgeship_converters.sources.names import portable
from edgeship_converters.sources.onnx_interface import (
    Shape,
    Tensor,
    classes_of,
    is_most_likely,
    looks_at_missing,
    role_alone,
)
from edgeship_runtime.arrays import Array, Arrays, numpy_dtype
from edgeship_runtime.bundle import Contract, InputSpec, OutputSpec

_SEED = 0
# Two numbers of rows, and two of whatever other axis is free, tell which sizes follow which.
_SIZES = ((2, 8), (5, 9))
_EXAMPLES = 64


@dataclass(frozen=True, slots=True)
class Answers:
    """What a graph made of example rows, by the file's own names.

    Attributes:
        given: inputs.
        made: the outputs for each; none where it takes no example.
        many: its outputs for many rows, which tell what scores are; None where it takes none.
        takes_missing: whether it gives finite numbers for rows with NaN.
    """

    given: list[dict[str, Array]] = field(default_factory=list)
    made: list[dict[str, Array]] = field(default_factory=list)
    many: dict[str, Array] | None = None
    takes_missing: bool = False

    @classmethod
    def of(
        cls,
        run: Callable[[Arrays], dict[str, Array]],
        specs: Sequence[InputSpec],
        names: dict[str, str],
        words: Sequence[str],
    ) -> Answers:
        """Ask; a graph that takes no example tells nothing.

        Args:
            run: by the file's own names.
            specs: the inputs.
            names: the file's own by the contract's.
            words: that text is made of.
        """

        def drawn(rows: int, free: int) -> dict[str, Array]:
            random = np.random.default_rng(_SEED)
            return {names[spec.name]: _draw(spec, rows, free, random, words) for spec in specs}

        found = cls()
        try:
            for rows, free in _SIZES:
                given = drawn(rows, free)
                found.made.append(run(given))
                found.given.append(given)
            many = drawn(_EXAMPLES, _SIZES[0][1])
            found = replace(found, many=run(many))
        except SourceError:
            return cls() if found.many is None else found
        try:
            for array in many.values():
                if array.dtype.kind == "f":
                    array[::2] = np.nan
            answers = run(many).values()
            finite = all(np.isfinite(a).all() for a in answers if a.dtype.kind == "f")
        except SourceError:
            finite = False
        return replace(found, takes_missing=finite)


def inputs_of_contract(inputs: Sequence[Tensor]) -> tuple[list[InputSpec], dict[str, str]]:
    """The contract's inputs, and the file's own names by theirs."""
    names = portable([tensor.name for tensor in inputs])
    specs = [
        InputSpec(name=name, dtype=tensor.dtype, shape=(None, *(tensor.shape or ())[1:]))
        for name, tensor in zip(names, inputs, strict=True)
    ]
    return specs, dict(zip(names, (tensor.name for tensor in inputs), strict=True))


def contract_of(
    model: ModelProto, inputs: Sequence[InputSpec], outputs: Sequence[Tensor], answers: Answers
) -> tuple[Contract, dict[str, str]]:
    """The contract, and the file's own names of outputs by its names.

    One output of a row's class makes a classification, where the graph tells the classes: by a
    map from class to probability, in a classifier of ai.onnx.ml, or as a constant that the place
    of the best score is looked up in. Its scores are `probabilities` where those of example rows
    sum to one. The only output is told by the operator that makes it.

    Raises:
        SourceError: for an output that does not have as many rows as the inputs.
    """
    names = portable([tensor.name for tensor in outputs], [spec.name for spec in inputs])
    if answers.takes_missing and looks_at_missing(model):
        inputs = [
            msgspec.structs.replace(spec, missing=spec.dtype.startswith("float")) for spec in inputs
        ]
    specs = [
        OutputSpec(name=name, dtype=tensor.dtype, shape=_shape(tensor, answers))
        for name, tensor in zip(names, outputs, strict=True)
    ]
    in_file = dict(zip(names, (tensor.name for tensor in outputs), strict=True))
    found = _classification(model, outputs, specs, answers)
    if found is not None:
        decided, classes = found
        return (
            Contract(
                task="classification", inputs=tuple(inputs), outputs=tuple(decided), classes=classes
            ),
            in_file,
        )
    if len(specs) == 1:
        role = role_alone(model, outputs[0], specs[0].shape)
        specs = [msgspec.structs.replace(specs[0], role=role)]
    return plain_contract(inputs, specs), in_file


def _classification(
    model: ModelProto, outputs: Sequence[Tensor], specs: list[OutputSpec], answers: Answers
) -> tuple[list[OutputSpec], tuple[Any, ...]] | None:
    """The outputs with their roles, and the classes; None where nothing tells that it is one."""
    scores = [
        place
        for place, (tensor, spec) in enumerate(zip(outputs, specs, strict=True))
        if _sums_to_one(tensor, spec, answers)
    ]
    labels = {}
    for place, (tensor, spec) in enumerate(zip(outputs, specs, strict=True)):
        if len(spec.shape) != 1:
            continue
        classes = classes_of(model, tensor)
        if classes is None and tensor.dtype == "int64" and is_most_likely(model, tensor):
            widths = {specs[score].shape[1] for score in scores}
            classes = tuple(range(widths.pop() or 0)) if len(widths) == 1 else None
        if classes is None and tensor.dtype in ("int64", "string"):
            zipped = {other.zipped for other in outputs if other.zipped is not None}
            classes = zipped.pop() if len(zipped) == 1 else None
        if classes and isinstance(classes[0], str) == (tensor.dtype == "string"):
            labels[place] = classes
    if len(labels) != 1:
        return None
    ((label, classes),) = labels.items()
    decided = list(specs)
    decided[label] = msgspec.structs.replace(specs[label], role="label")
    fitting = [score for score in scores if specs[score].shape[1] == len(classes)]
    if len(fitting) == 1:
        decided[fitting[0]] = msgspec.structs.replace(specs[fitting[0]], role="probabilities")
    return decided, classes


def _sums_to_one(tensor: Tensor, spec: OutputSpec, answers: Answers) -> bool:
    if answers.many is None:
        return tensor.zipped is not None
    if len(spec.shape) != 2 or spec.shape[1] is None or not spec.dtype.startswith("float"):
        return False
    scores = answers.many[tensor.name]
    return bool((scores >= 0).all() and np.allclose(scores.sum(axis=1), 1.0, atol=1e-3))


def _shape(tensor: Tensor, answers: Answers) -> Shape:
    """The shape of an output, as it is, or where no example is taken as the file has it.

    Raises:
        SourceError: for one that does not have as many rows as the inputs.
    """
    wrong = (
        f"the output {tensor.name!r} of the ONNX model has the shape {{}} for {{}} rows: expected "
        "a first axis with as many rows as the inputs; export the model with one"
    )
    if not answers.made:
        if not tensor.shape or tensor.shape[0] is not None:
            raise SourceError(wrong.format(tensor.shape, "any"))
        return tensor.shape
    shapes = [made[tensor.name].shape for made in answers.made]
    for shape, (rows, _) in zip(shapes, _SIZES, strict=True):
        if not shape or shape[0] != rows:
            raise SourceError(wrong.format(shape, rows))
    if len({len(shape) for shape in shapes}) > 1:
        raise SourceError(wrong.format(shapes[0], _SIZES[0][0]))
    one, other = shapes
    return (
        None,
        *(size if size == again else None for size, again in zip(one[1:], other[1:], strict=True)),
    )


def _draw(
    spec: InputSpec, rows: int, free: int, random: np.random.Generator, words: Sequence[str]
) -> Array:
    shape = (rows, *(size or free for size in spec.shape[1:]))
    if spec.dtype == "string":
        return random.choice(np.array(words or ("a", "b")), shape)
    dtype = numpy_dtype(spec.dtype)
    if dtype.kind == "f":
        return random.standard_normal(shape).astype(dtype)
    return random.integers(0, 2, shape).astype(dtype)
