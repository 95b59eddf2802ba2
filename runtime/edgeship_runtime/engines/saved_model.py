"""SavedModel folders on TensorFlow: for servers, and for checking; boards use the others.

This is the only file of the runtime that imports tensorflow.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf

from edgeship_runtime.arrays import Array, Arrays
from edgeship_runtime.bundle import Bundle, VariantSpec
from edgeship_runtime.engines.engine import one_line
from edgeship_runtime.errors import EngineError

_SIGNATURE = "serving_default"


class SavedModel:
    """A SavedModel's `serving_default` signature.

    `threads` is not used: TensorFlow's thread pools belong to the process, not to a model.
    """

    def __init__(self, bundle: Bundle, variant: VariantSpec, threads: int | None = None) -> None:
        self.name = f"tensorflow {tf.__version__}"
        del threads
        with tempfile.TemporaryDirectory(prefix="edgeship-") as folder:
            path = bundle.unpack(variant, Path(folder))
            try:
                # The model owns the variables that its signature refers to weakly.
                self._model = tf.saved_model.load(str(path / "1"))
                self._signature = self._model.signatures[_SIGNATURE]
            except (OSError, ValueError, KeyError, tf.errors.OpError) as error:
                raise EngineError(f"{self.name} refuses the model: {one_line(error)}") from error

    def run(self, inputs: Arrays) -> dict[str, Array]:
        """See `Engine.run`."""
        try:
            outputs = self._signature(**{name: tf.constant(a) for name, a in inputs.items()})
            return {name: _array(tensor.numpy()) for name, tensor in outputs.items()}
        except (ValueError, TypeError, tf.errors.OpError) as error:
            raise EngineError(f"{self.name} fails on the input: {one_line(error)}") from error


def _array(array: Array) -> Array:
    # TensorFlow's strings are bytes objects in numpy; text is UTF-8 in every engine.
    return np.char.decode(array.astype(np.bytes_), "utf-8") if array.dtype.kind == "O" else array
