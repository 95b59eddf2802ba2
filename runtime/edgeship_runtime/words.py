"""Text to a variant's places in a list of words and back, for engines that hold no text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import repeat

import numpy as np

from edgeship_runtime.arrays import Array
from edgeship_runtime.errors import EngineError

_UNKNOWN = -1


def places_of(words: Sequence[str]) -> dict[str, int]:
    """The place of each word, to be made once and looked up often."""
    return {word: place for place, word in enumerate(words)}


def listed_words(words: Sequence[str]) -> Array:
    """The words as an array of objects: one of text has for each the room of the longest."""
    return np.array(words, object)


def to_places(texts: Array, known: Mapping[str, int]) -> Array:
    """The int32 place of each text, -1 for one that is no known word; the shape stays.

    >>> to_places(np.array([["Rome", "Bonn"], ["", "Oslo"]]), places_of(["Oslo", "Rome"])).tolist()
    [[1, -1], [-1, 0]]
    """
    # For one row a lookup is many times as fast as numpy's search, and for many no slower.
    values = texts.ravel().tolist()
    found = np.fromiter(map(known.get, values, repeat(_UNKNOWN)), np.int32, len(values))
    return found.reshape(texts.shape)


def to_texts(places: Array, words: Array) -> Array:
    """The words at places, which an engine gave.

    Raises:
        EngineError: where these are no places among the words.

    >>> to_texts(np.array([1, 0, 1]), listed_words(["no", "yes"])).tolist()
    ['yes', 'no', 'yes']
    """
    if places.dtype.kind not in "iu":
        raise EngineError(f"{places.dtype} came where places among words were expected")
    wrong = (places < 0) | (places >= len(words))
    if wrong.any():
        raise EngineError(
            f"the place {places[wrong][0]} came where one of 0 to {len(words) - 1} was expected"
        )
    return words[places].astype(np.str_)
