"""Universal Binary JSON (ubjson.org, draft 12), as far as XGBoost writes it."""

from __future__ import annotations

from typing import Any

import numpy as np

_INTS = {b"i": ">i1", b"U": ">u1", b"I": ">i2", b"l": ">i4", b"L": ">i8"}
_NUMBERS = {**_INTS, b"d": ">f4", b"D": ">f8"}
_WORDS = {b"Z": None, b"T": True, b"F": False}
_DEEPEST = 50


def read_ubjson(data: bytes) -> Any:
    """What the bytes say, in the types that `json.loads` gives.

    Raises:
        ValueError: for bytes that are no UBJSON.
    """
    reader = _Reader(data)
    value = reader.value(reader.take(1), 0)
    if reader.at != len(data):
        raise ValueError(f"expected {reader.at} bytes, got {len(data)}")
    return value


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        """The next bytes, as many as are asked for."""
        if not 0 <= count <= len(self.data) - self.at:
            raise ValueError(f"expected {count} more bytes after {self.at}, got less")
        self.at += count
        return self.data[self.at - count : self.at]

    def value(self, kind: bytes, depth: int) -> Any:
        """The value of a kind that stands next."""
        if depth > _DEEPEST:
            raise ValueError(f"expected at most {_DEEPEST} levels, got more")
        if kind in _NUMBERS:
            return self.numbers(kind, 1)[0]
        if kind in _WORDS:
            return _WORDS[kind]
        if kind == b"S":
            return self.take(self.length()).decode()
        if kind == b"[":
            return self.array(depth)
        if kind == b"{":
            return self.object(depth)
        raise ValueError(f"expected a value at byte {self.at - 1}, got {kind!r}")

    def numbers(self, kind: bytes, count: int) -> list[Any]:
        """Numbers of one kind."""
        size = np.dtype(_NUMBERS[kind]).itemsize
        found: list[Any] = np.frombuffer(self.take(count * size), _NUMBERS[kind]).tolist()
        return found

    def length(self) -> int:
        """How long what follows is, in no more values than there are bytes."""
        kind = self.take(1)
        if kind not in _INTS:
            raise ValueError(f"expected a length at byte {self.at - 1}, got {kind!r}")
        length = int(self.numbers(kind, 1)[0])
        if not 0 <= length <= len(self.data) - self.at:
            raise ValueError(f"expected a length up to the end at byte {self.at}, got {length}")
        return length

    def array(self, depth: int) -> list[Any]:
        """An array of one kind of numbers, of any values so many, or up to a bracket."""
        mark = self.take(1)
        if mark == b"$":
            kind = self.take(1)
            if self.take(1) != b"#" or kind not in _NUMBERS:
                raise ValueError(f"expected numbers and their count at byte {self.at - 1}")
            return self.numbers(kind, self.length())
        if mark == b"#":
            count = self.length()
            return [self.value(self.take(1), depth + 1) for _ in range(count)]
        values = []
        while mark != b"]":
            values.append(self.value(mark, depth + 1))
            mark = self.take(1)
        return values

    def object(self, depth: int) -> dict[str, Any]:
        """An object; its keys are texts without a mark, each of which begins with its length."""
        values: dict[str, Any] = {}
        while self.data[self.at : self.at + 1] != b"}":
            key = self.take(self.length()).decode()
            if key in values:
                raise ValueError(f"expected {key!r} once, got it twice")
            values[key] = self.value(self.take(1), depth + 1)
        self.take(1)
        return values
