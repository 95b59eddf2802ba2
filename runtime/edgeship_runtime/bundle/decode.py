"""Reading a manifest: every fact in it is checked before anyone may rely on it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import msgspec

from edgeship_runtime.bundle.manifest import (
    SCHEMA_VERSION,
    Contract,
    InputSpec,
    Manifest,
    OutputSpec,
    VariantSpec,
)
from edgeship_runtime.bundle.paths import check_distinct, check_path
from edgeship_runtime.errors import BundleError

_INTEGERS = {"int8": (-128, 127), "uint8": (0, 255), "int16": (-32768, 32767)}
# Scales are float32 on every board: the smallest normal and the largest.
_FLOAT32_MIN = 2.0**-126
_FLOAT32_MAX = (2.0 - 2.0**-23) * 2.0**127
_MAX_AXIS = (1 << 31) - 1


class _Versioned(msgspec.Struct):
    schema_version: int


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
        # The message may quote the manifest: line breaks and control characters must not get out.
        said = str(error).encode("unicode_escape").decode("ascii")
        raise BundleError(f"the bundle's manifest.json is not valid: {said}") from error
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
        for name in names:
            if not name or not name.isprintable():
                yield f"{kind} {name!r} has a name that is empty or not printable"
    if not _finite(msgspec.to_builtins(manifest)):
        yield "it holds a number that is NaN or infinite"
    yield from _contract_faults(manifest.contract)
    for variant in manifest.variants:
        yield from _variant_faults(variant, manifest.contract)
    for file in manifest.files:
        if file.bytes < 0 or len(file.sha256) != 64 or set(file.sha256) - set("0123456789abcdef"):
            yield f"the size or hash of {file.path!r} is malformed"
    names_in = {spec.name for spec in manifest.inputs}
    names_out = {spec.name for spec in manifest.outputs}
    if set(manifest.goldens.inputs) != names_in or set(manifest.goldens.outputs) != names_out:
        yield "goldens do not name the same inputs and outputs as the contract"
    if manifest.goldens.rows < 1:
        yield f"goldens have {manifest.goldens.rows} rows, expected at least one"


def _contract_faults(contract: Contract) -> Iterator[str]:
    specs: list[InputSpec | OutputSpec] = [*contract.inputs, *contract.outputs]
    for spec in specs:
        sizes = [size for size in spec.shape if size is not None]
        if not spec.shape or not all(1 <= size <= _MAX_AXIS for size in sizes):
            yield f"{spec.name!r} has the shape {spec.shape}"
    for given in contract.inputs:
        names = len(given.feature_names)
        if names and (len(given.shape) != 2 or given.shape[1] not in (None, names)):
            yield f"input {given.name!r} has {names} feature names for the shape {given.shape}"
    for output in contract.outputs:
        if contract.classes is None or output.role not in ("probabilities", "logits"):
            continue
        classes = len(contract.classes)
        fits = (classes, 1, None) if classes == 2 else (classes, None)
        if len(output.shape) != 2 or output.shape[1] not in fits:
            yield f"output {output.name!r} has the shape {output.shape} for {classes} classes"


def _variant_faults(variant: VariantSpec, contract: Contract) -> Iterator[str]:
    if variant.name != f"{variant.format}-{variant.precision}":
        yield f"variant {variant.name!r} is not named by its format and precision"
    quantization, words = variant.quantization, variant.words
    for tensors, texts, specs in (
        (quantization.inputs, words.inputs, contract.inputs),
        (quantization.outputs, words.outputs, contract.outputs),
    ):
        dtypes = {spec.name: spec.dtype for spec in specs}
        for name, tensor in tensors.items():
            if not dtypes.get(name, "").startswith("float"):
                yield f"variant {variant.name!r} quantizes {name!r}, not a float of the contract"
            low, high = _INTEGERS[tensor.dtype]
            if not low <= tensor.zero_point <= high:
                yield f"variant {variant.name!r} has the zero point {tensor.zero_point}"
            if not _FLOAT32_MIN <= tensor.scale <= _FLOAT32_MAX:
                yield f"variant {variant.name!r} has a quantization scale of {tensor.scale}"
        for name, listed in texts.items():
            if dtypes.get(name) != "string":
                yield f"variant {variant.name!r} has words for {name!r}, not a text of the contract"
            if not listed:
                yield f"variant {variant.name!r} has an empty list of words for {name!r}"
            if len(set(listed)) != len(listed):
                yield f"variant {variant.name!r} has the same word twice for {name!r}"
    for name, error in variant.evidence.errors.items():
        if error.tolerance < 0:
            yield f"variant {variant.name!r} has a tolerance of {error.tolerance} for {name!r}"


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
