"""Text to a variant's places in lists of words and back, for engines that hold no text."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import repeat

import numpy as np

from edgeship_runtime.arrays import Array, Arrays
from edgeship_runtime.bundle.manifest import TextWords
from edgeship_runtime.errors import EngineError

_UNKNOWN = -1


class Dictionary:
    """The words of a variant's text inputs and outputs, ready to be looked up.

    >>> known = TextWords(inputs={"city": ("Oslo", "Rome")}, outputs={"y": ("no", "ok")})
    >>> words = Dictionary(known)
    >>> words.places({"city": np.array(["Rome", "Bonn", ""])})["city"].tolist()
    [1, -1, -1]
    >>> words.texts({"y": np.array([1, 0])})["y"].tolist()
    ['ok', 'no']
    """

    def __init__(self, words: TextWords) -> None:
        self._places = {
            name: {word: place for place, word in enumerate(known)}
            for name, known in words.inputs.items()
        }
        # As objects: an array of text has for each word the room of the longest one.
        self._texts = {name: np.array(known, object) for name, known in words.outputs.items()}

    def places(self, inputs: Arrays) -> dict[str, Array]:
        """The inputs that have words, each text as its int32 place among them, or as -1."""
        return {name: _places(inputs[name], known) for name, known in self._places.items()}

    def texts(self, outputs: Arrays) -> dict[str, Array]:
        """The outputs that have words and are there, as text.

        Raises:
            EngineError: where one does not hold places among its words.
        """
        return {
            name: _texts(name, outputs[name], known)
            for name, known in self._texts.items()
            if name in outputs
        }


def _places(texts: Array, known: Mapping[str, int]) -> Array:
    # For one row a lookup is many times as fast as numpy's search, and for many no slower.
    values = texts.ravel().tolist()
    found = np.fromiter(map(known.get, values, repeat(_UNKNOWN)), np.int32, len(values))
    return found.reshape(texts.shape)


def _texts(name: str, places: Array, known: Array) -> Array:
    if places.dtype.kind not in "iu":
        raise EngineError(
            f"output {name!r} holds {places.dtype} where places among words were expected: "
            "convert the model again"
        )
    wrong = (places < 0) | (places >= len(known))
    if wrong.any():
        raise EngineError(
            f"output {name!r} holds the place {places[wrong][0]}, expected 0 to {len(known) - 1}: "
            "this form cannot give a text that is none of its words, take one that holds text"
        )
    return known[places].astype(np.str_)
