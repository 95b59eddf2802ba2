"""The bare interpreter of LiteRT that every TFLite form is measured in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from edgeship_runtime.arrays import Array, Arrays
from edgeship_runtime.bundle import TextWords

LABEL = "label"
_SIGNATURE = "serving_default"

# What each tensor of the model is set to, by its place among them.
Row = list[tuple[int, Array]]


class BareInterpreter:
    """A TFLite form on one thread, everything else as it is by itself, asked for single rows.

    Args:
        model: the file's bytes, or where it is.
        words: of the texts that the form takes and gives places of.
    """

    def __init__(self, model: bytes | Path, words: TextWords | None = None) -> None:
        self._words = words or TextWords()
        if isinstance(model, bytes):
            self._interpreter = Interpreter(model_content=model, num_threads=1)
        else:
            self._interpreter = Interpreter(model_path=str(model), num_threads=1)
        # While it lives, the runner keeps the tensors from being allocated.
        runner = self._interpreter.get_signature_runner(_SIGNATURE)
        self._inputs = runner.get_input_details()
        outputs = runner.get_output_details()
        del runner
        self._outputs = [int(detail["index"]) for detail in outputs.values()]
        self._label = list(outputs).index(LABEL)
        self._interpreter.allocate_tensors()

    def taken(self, inputs: Arrays) -> list[Row]:
        """All rows as the form takes them, one by one."""
        tensors = [
            (int(detail["index"]), self._tensor(name, inputs[name]).astype(detail["dtype"]))
            for name, detail in self._inputs.items()
        ]
        count = len(tensors[0][1])
        return [
            [(index, array[place : place + 1]) for index, array in tensors]
            for place in range(count)
        ]

    def run(self, row: Row) -> list[Array]:
        """All outputs of one row."""
        for index, array in row:
            self._interpreter.set_tensor(index, array)
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index) for index in self._outputs]

    def labels(self, rows: list[Row]) -> Array:
        """The label of each row."""
        found: Array = np.concatenate([self.run(row)[self._label] for row in rows])
        known = self._words.outputs.get(LABEL)
        return found if known is None else np.array(known)[found]

    def _tensor(self, name: str, array: Array) -> Array:
        known = self._words.inputs.get(name)
        if known is None:
            return array
        place = {word: number for number, word in enumerate(known)}
        return np.array([place.get(word, -1) for word in array.ravel()]).reshape(array.shape)
