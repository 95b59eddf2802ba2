"""TFLite models on LiteRT, the interpreter that Google ships as `ai-edge-litert`."""

from __future__ import annotations

import threading
from importlib.metadata import version

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from edgeship_runtime.arrays import Array, Arrays
from edgeship_runtime.engines.engine import one_line
from edgeship_runtime.errors import EngineError

_SIGNATURE = "serving_default"


class LiteRT:
    """A `.tflite` file with a `serving_default` signature."""

    def __init__(self, model: bytes, threads: int | None = None) -> None:
        self.name = f"ai-edge-litert {version('ai-edge-litert')}"
        self._lock = threading.Lock()
        try:
            self._interpreter = Interpreter(model_content=model, num_threads=threads)
            # The runner must be gone before tensors are resized: while it lives, it holds a
            # reference into the interpreter, which then refuses.
            runner = self._interpreter.get_signature_runner(_SIGNATURE)
            details = runner.get_input_details()
            self._inputs = {k: int(v["index"]) for k, v in details.items()}
            self._single = {k for k, v in details.items() if v["dtype"] == np.float32}
            self._outputs = {k: int(v["index"]) for k, v in runner.get_output_details().items()}
            del runner
            self._shapes = self._allocated()
        except (ValueError, RuntimeError) as error:
            raise EngineError(f"{self.name} refuses the model: {one_line(error)}") from error

    def run(self, inputs: Arrays) -> dict[str, Array]:
        """See `Engine.run`."""
        if inputs.keys() != self._inputs.keys():
            raise EngineError(
                f"{self.name} fails on the input: the model takes {sorted(self._inputs)}, "
                f"got {sorted(inputs)}"
            )
        with self._lock:
            try:
                self._fit({name: array.shape for name, array in inputs.items()})
                for name, index in self._inputs.items():
                    self._interpreter.set_tensor(index, self._plain(name, inputs[name]))
                self._interpreter.invoke()
                return {
                    name: self._interpreter.get_tensor(index)
                    for name, index in self._outputs.items()
                }
            except (ValueError, RuntimeError) as error:
                raise EngineError(f"{self.name} fails on the input: {one_line(error)}") from error

    def _plain(self, name: str, array: Array) -> Array:
        """An array as the model's input holds it: most models have float32 for a float64."""
        if array.dtype == np.float64 and name in self._single:
            # A number beyond float32 is as good as infinite to such a model.
            with np.errstate(over="ignore"):
                return array.astype(np.float32, "C")
        return np.ascontiguousarray(array)

    def _allocated(self) -> dict[str, tuple[int, ...]]:
        """The inputs' shapes as the file gives them; none where only a call can tell them.

        A free axis other than the rows' stands at one in the file, which may be too short for the
        model to run on at all.
        """
        details = {detail["index"]: detail for detail in self._interpreter.get_input_details()}
        if any(-1 in details[index]["shape_signature"][1:] for index in self._inputs.values()):
            return {}
        self._interpreter.allocate_tensors()
        return {
            name: tuple(int(n) for n in details[index]["shape"])
            for name, index in self._inputs.items()
        }

    def _fit(self, shapes: dict[str, tuple[int, ...]]) -> None:
        if shapes == self._shapes:
            return
        self._shapes = {}
        for name, index in self._inputs.items():
            self._interpreter.resize_tensor_input(index, shapes[name])
        self._interpreter.allocate_tensors()
        self._shapes = shapes
