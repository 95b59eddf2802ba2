"""The golden self-test: does this machine's engine compute what the source model did?"""

from __future__ import annotations

import io

import msgspec
import numpy as np

from edgeship_runtime.arrays import Array
from edgeship_runtime.bundle import Bundle
from edgeship_runtime.errors import BundleError, SelfTestError
from edgeship_runtime.labels import same
from edgeship_runtime.model import Model


class GoldenResult(msgspec.Struct, frozen=True, kw_only=True):
    """What one variant made of the goldens.

    `used` is the largest share of an output's tolerance that was needed; above 1 it fails.
    `worst_output` and `error` say where that was, and how far off it lay (the share of rows that
    differ, for an output that is not a number).
    """

    variant: str
    engine: str
    rows: int
    worst_output: str
    error: float
    tolerance: float
    used: float

    @property
    def passed(self) -> bool:
        """Whether all outputs are within tolerance."""
        return self.used <= 1.0


def golden_inputs(bundle: Bundle) -> dict[str, Array]:
    """The goldens' input rows, by input name."""
    return {k: _array(bundle, path) for k, path in bundle.manifest.goldens.inputs.items()}


def golden_outputs(bundle: Bundle) -> dict[str, Array]:
    """The source's outputs for the goldens, by output name."""
    return {k: _array(bundle, path) for k, path in bundle.manifest.goldens.outputs.items()}


def run_goldens(model: Model) -> GoldenResult:
    """Run a model on its bundle's goldens and compare.

    Raises:
        EngineError: where the engine fails on them.
        BundleError: where the goldens are not arrays.
    """
    bundle = model.bundle
    outputs = model.predict(golden_inputs(bundle))
    errors = model.variant.evidence.errors
    results = []
    for name, golden in golden_outputs(bundle).items():
        if golden.dtype.kind in "f":
            error = _largest_difference(outputs[name], golden)
            tolerance = errors[name].tolerance if name in errors else 0.0
        else:
            error = _share_of_unlike(outputs[name], golden)
            tolerance = 0.0
        used = 0.0 if error == 0.0 else error / tolerance if tolerance else float("inf")
        results.append((used, name, error, tolerance))
    used, name, error, tolerance = max(results)
    return GoldenResult(
        variant=model.variant.name,
        engine=model.engine.name,
        rows=bundle.manifest.goldens.rows,
        worst_output=name,
        error=error,
        tolerance=tolerance,
        used=used,
    )


def check_goldens(model: Model) -> GoldenResult:
    """Run the goldens, and refuse a machine that does not reproduce them.

    Raises:
        SelfTestError: with the figure and its limit.
    """
    result = run_goldens(model)
    if not result.passed:
        raise SelfTestError(
            f"{result.variant} on {result.engine} is {result.error:.3g} off the source in output "
            f"{result.worst_output!r} (tolerance {result.tolerance:.3g}): this machine's engine "
            "computes wrongly, use another variant or another release of the engine"
        )
    return result


def _array(bundle: Bundle, path: str) -> Array:
    try:
        array = np.load(io.BytesIO(bundle.read(path)), allow_pickle=False)
    except BundleError:
        raise
    except Exception as error:
        # numpy's header is Python source: reading it may raise whatever its parser does, and
        # MemoryError for a shape that the file does not fill.
        raise BundleError(f"the golden {path!r} is not an array: convert again") from error
    rows = bundle.manifest.goldens.rows
    if not isinstance(array, np.ndarray) or array.shape[:1] != (rows,):
        raise BundleError(f"the golden {path!r} is not an array of {rows} rows: convert again")
    return array


def _largest_difference(one: Array, other: Array) -> float:
    if one.shape != other.shape or not (np.isfinite(one).all() and np.isfinite(other).all()):
        return float("inf")
    return float(np.abs(one.astype(np.float64) - other.astype(np.float64)).max(initial=0.0))


def _share_of_unlike(one: Array, other: Array) -> float:
    return float(np.mean(~same(one, other))) if one.shape == other.shape else 1.0
