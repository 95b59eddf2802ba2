"""From a source to the variants asked for: the graph of formats and the way through it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from edgeship_converters.artifact import Artifact, Task
from edgeship_converters.errors import PlanError
from edgeship_converters.sources import Kind

ALL = "all"
Number = Literal["float32", "float16", "integer"]


@dataclass(frozen=True, slots=True)
class Step:
    """An arrow of the graph.

    Attributes:
        start: a kind of source, or the variant that the step starts from.
        variant: the variant that it makes.
        tools: the distributions that take part, for the manifest.
        real_rows: whether so much precision is lost, or range, that only real rows can prove the
            outcome.
    """

    start: str
    variant: str
    tools: tuple[str, ...]
    real_rows: bool = False

    @property
    def number(self) -> Number:
        """The number format that the variant's outcome is held against."""
        precision = self.variant.split("-", 1)[1]
        return precision if precision in ("float32", "float16") else "integer"  # type: ignore[return-value]


_TF = ("tensorflow", "keras")
_LITERT = ("litert-quantizer", "ai-edge-litert")
_ORT = ("onnxruntime", "onnx")
STEPS = (
    Step("keras", "savedmodel-float32", _TF),
    Step("tensorflow", "savedmodel-float32", ("tensorflow",)),
    Step("savedmodel-float32", "tflite-float32", ("tensorflow",)),
    Step("tflite-float32", "tflite-float16", _LITERT),
    Step("tflite-float32", "tflite-dynamic-int8", _LITERT, real_rows=True),
    Step("tflite-float32", "tflite-int8", _LITERT, real_rows=True),
    Step("tflite-float32", "tflite-int16x8", _LITERT, real_rows=True),
    Step("tflite-float32", "tflite-int4", _LITERT, real_rows=True),
    Step("savedmodel-float32", "onnx-float32", ("tensorflow", "tf2onnx", "onnx", "onnxruntime")),
    Step("sklearn", "onnx-float32", ("scikit-learn", "skl2onnx", "onnx")),
    Step("onnx", "onnx-float32", _ORT),
    Step("onnx-float32", "savedmodel-float32", ("tensorflow",)),
    Step("onnx-float32", "tflite-float32", ("tensorflow",)),
    Step("onnx-float32", "onnx-float16", _ORT, real_rows=True),
    Step("onnx-float32", "onnx-dynamic-int8", _ORT, real_rows=True),
    Step("onnx-float32", "onnx-int8", _ORT, real_rows=True),
)


def take(step: Step, start: Any, task: Task) -> Artifact:
    """Run one step, on a source or on an artifact; tools are imported here and not before.

    Raises:
        StepError: where the step's tool fails on this model.
    """
    match (step.start, step.variant):
        case ("keras" | "tensorflow", "savedmodel-float32"):
            from edgeship_converters.steps.to_savedmodel import to_savedmodel

            return to_savedmodel(start, task)
        case ("onnx-float32", "savedmodel-float32"):
            from edgeship_converters.steps.onnx_to_savedmodel import onnx_to_savedmodel

            return onnx_to_savedmodel(start, task)
        case ("onnx-float32", "tflite-float32"):
            from edgeship_converters.steps.onnx_to_savedmodel import onnx_to_tflite

            return onnx_to_tflite(start, task)
        case (_, "tflite-float32"):
            from edgeship_converters.steps.savedmodel_to_tflite import savedmodel_to_tflite

            return savedmodel_to_tflite(start, task)
        case ("tflite-float32", _):
            from edgeship_converters.steps.tflite_quantize import tflite_quantize

            return tflite_quantize(start, task)
        case ("savedmodel-float32", "onnx-float32"):
            from edgeship_converters.steps.savedmodel_to_onnx import savedmodel_to_onnx

            return savedmodel_to_onnx(start, task)
        case ("sklearn", "onnx-float32"):
            from edgeship_converters.steps.sklearn_to_onnx import sklearn_to_onnx

            return sklearn_to_onnx(start, task)
        case ("onnx", "onnx-float32"):
            from edgeship_converters.steps.onnx_as_source import onnx_as_source

            return onnx_as_source(start, task)
        case (_, "onnx-float16"):
            from edgeship_converters.steps.onnx_to_float16 import onnx_to_float16

            return onnx_to_float16(start, task)
        case (_, "onnx-dynamic-int8"):
            from edgeship_converters.steps.onnx_quantize import onnx_to_dynamic_int8

            return onnx_to_dynamic_int8(start, task)
        case (_, "onnx-int8"):
            from edgeship_converters.steps.onnx_quantize import onnx_to_int8

            return onnx_to_int8(start, task)
    raise ValueError(f"no step leads from {step.start} to {step.variant}")


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps to run, in order, and the variants among their outcomes that were asked for.

    Attributes:
        steps: in an order in which each start is made before it is needed.
        variants: those asked for.
        without_data: those that `all` would hold too, were there data to prove them on.
        may_leave_out: whether a variant that cannot be made or proven is left out and named, as
            `all` means; one that was asked for by name must be made.
    """

    steps: tuple[Step, ...]
    variants: tuple[str, ...]
    without_data: tuple[str, ...] = ()
    may_leave_out: bool = False


def reachable(kind: Kind) -> dict[str, Step]:
    """Every variant that can be made of a kind of source, with the step that makes it."""
    found: dict[str, Step] = {}
    starts, before = {str(kind)}, 0
    # Of neural models TFLite comes first, of classical ones ONNX, so that one pass need not do.
    while len(starts) > before:
        before = len(starts)
        for step in STEPS:
            if step.start in starts and step.variant not in found:
                found[step.variant] = step
                starts.add(step.variant)
    return found


def make_plan(kind: Kind, wanted: str | Sequence[str], *, with_data: bool) -> Plan:
    """The shortest plan that makes the variants wanted, each shared step once.

    Args:
        kind: of the source.
        wanted: variant names, in a sequence or joined by commas; `all` for every one that can be
            made with what was given.
        with_data: whether there are rows to calibrate and to prove quantized variants on.

    Raises:
        PlanError: for a name that is unknown or cannot be reached, or that needs data.
    """
    ways = reachable(kind)
    names = wanted.split(",") if isinstance(wanted, str) else list(wanted)
    names = [name.strip() for name in names if name.strip()]
    if not names:
        raise PlanError(f"no variants were asked for: give all, or some of {', '.join(ways)}")
    without_data = tuple(name for name, step in ways.items() if step.real_rows and not with_data)
    if ALL in names:
        chosen = tuple(name for name in ways if name not in without_data)
        return Plan(_steps_to(chosen, kind, ways), chosen, without_data, may_leave_out=True)
    for name in names:
        if name not in ways:
            raise PlanError(
                f"{name!r} cannot be made from a {kind} model: choose among {', '.join(ways)}"
            )
        if name in without_data:
            raise PlanError(f"{name} loses precision, and real rows must prove it: give --data")
    chosen = tuple(name for name in ways if name in names)
    return Plan(_steps_to(chosen, kind, ways), chosen)


def _steps_to(variants: Sequence[str], kind: Kind, ways: dict[str, Step]) -> tuple[Step, ...]:
    needed: list[Step] = []
    for variant in variants:
        way: list[Step] = []
        at = variant
        while at != kind:
            way.append(ways[at])
            at = ways[at].start
        needed += [step for step in reversed(way) if step not in needed]
    return tuple(needed)
