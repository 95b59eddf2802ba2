"""ONNX files, from whatever exporter, and ONNX models in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from onnx import ModelProto

from edgeship_converters.errors import SourceError
from edgeship_converters.sources.batches import rows_at_once
from edgeship_converters.sources.onnx_checks import MOST_BYTES, checked_onnx, too_large
from edgeship_converters.sources.onnx_contract import Answers, contract_of, inputs_of_contract
from edgeship_converters.sources.onnx_interface import (
    Tensor,
    inputs_of,
    is_classical,
    outputs_of,
)
from edgeship_converters.sources.onnx_numbers import numbers_met
from edgeship_converters.sources.onnx_plain import (
    constants_held,
    fixed,
    freed,
    inlined,
    renamed,
    unzipped,
)
from edgeship_converters.sources.onnx_trees import check_trees
from edgeship_converters.sources.source import Kind
from edgeship_converters.steps.onnx_words import words_met
from edgeship_runtime.arrays import Array, Arrays, numpy_dtype
from edgeship_runtime.bundle import InputSpec
from edgeship_runtime.engines.onnx_runtime import OnnxRuntime
from edgeship_runtime.errors import EngineError


class OnnxSource:
    """An ONNX graph, answered by onnxruntime from the file as it is.

    Names are the file's own, made portable. A map from class to probability that is an output
    becomes the matrix that it was made of. A file for a fixed number of rows is asked so many at a
    time, and freed of that number for its variants, where it answers the same then.

    Attributes:
        model: the graph that every variant is made of: the contract's names, tensors only, and
            any number of rows.
        classical: whether it is one of trees and tables.
        vocabulary: the words that it knows.
        numbers: that it compares with those of each input, by the contract's name; see
            `numbers_met`.
        warnings: what the user should know of how it was opened.
    """

    kind: Kind = "onnx"
    tools: tuple[str, ...] = ("onnx", "onnxruntime")

    def __init__(self, data: bytes, sha256: str, what: str) -> None:
        """Check a file's bytes, and ask the graph about example rows: these tell every shape.

        Raises:
            SourceError: where it is damaged, or is not one that variants can be made of.
        """
        own = checked_onnx(data, what)
        self.sha256 = sha256
        self._inputs = inputs_of(own)
        self._outputs = outputs_of(own)
        self._batch = _batch(self._inputs)
        plain = constants_held(inlined(own))
        check_trees(plain, what)
        try:
            self._engine = OnnxRuntime(own.SerializeToString(), threads=1)
        except EngineError as error:
            raise SourceError(
                f"{what} is not an ONNX model that can be run: {error}; expected operators and "
                "types that onnxruntime has on a CPU"
            ) from error
        plain = unzipped(plain)
        if self._batch is not None:
            plain = freed(plain)
        self.classical = is_classical(plain)
        text = [tensor.name for tensor in self._inputs if tensor.dtype == "string"]
        self.vocabulary = tuple(sorted({w for name in text for w in words_met(plain, name)}))
        specs, in_file = inputs_of_contract(self._inputs)
        self._names = in_file
        met = {name: numbers_met(plain, own) for name, own in in_file.items()}
        self.numbers = {name: numbers for name, numbers in met.items() if numbers}
        answers = self._asked(plain, specs)
        self.contract, out_file = contract_of(plain, specs, self._outputs, answers)
        self._output_names = out_file
        self.model = renamed(
            plain,
            {own: name for name, own in in_file.items()},
            {own: name for name, own in out_file.items()},
            self.contract,
        )
        self.warnings = tuple(_told(in_file | out_file))

    def predict(self, inputs: Arrays) -> dict[str, Array]:
        """See `Source.predict`."""
        made = self._run({own: inputs[name] for name, own in self._names.items()})
        rows = len(next(iter(inputs.values())))
        for name, array in made.items():
            if array.shape[:1] != (rows,):
                raise SourceError(
                    f"the ONNX model gives its output {name!r} in the shape {array.shape} for "
                    f"{rows} rows: expected as many; export it without what leaves rows out"
                )
        return {
            spec.name: made[self._output_names[spec.name]].astype(
                numpy_dtype(spec.dtype), copy=False
            )
            for spec in self.contract.outputs
        }

    def _run(self, inputs: Arrays) -> dict[str, Array]:
        """The answers by the file's own names, from as many rows at a time as it takes."""
        count = len(next(iter(inputs.values())))
        step = self._batch or rows_at_once(inputs)
        parts: list[dict[str, Array]] = []
        for start in range(0, count, step):
            some = {name: array[start : start + step] for name, array in inputs.items()}
            rows = len(next(iter(some.values())))
            if self._batch is not None and rows < step:
                some = {
                    name: np.concatenate([array, np.repeat(array[-1:], step - rows, axis=0)])
                    for name, array in some.items()
                }
            try:
                made = self._engine.run(some)
            except EngineError as error:
                raise SourceError(
                    f"the ONNX model itself fails on these rows: {error}; give rows that it can "
                    "take with --data"
                ) from error
            arrays = {o.name: _array(o, made[o.name]) for o in self._outputs}
            if rows < step and self._batch is not None:
                arrays = {name: array[:rows] for name, array in arrays.items() if array.ndim}
            parts.append(arrays)
        if len(parts) == 1:
            return parts[0]
        return {name: _joined([part[name] for part in parts]) for name in parts[0]}

    def _asked(self, plain: ModelProto, specs: Sequence[InputSpec]) -> Answers:
        """What the graph answers to example rows, and the file where that is another.

        Raises:
            SourceError: where a file for a fixed number of rows depends on that number.
        """
        asked = Answers.of(self._run, specs, self._names, self.vocabulary)
        if self._batch is None or not asked.made:
            return asked
        try:
            free = OnnxRuntime(plain.SerializeToString(), threads=1)
            for given, expected in zip(asked.given, asked.made, strict=True):
                made = free.run(given)
                for name, array in expected.items():
                    if not _alike(array, np.asarray(made[name])):
                        raise SourceError(fixed(name, f"{self._batch} row(s)"))
        except EngineError as error:
            raise SourceError(fixed(self._inputs[0].name, f"{self._batch} row(s)")) from error
        return asked


def load_onnx(path: Path) -> OnnxSource:
    """Load an ONNX file; no other file is opened, whatever it says.

    Raises:
        SourceError: where it is damaged, or is not one that variants can be made of.
    """
    if not path.is_file():
        raise SourceError(f"{path} is not a file: expected an ONNX model")
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise SourceError(too_large(str(path), size))
    data = path.read_bytes()
    return OnnxSource(data, hashlib.sha256(data).hexdigest(), str(path))


def in_memory(model: ModelProto) -> OnnxSource:
    """An `onnx.ModelProto`; its hash is that of its bytes.

    Raises:
        SourceError: as for a file.
    """
    try:
        data = bytes(model.SerializeToString(deterministic=True))
    except Exception as error:
        # protobuf refuses more than 2 GB in one way or another.
        raise SourceError(f"the ONNX model cannot be written as one file: {error}") from error
    return OnnxSource(data, hashlib.sha256(data).hexdigest(), "the ONNX model")


def _batch(inputs: Sequence[Tensor]) -> int | None:
    """The number of rows that a file was exported for; None where it takes any.

    Raises:
        SourceError: where an input has no rows, or the inputs do not agree.
    """
    sizes: dict[int | None, str] = {}
    for tensor in inputs:
        if not tensor.shape:
            raise SourceError(
                f"the input {tensor.name!r} of the ONNX model is a single value: expected a free "
                "first axis for the rows; make it a constant of the model"
            )
        sizes.setdefault(tensor.shape[0], tensor.name)
    if len(sizes) > 1:
        told = ", ".join(f"{name!r} {size or 'any'}" for size, name in sizes.items())
        raise SourceError(
            f"the inputs of the ONNX model take unlike numbers of rows ({told}): expected a free "
            "first axis of each; export it so"
        )
    return next(iter(sizes))


def _array(tensor: Tensor, made: Array) -> Array:
    if tensor.zipped is not None:
        rows = [[row[key] for key in tensor.zipped] for row in made.tolist()]
        return np.asarray(rows, np.float32).reshape(len(rows), len(tensor.zipped))
    return made.astype(np.str_) if tensor.dtype == "string" else made


def _joined(parts: list[Array]) -> Array:
    try:
        return np.concatenate(parts)
    except ValueError as error:
        raise SourceError(
            f"the ONNX model gives outputs of unlike shapes for some rows and others: {error}; "
            "export it with shapes that do not depend on the numbers given"
        ) from error


def _alike(one: Array, other: Array) -> bool:
    if one.shape != other.shape:
        return False
    if one.dtype.kind != "f":
        return bool((one == other).all())
    return bool(np.allclose(one, other, rtol=1e-3, atol=1e-4, equal_nan=True))


def _told(names: dict[str, str]) -> list[str]:
    changed = [f"{own!r} is {name}" for name, own in names.items() if name != own]
    if not changed:
        return []
    return [f"names that TensorFlow cannot keep are changed in every variant: {', '.join(changed)}"]
