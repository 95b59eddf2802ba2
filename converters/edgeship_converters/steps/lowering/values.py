"""What flows between operators while a graph is lowered: tensors, constants, words."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf

from edgeship_runtime.arrays import Array

# A tensor of the graph, a constant, or text that TFLite holds as places in a list.
Value: TypeAlias = Any

_INT32 = np.iinfo(np.int32)


class NotLoweredError(Exception):
    """An operator, or a use of one, that the lowering has no TensorFlow operators for."""


@dataclass(frozen=True, slots=True)
class Words:
    """Text in a graph that can hold none: places in a list of words, -1 for any other word.

    Attributes:
        places: an int32 tensor or array.
        known: the words.
        closed: whether no text can be another word.
    """

    places: Any
    known: tuple[str, ...]
    closed: bool = False

    @classmethod
    def of(cls, array: Array) -> Words:
        """Constant text."""
        known, places = np.unique(array.astype(np.str_), return_inverse=True)
        return cls(places.reshape(array.shape).astype(np.int32), tuple(known.tolist()), closed=True)

    def among(self, known: tuple[str, ...]) -> Words:
        """The same text as places in another list, which holds all of its words."""
        if known == self.known:
            return self
        place = {word: k for k, word in enumerate(known)}
        return Words(self.numbers(place, -1), known, self.closed)

    def numbers(self, of: Mapping[str, int], other: int) -> Any:
        """The number of each word, int32, and one for all words that have none."""
        # The last entry is that of -1, an unknown word.
        table = np.array([of.get(word, other) for word in self.known] + [other], np.int32)
        if isinstance(self.places, np.ndarray):
            return table[self.places]
        wrapped = tf.where(self.places < 0, len(self.known), self.places)
        return tf.gather(table, wrapped)


@dataclass(frozen=True, slots=True)
class Parts:
    """Constants of float64, or int64 as reals, in a narrow graph: as float32, and what that leaves.

    Comparisons, differences and trees take both; whatever else is computed of them the first.
    """

    high: Any
    low: Any

    @classmethod
    def of(cls, array: Array) -> Parts | None:
        """Those of an array; None where float32 holds all of it."""
        if array.dtype != np.float64:
            return None
        with np.errstate(over="ignore", invalid="ignore"):
            high = array.astype(np.float32)
            low = np.where(np.isfinite(high), array - high, 0.0).astype(np.float32)
        return cls(tf.constant(high), tf.constant(low)) if low.any() else None

    @property
    def shape(self) -> Any:
        """That of each part."""
        return self.high.shape

    @property
    def dtype(self) -> Any:
        """That of each part."""
        return self.high.dtype


@dataclass(frozen=True, slots=True)
class Operator:
    """An ONNX node, without its inputs.

    Attributes:
        kind: the operator, such as `Gemm`.
        attributes: as numbers, strings, lists of them, and arrays.
        opset: the version of the operator's domain that the model is written in.
        outputs: how many are asked for.
        narrow: whether the graph is for TFLite, which computes in float32 and holds no text, and
            where places are int32.
    """

    kind: str
    attributes: Mapping[str, Any]
    opset: int
    outputs: int
    narrow: bool

    def get(self, name: str, default: Any = None) -> Any:
        """An attribute, or what stands for it where it is not given."""
        return self.attributes.get(name, default)

    def dtype(self, given: Any) -> tf.DType:
        """The type that numbers of an ONNX type have in this graph."""
        dtype = tf.as_dtype(given)
        if not self.narrow:
            return dtype
        if dtype == tf.float64:
            return tf.float32
        return tf.int64 if dtype in (tf.uint32, tf.uint64) else dtype

    def tensor(self, value: Value) -> tf.Tensor:
        """A value as a tensor of the type that its numbers have in this graph."""
        if isinstance(value, Words):
            raise NotLoweredError("it computes with text")
        if isinstance(value, Parts):
            return value.high
        if not isinstance(value, np.ndarray):
            return value
        if self.narrow and value.dtype.kind in "OUS":
            raise NotLoweredError("it computes with text")
        dtype = self.dtype(_dtype_of(value))
        if self.narrow and dtype == tf.int64 and _is_small(value):
            dtype = tf.int32
        return constant(value, dtype, finite=self.narrow)

    def alike(self, *values: Value) -> list[tf.Tensor]:
        """Values as tensors of one type: that of the tensors among them, the widest of these."""
        if any(isinstance(value, Words) for value in values):
            return self._alike_words(values)
        values = tuple(value.high if isinstance(value, Parts) else value for value in values)
        tensors = [value for value in values if not isinstance(value, np.ndarray)]
        if self.narrow and any(v.dtype.kind in "OUS" for v in values if isinstance(v, np.ndarray)):
            raise NotLoweredError("it computes with text")
        kinds = {self.tensor(value).dtype for value in tensors or values}
        # In a narrow graph places are int32, and other whole numbers int64.
        dtype = tf.int64 if kinds == {tf.int32, tf.int64} else next(iter(kinds))
        if len(kinds) > 1 and dtype != tf.int64:
            raise NotLoweredError(f"it mixes {', '.join(sorted(kind.name for kind in kinds))}")
        held = [value for value in values if isinstance(value, np.ndarray)]
        if self.narrow and dtype == tf.int32 and not all(_is_small(value) for value in held):
            dtype = tf.int64
        return [
            constant(value, dtype, finite=self.narrow)
            if isinstance(value, np.ndarray)
            else cast(value, dtype)
            for value in values
        ]

    def counted(self, *values: Value) -> list[tf.Tensor]:
        """As `alike`, for results that may lie beyond what int32 holds."""
        alike = self.alike(*values)
        wide = self.narrow and alike[0].dtype == tf.int32
        return [cast(value, tf.int64) for value in alike] if wide else alike

    def _alike_words(self, values: tuple[Value, ...]) -> list[tf.Tensor]:
        alike = alike_words(values)
        if sum(not words.closed for words in alike) > 1:
            # Two words that are both unknown need not be the same.
            raise NotLoweredError("it compares texts with each other")
        return [words.places for words in alike]


def alike_words(values: Any) -> list[Words]:
    """Words, and constant text, as places in one list."""
    made = [value if isinstance(value, Words) else Words.of(static(value)) for value in values]
    known = tuple(sorted({word for words in made for word in words.known}))
    return [words.among(known) for words in made]


def moved(op: Operator, x: Value, move: Callable[[Any], Any]) -> Value:
    """What a value becomes when its entries are moved, be they numbers or words."""
    if isinstance(x, Words):
        return Words(move(x.places), x.known, x.closed)
    parts = x if isinstance(x, Parts) else None
    if op.narrow and isinstance(x, np.ndarray):
        parts = Parts.of(x)
    if parts is not None:
        return Parts(move(parts.high), move(parts.low))
    return move(op.tensor(x))


def constant(array: Array, dtype: tf.DType, *, finite: bool = False) -> tf.Tensor:
    """A constant of a type that holds its whole numbers; reals beyond it become infinite.

    Args:
        array: numbers, truths or text.
        dtype: of the tensor.
        finite: whether infinite numbers become the largest ones: quantization has no step for them.
    """
    if array.dtype.kind in "OUS":
        return tf.constant(array.astype(object), tf.string)
    to = dtype.as_numpy_dtype
    with np.errstate(over="ignore"):
        array = array.astype(to)
    if finite and array.dtype.kind == "f":
        most = np.finfo(to).max
        array = np.clip(array, -most, most)
    return tf.constant(array)


def cast(value: Value, dtype: tf.DType) -> tf.Tensor:
    """A tensor as another type, or as it is."""
    return value if value.dtype == dtype else tf.cast(value, dtype)


def is_text(value: Value) -> bool:
    """Whether a value holds text, and no numbers."""
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "OUS"
    return isinstance(value, Words) or value.dtype == tf.string


def static(value: Value) -> Array:
    """A constant.

    Raises:
        NotLoweredError: for what the graph computes.
    """
    if not isinstance(value, np.ndarray):
        raise NotLoweredError("it takes from the graph what must be known beforehand")
    return value


def index(value: Value) -> tf.Tensor:
    """Places as an int32 or int64 tensor."""
    if isinstance(value, np.ndarray):
        return tf.constant(value.astype(np.int32 if _is_small(value) else np.int64))
    return value


def rank_of(value: Value) -> int:
    """How many axes a value has.

    Raises:
        NotLoweredError: where the graph does not tell.
    """
    shape = value.places.shape if isinstance(value, Words) else value.shape
    rank = len(shape) if isinstance(shape, tuple) else shape.rank
    if rank is None:
        raise NotLoweredError("the number of its axes is not known beforehand")
    return int(rank)


def to_last(rank: int, axis: int) -> tuple[list[int], Array]:
    """The order of axes that brings one to the end, and that which brings it back."""
    order = [k for k in range(rank) if k != axis] + [axis]
    return order, np.argsort(order)


def shape_of(value: Value) -> tuple[int | None, ...]:
    """The sizes of a value's axes, None where a size is free."""
    rank_of(value)
    shape = value.places.shape if isinstance(value, Words) else value.shape
    return tuple(shape) if isinstance(shape, tuple) else tuple(shape.as_list())


def _is_small(array: Array) -> bool:
    """Whether int32 holds whole numbers; of others nothing is asked."""
    if array.dtype.kind not in "iu" or not array.size:
        return True
    return bool(array.min() >= _INT32.min and array.max() <= _INT32.max)


def _dtype_of(array: Array) -> Any:
    return tf.string if array.dtype.kind in "OUS" else array.dtype
