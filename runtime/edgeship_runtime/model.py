"""A bundle's variant on an engine, with the contract kept: what users call `predict` on."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np

from edgeship_runtime import engines, labels
from edgeship_runtime.arrays import Array, Arrays, numpy_dtype
from edgeship_runtime.bundle import Bundle, OutputSpec, VariantSpec
from edgeship_runtime.engines import Engine
from edgeship_runtime.errors import EngineError, EngineMissingError
from edgeship_runtime.inputs import check_inputs
from edgeship_runtime.quantize import dequantize, quantize
from edgeship_runtime.words import listed_words, places_of, to_places, to_texts

AUTO = "auto"
# Without a measurement on this board, the exact form comes before the smaller one, and the light
# engine before the heavy one.
PREFERENCE = (
    "tflite-float32",
    "onnx-float32",
    "tflite-float16",
    "onnx-float16",
    "tflite-dynamic-int8",
    "tflite-int8",
    "tflite-int16x8",
    "onnx-dynamic-int8",
    "onnx-int8",
    "tflite-int4",
    "savedmodel-float32",
)
# A batch goes to the engine in pieces of about this many bytes of input, and of no more rows, so
# that the memory a call takes does not grow with the batch: of a few numbers a wide ensemble of
# trees makes thousands.
_PIECE_BYTES = 4 << 20
_PIECE_ROWS = 1024


class Model:
    """A model that answers: named inputs in, named outputs out, the same for every variant.

    Safe to call from several threads at once.

    Attributes:
        bundle: where it came from.
        variant: which form of the model runs.
        engine: what runs it.
    """

    def __init__(self, bundle: Bundle, variant: VariantSpec, engine: Engine) -> None:
        self.bundle = bundle
        self.variant = variant
        self.engine = engine
        self.contract = bundle.manifest.contract
        self._places = {k: places_of(words) for k, words in variant.words.inputs.items()}
        self._words = {k: listed_words(words) for k, words in variant.words.outputs.items()}

    def predict(self, inputs: object) -> dict[str, Array]:
        """Outputs for each row.

        Args:
            inputs: a mapping from input name to an array whose first axis counts rows; for a
                model with one input also the bare array. Any number of rows, none included.

        Returns:
            One array for each output, in the contract's dtype, whatever the variant computes in.

        Raises:
            InputError: where an input does not fit the contract.
            EngineError: where the engine fails.
        """
        checked = check_inputs(self.contract.inputs, inputs)
        rows = len(next(iter(checked.values())))
        if rows == 0:
            return {spec.name: _empty(spec) for spec in self.contract.outputs}
        size = sum(array.nbytes for array in checked.values())
        if size <= _PIECE_BYTES and rows <= _PIECE_ROWS:
            return self._run(checked)
        pieces = [self._run(piece) for piece in _pieces(checked, rows, size)]
        return {
            spec.name: np.concatenate([piece[spec.name] for piece in pieces])
            for spec in self.contract.outputs
        }

    def labels(self, outputs: Arrays) -> Array | None:
        """The class label of each row of `predict`'s answer; None for a model without classes."""
        return labels.decide(self.contract, outputs)

    def _run(self, inputs: dict[str, Array]) -> dict[str, Array]:
        quantization = self.variant.quantization
        for name, tensor in quantization.inputs.items():
            inputs[name] = quantize(inputs[name], tensor)
        for name, places in self._places.items():
            inputs[name] = to_places(inputs[name], places)
        outputs = self.engine.run(inputs)
        return {spec.name: self._output(spec, outputs) for spec in self.contract.outputs}

    def _output(self, spec: OutputSpec, outputs: Arrays) -> Array:
        if spec.name not in outputs:
            raise EngineError(
                f"{self.variant.name} has no output {spec.name!r}: convert the model again"
            )
        array = outputs[spec.name]
        tensor = self.variant.quantization.outputs.get(spec.name)
        if tensor is not None:
            array = dequantize(array, tensor)
        words = self._words.get(spec.name)
        if words is not None:
            return self._text(spec, array, words)
        want = numpy_dtype(spec.dtype)
        if array.dtype == want:
            return array
        text, number = "USO", "fiub"
        if array.dtype.kind not in (text if want.kind == "U" else number):
            raise EngineError(
                f"{self.variant.name} gives {array.dtype} in output {spec.name!r}, expected "
                f"{spec.dtype}: convert the model again"
            )
        return array.astype(want)

    def _text(self, spec: OutputSpec, array: Array, words: Array) -> Array:
        try:
            return to_texts(array, words)
        except EngineError as error:
            raise EngineError(
                f"{self.variant.name} fails in output {spec.name!r}: {error}; convert the model "
                "again, or use a variant that holds text"
            ) from error


def load(
    bundle: str | os.PathLike[str] | Bundle, variant: str = AUTO, threads: int | None = None
) -> Model:
    """Open a bundle, verify it, and load one of its variants.

    Args:
        bundle: a path to a bundle, or an open one.
        variant: its name; `auto` takes the first of `PREFERENCE` that the bundle holds and whose
            engine is installed.
        threads: how many the engine may use; None leaves it to the engine.

    Raises:
        BundleError: where the bundle cannot be trusted or holds no such variant.
        EngineError: where no engine runs it.
    """
    opened = bundle if isinstance(bundle, Bundle) else Bundle.open(bundle)
    spec = _choose(opened) if variant == AUTO else opened.manifest.variant(variant)
    return Model(opened, spec, engines.open_engine(opened, spec, threads))


def _choose(bundle: Bundle) -> VariantSpec:
    held = bundle.manifest.variants
    ranked = sorted(
        held,
        key=lambda spec: (
            PREFERENCE.index(spec.name) if spec.name in PREFERENCE else len(PREFERENCE)
        ),
    )
    for spec in ranked:
        if engines.installed(spec.format):
            return spec
    formats = dict.fromkeys(spec.format for spec in ranked)
    remedies = " or ".join(f"pip install '{engines.NEEDS[format][1]}'" for format in formats)
    raise EngineMissingError(
        f"no engine for {', '.join(spec.name for spec in held)} is installed: {remedies}"
    )


def _pieces(inputs: dict[str, Array], rows: int, size: int) -> Iterator[dict[str, Array]]:
    step = min(_PIECE_ROWS, max(1, _PIECE_BYTES * rows // size))
    for start in range(0, rows, step):
        yield {name: array[start : start + step] for name, array in inputs.items()}


def _empty(spec: OutputSpec) -> Array:
    return np.empty((0, *(size or 0 for size in spec.shape[1:])), numpy_dtype(spec.dtype))
