"""Bundles: the verified folder, or one `.edgeship` file, that a board needs and nothing else."""

from edgeship_runtime.bundle.manifest import (
    BoundaryEvidence,
    Contract,
    Evidence,
    FileSpec,
    Goldens,
    InputSpec,
    Manifest,
    OutputError,
    OutputSpec,
    Quantization,
    QuantizedTensor,
    SourceInfo,
    TextWords,
    VariantSpec,
)
from edgeship_runtime.bundle.reader import Bundle
from edgeship_runtime.bundle.writer import BundleWriter

__all__ = [
    "BoundaryEvidence",
    "Bundle",
    "BundleWriter",
    "Contract",
    "Evidence",
    "FileSpec",
    "Goldens",
    "InputSpec",
    "Manifest",
    "OutputError",
    "OutputSpec",
    "Quantization",
    "QuantizedTensor",
    "SourceInfo",
    "TextWords",
    "VariantSpec",
]
