"""`manifest.json`: all that a board needs to know of a bundle, as typed structs.

The page for readers is docs/bundle-format.md. Nothing here imports numpy, so that reading a
manifest stays cheap; `bundle.decode` reads and checks one.
"""

from __future__ import annotations

import hashlib
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

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
# FileSpec and VariantSpec have a field called bytes, which hides the type in their bodies.
_Bytes = bytes


class _Fact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of the manifest's structs: immutable, and closed to fields that it does not know."""


class InputSpec(_Fact, frozen=True, kw_only=True, omit_defaults=True):
    """An input of the contract; a `None` in `shape` is free, and the first axis is the batch.

    `missing` says that the variants are proven on missing values: NaN, or an empty text.
    `categories` are those that the model knows, where the input is a column of such; any other
    value counts as unknown to it, or with `closed` is refused, as the source model refuses it.
    """

    name: str
    dtype: DType
    shape: tuple[int | None, ...]
    feature_names: tuple[str, ...] = ()
    missing: bool = False
    categories: tuple[ClassLabel, ...] = ()
    closed: bool = False


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


class TextWords(_Fact, frozen=True, kw_only=True):
    """The texts of a variant that holds whole numbers (int32) in their place, by name.

    A text is its place among these words; one that is none of them is -1.
    """

    inputs: dict[str, tuple[str, ...]] = {}
    outputs: dict[str, tuple[str, ...]] = {}


class OutputError(_Fact, frozen=True, kw_only=True):
    """How far one output of a variant lay from the source's, over all rows compared.

    `max_rel` is relative to the larger of |source| and one thousandth of the output's largest
    magnitude, so that values near zero do not blow it up. `tolerance` is how far a board's output
    may lie from a golden.
    """

    max_abs: float
    max_rel: float
    tolerance: float


class BoundaryEvidence(_Fact, frozen=True, kw_only=True):
    """What a variant made of rows drawn right beside the boundaries between the source's classes.

    `widest_gap`: by how much the source's best score leads the next one, at most, where labels
    are flipped: of probabilities or decision values; null where none are, or the model gives
    neither.
    """

    rows: int
    label_flips: int
    widest_gap: float | None = None


class Evidence(_Fact, frozen=True, kw_only=True):
    """What the comparison of a variant with the source model showed.

    `rows_from`: `eval-data` (the user's own), `held-out` (split off the data, never used to
    calibrate) or `synthetic` (drawn, where no data was given). `metric` is null without labels.
    `boundary` is there for classical classifiers only.
    """

    rows: int
    rows_from: Literal["eval-data", "held-out", "synthetic"]
    errors: dict[str, OutputError]
    label_flips: int | None = None
    metric: Literal["accuracy", "r2"] | None = None
    source_metric: float | None = None
    variant_metric: float | None = None
    boundary: BoundaryEvidence | UnsetType = UNSET


class VariantSpec(_Fact, frozen=True, kw_only=True, omit_defaults=True):
    """One runnable form of the model.

    `path` is a file, or a folder for a SavedModel. `sha256` is the file's own; for a folder it is
    that of the lines `<sha256>  <path within the folder>` of its files, sorted by path. `recipe`
    says how it was quantized, in the keys of docs/recipes.md; empty where precision was kept.
    """

    name: str
    format: Format
    precision: str
    path: str
    sha256: str
    bytes: int
    quantization: Quantization
    evidence: Evidence
    recipe: dict[str, str | int | float | dict[str, str] | None] = {}
    words: TextWords = TextWords()


class FileSpec(_Fact, frozen=True, kw_only=True):
    """A file of the bundle."""

    path: str
    sha256: str
    bytes: int

    @classmethod
    def of(cls, path: str, data: _Bytes) -> FileSpec:
        """The entry for a file that holds `data`."""
        return cls(path=path, sha256=hashlib.sha256(data).hexdigest(), bytes=len(data))


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
        missing = BundleError(f"the bundle has no variant {name!r}: it holds {have}")
        missing.exit_code = 2
        raise missing


def encode(manifest: Manifest) -> bytes:
    """The manifest's canonical bytes: the same facts give the same bytes."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"
