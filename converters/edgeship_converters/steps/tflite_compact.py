"""The same TFLite model in fewer bytes: short names, and nothing written twice."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from litert_quantizer.utils import tfl_flatbuffer_utils as flatbuffer

from edgeship_converters.layer_names import LayerNames
from edgeship_converters.steps.tflite_file import packed
from edgeship_runtime.arrays import Array

# As the schema asks for a buffer's data, so that kernels may read it in whole vector registers.
_ALIGNMENT = 16
_NUMBERS: dict[Any, dict[str, Any]] = {
    schema.TensorT: {"shape": np.int32, "shapeSignature": np.int32},
    schema.QuantizationParametersT: {"scale": np.float32, "zeroPoint": np.int64},
    schema.OperatorT: {"inputs": np.int32, "outputs": np.int32},
}


def compact(model: bytes, names: LayerNames) -> bytes:
    """Rename what is inside after its layer, and share equal vectors.

    The zero points of weights quantized by channel are 8 bytes of 0 for each channel, and
    TensorFlow names a fused tensor after everything that was fused: in a MobileNet of 221 794
    parameters both take a fifth of the int8 file. Inputs and outputs keep their names, and no
    number changes.
    """
    parsed = flatbuffer.read_model(model)
    for graph in parsed.subgraphs:
        _rename(graph, names)
        for tensor in graph.tensors:
            _as_arrays(tensor)
            if tensor.quantization is not None:
                _as_arrays(tensor.quantization)
        for operator in graph.operators:
            _as_arrays(operator)
    for buffer in parsed.buffers:
        if buffer.data is not None:
            buffer.data = np.frombuffer(bytes(buffer.data), np.uint8)
    return packed(parsed, _Sharing(len(model)))


def _rename(graph: Any, names: LayerNames) -> None:
    ends = {*map(int, graph.inputs), *map(int, graph.outputs)}
    old = [flatbuffer.get_tensor_name(tensor) for tensor in graph.tensors]
    counts: Counter[str] = Counter()
    for index, layers in enumerate(names.of(old)):
        if index in ends:
            continue
        layer = layers[0] if layers else "t"
        graph.tensors[index].name = f"{layer}.{counts[layer]}".encode()
        counts[layer] += 1


def _as_arrays(facts: Any) -> None:
    for field, dtype in _NUMBERS[type(facts)].items():
        held = getattr(facts, field)
        if held is not None:
            setattr(facts, field, np.asarray(held, dtype))


class _Sharing(flatbuffers.Builder):  # type: ignore[misc]
    """A builder that writes equal strings and vectors of numbers once, and refers to them."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self._written: dict[bytes, int] = {}

    def CreateNumpyVector(self, x: Array) -> int:
        """A vector of numbers; bytes are aligned as buffers must be."""
        # The alignment belongs to what is equal: flatbuffers allow a vector any greater one.
        key = hashlib.sha256(x.dtype.str.encode() + x.tobytes()).digest()
        if key not in self._written:
            if x.dtype == np.uint8:
                self.Prep(_ALIGNMENT, x.nbytes)
            self._written[key] = super().CreateNumpyVector(x)
        return self._written[key]

    def CreateString(self, s: Any, *rest: Any) -> int:
        """A string."""
        key = s if isinstance(s, bytes) else str(s).encode()
        if key not in self._written:
            self._written[key] = super().CreateString(s, *rest)
        return self._written[key]
