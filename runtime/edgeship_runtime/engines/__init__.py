"""Engines, and the one table that says which of them runs which format."""

from __future__ import annotations

from importlib.util import find_spec

from edgeship_runtime.bundle import Bundle, VariantSpec
from edgeship_runtime.bundle.manifest import Format
from edgeship_runtime.engines.engine import Engine, one_line
from edgeship_runtime.errors import EngineMissingError

# format: (module that must be importable, what to install)
NEEDS: dict[Format, tuple[str, str]] = {
    "tflite": ("ai_edge_litert", "edgeship[litert]"),
    "onnx": ("onnxruntime", "edgeship[onnx]"),
    "savedmodel": ("tensorflow", "edgeship[convert]"),
}


def installed(format: Format) -> bool:
    """Whether the engine for a format is installed; it is not imported to find out."""
    return find_spec(NEEDS[format][0]) is not None


def open_engine(bundle: Bundle, variant: VariantSpec, threads: int | None = None) -> Engine:
    """Load a variant from a verified bundle.

    Args:
        bundle: where the variant's bytes come from.
        variant: which one.
        threads: how many the engine may use; None leaves it to the engine.

    Raises:
        EngineMissingError: where the engine's package is not installed, or does not import.
        EngineError: where the engine refuses the variant.
    """
    module, extra = NEEDS[variant.format]
    if not installed(variant.format):
        raise EngineMissingError(
            f"{variant.name} needs {module}, which is not installed: pip install '{extra}'"
        )
    try:
        return _open(bundle, variant, threads)
    except ImportError as error:
        # A wheel for another C library or another numpy: common on boards.
        raise EngineMissingError(
            f"{variant.name} needs {module}, which is installed but does not import "
            f"({one_line(error)}): install a build for this machine"
        ) from error


def _open(bundle: Bundle, variant: VariantSpec, threads: int | None) -> Engine:
    match variant.format:
        case "tflite":
            from edgeship_runtime.engines.litert import LiteRT

            return LiteRT(bundle.artifact(variant), threads)
        case "onnx":
            from edgeship_runtime.engines.onnx_runtime import OnnxRuntime

            return OnnxRuntime(bundle.artifact(variant), threads)
        case "savedmodel":
            from edgeship_runtime.engines.saved_model import SavedModel

            return SavedModel(bundle, variant, threads)


__all__ = ["NEEDS", "Engine", "installed", "open_engine"]
