"""`manifest.json`: all that a board needs to know of a bundle, as typed, checked structs.

The page for readers is docs/bundle-format.md. Nothing here imports numpy, so that reading a
manifest stays cheap.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from edgeship_runtime.bundle.paths import check_distinct, check_path
from edgeship_runtime.errors import BundleError

SCHEMA_VERSION = 1

DType = Literal[
    "float16", "float32", "float64",
    "int8", "int16", "int32", "int64",
    "uint8", "uint16", "uint32", "uint64",
    "bool", "string",
]  # fmt: skip
Format = Literal["savedmodel", "tflite", "onnx"]
Task = Literal["classification", "regression", "other"]
Role = Literal["label", "probabilities", "logits", "value", "tensor"]
ClassLabel = bool | int | float | str


class _Fact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of the manifest's structs: immutable, and closed to fields that it does not know."""


class InputSpec(_Fact, frozen=True, kw_only=True):
    """An input of the contract; a `None` in `shape` is free, and the first axis is the batch."""

    name: str
    dtype: DType
    shape: tuple[int | None, ...]
    feature_names: tuple[str, ...] = ()


class OutputSpec(_Fact, frozen=True, kw_only=True):
    """An output of the contract, and what it means.

    `role`: `label` is the decided class, `probabilities` and `logits` are scores by class,
    `value` a regression's prediction, `tensor` anything else.
    """

    name: str
    dtype: DType
    shape: tuple[int | None, ...]
    role: Role = "tensor"


class Contract(_Fact, frozen=True, kw_only=True):
    """What callers give and get, the same for every variant of a model."""

    task: Task
    inputs: tuple[InputSpec, ...]
    outputs: tuple[OutputSpec, ...]
    classes: tuple[ClassLabel, ...] | None = None


class QuantizedTensor(_Fact, frozen=True, kw_only=True):
    """How a variant's own integers stand for real numbers: real = (integer - zero_point)·scale."""

    dtype: Literal["int8", "uint8", "int16"]
    scale: float
    zero_point: int


class Quantization(_Fact, frozen=True, kw_only=True):
    """The quantized inputs and outputs of a variant, by name; those not named are not quantized."""

    inputs: dict[str, QuantizedTensor] = {}
    outputs: dict[str, QuantizedTensor] = {}


class OutputError(_Fact, frozen=True, kw_only=True):
    """How far one output of a variant lay from the source's, over all rows compared.

    `max_rel` is relative to the larger of |source| and one thousandth of the output's largest
    magnitude, so that values near zero do not blow it up. `tolerance` is how far a board's output
    may lie from a golden.
    """

    max_abs: float
    max_rel: float
    tolerance: float


class Evidence(_Fact, frozen=True, kw_only=True):
    """What the comparison of a variant with the source model showed.

    `rows_from`: `eval-data` (the user's own), `held-out` (split off the data, never used to
    calibrate) or `synthetic` (drawn, where no data was given). `metric` is null without labels.
    """

    rows: int
    rows_from: Literal["eval-data", "held-out", "synthetic"]
    errors: dict[str, OutputError]
    label_flips: int | None = None
    metric: Literal["accuracy", "r2"] | None = None
    source_metric: float | None = None
    variant_metric: float | None = None


class VariantSpec(_Fact, frozen=True, kw_only=True):
    """One runnable form of the model.

    `path` is a file, or a folder for a SavedModel. `sha256` is the file's own; for a folder it is
    that of the lines `<sha256>  <path within the folder>` of its files, sorted by path.
    """

    name: str
    format: Format
    precision: str
    path: str
    sha256: str
    bytes: int
    quantization: Quantization
    evidence: Evidence


class FileSpec(_Fact, frozen=True, kw_only=True):
    """A file of the bundle."""

    path: str
    sha256: str
    bytes: int


class Goldens(_Fact, frozen=True, kw_only=True):
    """Rows with the source's outputs for them: one `.npy` file for each input and output."""

    rows: int
    inputs: dict[str, str]
    outputs: dict[str, str]


class SourceInfo(_Fact, frozen=True, kw_only=True):
    """The model that the bundle was made from."""

    kind: str
    sha256: str


class Manifest(_Fact, frozen=True, kw_only=True):
    """All of `manifest.json`."""

    schema_version: int = SCHEMA_VERSION
    name: str
    version: str
    task: Task
    inputs: tuple[InputSpec, ...]
    outputs: tuple[OutputSpec, ...]
    classes: tuple[ClassLabel, ...] | None = None
    label_column: str | None = None
    source: SourceInfo
    tools: dict[str, str]
    variants: tuple[VariantSpec, ...]
    goldens: Goldens
    baseline: str | None = None
    files: tuple[FileSpec, ...]

    @property
    def contract(self) -> Contract:
        """The part that callers see."""
        return Contract(
            task=self.task, inputs=self.inputs, outputs=self.outputs, classes=self.classes
        )

    def variant(self, name: str) -> VariantSpec:
        """The variant called `name`.

        Raises:
            BundleError: where there is none; the message lists those there are.
        """
        for variant in self.variants:
            if variant.name == name:
                return variant
        have = ", ".join(variant.name for variant in self.variants)
        raise BundleError(f"the bundle has no variant {name!r}: it holds {have}")


class _Versioned(msgspec.Struct):
    schema_version: int


def encode(manifest: Manifest) -> bytes:
    """The manifest's canonical bytes: the same facts give the same bytes."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"


def decode(data: bytes) -> Manifest:
    """Read and check a manifest.

    Raises:
        BundleError: for anything but a complete, consistent manifest of this schema version.
    """
    try:
        version = msgspec.json.decode(data, type=_Versioned).schema_version
        if version != SCHEMA_VERSION:
            raise BundleError(
                f"the bundle's schema version is {version}, this edgeship reads {SCHEMA_VERSION}: "
                "convert the model again, or install the edgeship that made it"
            )
        manifest = msgspec.json.decode(data, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BundleError(f"the bundle's manifest.json is not valid: {error}") from error
    _check(manifest)
    return manifest


def _check(manifest: Manifest) -> None:
    for fault in _faults(manifest):
        raise BundleError(f"the bundle's manifest.json is not valid: {fault}")
    check_distinct([check_path(file.path) for file in manifest.files])
    held = {file.path for file in manifest.files}
    for path in _referenced_files(manifest):
        if path not in held:
            raise BundleError(f"the bundle's manifest.json is not valid: {path!r} is not in files")


def _faults(manifest: Manifest) -> Iterator[str]:
    if not manifest.inputs or not manifest.outputs or not manifest.variants:
        yield "inputs, outputs and variants must not be empty"
    for kind, names in (
        ("input", [spec.name for spec in manifest.inputs]),
        ("output", [spec.name for spec in manifest.outputs]),
        ("variant", [spec.name for spec in manifest.variants]),
    ):
        if len(set(names)) != len(names):
            yield f"two {kind}s share a name"
        if not all(names):
            yield f"an {kind} has an empty name"
    specs: list[InputSpec | OutputSpec] = [*manifest.inputs, *manifest.outputs]
    for spec in specs:
        if not spec.shape or any(size is not None and size < 1 for size in spec.shape):
            yield f"{spec.name!r} has the shape {spec.shape}"
    if not _finite(msgspec.to_builtins(manifest)):
        yield "it holds a number that is NaN or infinite"
    for variant in manifest.variants:
        if variant.name != f"{variant.format}-{variant.precision}":
            yield f"variant {variant.name!r} is not named {variant.format}-{variant.precision}"
        for tensor in (
            *variant.quantization.inputs.values(),
            *variant.quantization.outputs.values(),
        ):
            if tensor.scale <= 0:
                yield f"variant {variant.name!r} has a quantization scale of {tensor.scale}"
    for file in manifest.files:
        if file.bytes < 0 or len(file.sha256) != 64 or set(file.sha256) - set("0123456789abcdef"):
            yield f"the size or hash of {file.path!r} is malformed"
    names_in = {spec.name for spec in manifest.inputs}
    names_out = {spec.name for spec in manifest.outputs}
    if set(manifest.goldens.inputs) != names_in or set(manifest.goldens.outputs) != names_out:
        yield "goldens do not name the same inputs and outputs as the contract"


def _referenced_files(manifest: Manifest) -> Iterator[str]:
    yield from manifest.goldens.inputs.values()
    yield from manifest.goldens.outputs.values()
    if manifest.baseline is not None:
        yield manifest.baseline
    for variant in manifest.variants:
        yield variant.path if variant.format != "savedmodel" else f"{variant.path}/1/saved_model.pb"


def _finite(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(_finite(item) for item in value.values())
    if isinstance(value, list | tuple):
        return all(_finite(item) for item in value)
    return True
