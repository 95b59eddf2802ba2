"""Parity: does a variant answer as the source does, on rows that it was not made from?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from edgeship_converters.errors import Fault
from edgeship_converters.plan import Number
from edgeship_runtime import labels, metrics
from edgeship_runtime.arrays import Array, Arrays
from edgeship_runtime.bundle import Contract, Evidence, OutputError, OutputSpec

RowsFrom = Literal["eval-data", "held-out", "synthetic"]
MAX_DROP = 0.005
# A float32 result may differ in the last of its 24 bits at each step of a sum; networks of
# ordinary depth stay two orders of magnitude inside this.
_RELATIVE = 1e-4
_ABSOLUTE = 1e-5
# Other CPUs round a quantized layer differently by one step; what the rows here showed is given
# this much room when a board checks itself on the goldens.
_GOLDEN_ROOM = 2.0
# float16 keeps 11 bits: each rounding is up to 2⁻¹¹ of a value, and sums over layers add up.
_HALF = 1e-2
# What the source's own answers change by when its inputs change by one bit, times this, is what
# other orders of summing may make of them; never more than a hundred times the ordinary limits.
_NOISE_ROOM = 8.0
_NOISE_MOST = 100.0
# A source that guesses loses nothing to a variant that guesses otherwise. So whatever the metric
# says, a variant may answer unlike the source by this many times the budget, and no more.
_UNLIKE_ROOM = 10.0
_UNLIKE_LEAST = 0.05
_WAYS = (
    "give more or more typical rows with --data",
    "keep layers in float with --recipe",
    "raise --max-drop",
)


@dataclass(frozen=True, slots=True)
class Judge:
    """The rows that variants are judged on, with the source's answers to them.

    Attributes:
        contract: what the answers mean.
        inputs: the rows.
        expected: the source's outputs for them.
        truth: the true labels or values, where there are any.
        rows_from: where the rows come from.
        max_drop: the budget of a quantized variant, as a share: of the metric lost, or without
            truth of labels flipped or variance unexplained. With truth these are limited too, ten
            times as widely and at least to 5 %; flips that mend a mistake do not count.
        shaken: the source's answers to inputs that differ in their last bit; see `shake`. Given,
            they widen the limits of float32 for models that magnify roundings.
    """

    contract: Contract
    inputs: dict[str, Array]
    expected: dict[str, Array]
    truth: Array | None
    rows_from: RowsFrom
    max_drop: float = MAX_DROP
    shaken: Mapping[str, Array] | None = None

    def evidence(self, outputs: Arrays, number: Number) -> Evidence:
        """Compare a variant's outputs with the source's."""
        flipped = labels.flipped(self.contract, self.expected, outputs)
        named = None if self.truth is None else metrics.score(self.contract, outputs, self.truth)
        source = (
            None if self.truth is None else metrics.score(self.contract, self.expected, self.truth)
        )
        return Evidence(
            rows=len(next(iter(self.expected.values()))),
            rows_from=self.rows_from,
            errors={
                spec.name: _error(
                    self.expected[spec.name],
                    outputs[spec.name],
                    self._limits(spec, number),
                    number,
                )
                for spec in self.contract.outputs
                if spec.role != "label" and spec.dtype != "string"
            },
            label_flips=None if flipped is None else int(np.count_nonzero(flipped)),
            metric=named[0] if named else None,
            source_metric=source[1] if source else None,
            variant_metric=named[1] if named else None,
        )

    def shape_fault(self, outputs: Arrays) -> Fault | None:
        """Why outputs cannot be compared with the source's at all; None where they can."""
        for spec in self.contract.outputs:
            expected, got = self.expected[spec.name].shape, np.shape(outputs[spec.name])
            if expected != got:
                return Fault(
                    f"gives output {spec.name!r} in the shape {got}, the source in {expected}"
                )
        return None

    def fault(self, outputs: Arrays, evidence: Evidence, number: Number) -> Fault | None:
        """Why a variant with this evidence must not be shipped: figure, limit, remedy."""
        for spec in self.contract.outputs:
            if _is_number(spec) and not np.isfinite(outputs[spec.name]).all():
                return Fault(f"gives NaN or infinite values in output {spec.name!r}")
        match number:
            case "float32":
                return self._float_fault(outputs, number)
            case "float16":
                return self._float_fault(outputs, number) or self._drop(evidence)
            case "integer":
                return self._quantized_fault(outputs, evidence)

    def verdict(self, outputs: Arrays, number: Number) -> Fault | None:
        """Why outputs must not be shipped, their shapes looked at first; None where they may."""
        unlike = self.shape_fault(outputs)
        return unlike or self.fault(outputs, self.evidence(outputs, number), number)

    def _limit_in_words(self, limit: float) -> str:
        return f"{limit:.2%}" + (", one row" if limit > self.max_drop else "")

    def _limits(self, spec: OutputSpec, number: Number) -> Array:
        expected = self.expected[spec.name]
        limits = _limits(expected, spec, number)
        if self.shaken is None or number != "float32" or not _is_number(spec):
            return limits
        change = np.abs(self.shaken[spec.name].astype(np.float64) - expected).max(axis=0)
        widened: Array = np.minimum(limits + _NOISE_ROOM * change, _NOISE_MOST * limits)
        return widened

    def _float_fault(self, outputs: Arrays, number: Number) -> Fault | None:
        ways = ("give --data, since these rows were drawn at random",)
        for spec in self.contract.outputs:
            expected, got = self.expected[spec.name], np.asarray(outputs[spec.name])
            limits = self._limits(spec, number)
            if not _is_number(spec):
                unlike = int(np.count_nonzero(_unlike_rows(expected, got)))
                if unlike:
                    what = f"{len(expected)} {'labels' if spec.role == 'label' else 'rows'}"
                    return Fault(f"flips {unlike} of {what} in output {spec.name!r} (limit 0)")
            elif not (np.abs(got - expected) <= limits).all():
                worst = np.argmax(np.abs(got - expected) - limits)
                return Fault(
                    f"is off by {np.abs(got - expected).flat[worst]:.3g} in output {spec.name!r} "
                    f"(limit {limits.flat[worst]:.3g})",
                    ways if self.rows_from == "synthetic" else (),
                )
        return None

    def _quantized_fault(self, outputs: Arrays, evidence: Evidence) -> Fault | None:
        if evidence.metric == "accuracy":
            return self._drop(evidence) or self._unlike_labels(outputs)
        if evidence.metric is not None:
            loosely = max(_UNLIKE_ROOM * self.max_drop, _UNLIKE_LEAST)
            return self._drop(evidence) or self._unlike_values(outputs, loosely)
        if evidence.label_flips is not None:
            return self._drop(evidence)
        return self._unlike_values(outputs, self.max_drop)

    def _unlike_labels(self, outputs: Arrays) -> Fault | None:
        """Too many labels that are neither the source's nor right."""
        flipped = labels.flipped(self.contract, self.expected, outputs)
        got = labels.decide(self.contract, outputs)
        if flipped is None or got is None or self.truth is None:
            return None
        worse = flipped & ~labels.same(got, self.truth)
        share, limit = float(worse.mean()), max(_UNLIKE_ROOM * self.max_drop, _UNLIKE_LEAST)
        if worse.sum() > max(1.0, limit * len(worse)):
            return Fault(
                f"gives {share:.2%} of {len(worse)} rows a label that is neither the source's nor "
                f"right (limit {limit:.2%})",
                _WAYS,
            )
        return None

    def _unlike_values(self, outputs: Arrays, limit: float) -> Fault | None:
        for spec in self.contract.outputs:
            expected, got = self.expected[spec.name], np.asarray(outputs[spec.name])
            if not spec.dtype.startswith("float"):
                # Words, places and truths are the same or others, never near.
                share = float(_unlike_rows(expected, got).mean())
                if share > max(limit, 1.0 / len(expected) if limit else 0.0):
                    return Fault(
                        f"gives {share:.2%} of {len(expected)} rows another output {spec.name!r} "
                        f"(limit {limit:.2%})",
                        _WAYS,
                    )
                continue
            lost = unexplained(expected, got)
            if not lost <= limit:
                return Fault(
                    f"leaves {_share_in_words(lost)} of the variance of output {spec.name!r} "
                    f"unexplained (limit {limit:.2%})",
                    _WAYS,
                )
        return None

    def _drop(self, evidence: Evidence) -> Fault | None:
        """What is lost of the metric, or without truth of the labels, beyond the budget."""
        # One row is the smallest difference that can be seen, and lost unless nothing may be.
        limit = self.max_drop
        if limit and evidence.metric != "r2":
            limit = max(limit, 1.0 / evidence.rows)
        if evidence.source_metric is not None and evidence.variant_metric is not None:
            drop = evidence.source_metric - evidence.variant_metric
            if drop > limit + 1e-9:
                return Fault(
                    f"loses {drop:.2%} {evidence.metric} on {evidence.rows} rows "
                    f"(limit {self._limit_in_words(limit)})",
                    _WAYS,
                )
            return None
        if evidence.label_flips is not None:
            share = evidence.label_flips / evidence.rows
            if share > limit + 1e-9:
                return Fault(
                    f"flips {share:.2%} of labels on {evidence.rows} rows "
                    f"(limit {self._limit_in_words(limit)})",
                    _WAYS,
                )
            return None
        return None


def shake(inputs: Arrays) -> dict[str, Array]:
    """The same inputs with each float moved up or down by one part in 2²³, the last bit of float32.

    What a model makes of it shows how far roundings reach: deep networks with sharp outputs
    magnify them a hundredfold, and no two engines sum in the same order.
    """
    random = np.random.default_rng(0)
    return {
        name: (array * (1 + random.choice([-1.0, 1.0], array.shape) * 2.0**-23)).astype(array.dtype)
        if array.dtype.kind == "f"
        else array
        for name, array in inputs.items()
    }


def _share_in_words(share: float) -> str:
    return f"{share:.2%}" if share <= 1 else "more than 100%"


def _unlike_rows(expected: Array, got: Array) -> Array:
    same = labels.same(expected, got)
    return np.asarray(~same.reshape(len(same), -1).all(axis=1))


def _is_number(spec: OutputSpec) -> bool:
    return spec.role != "label" and spec.dtype.startswith("float")


def _limits(expected: Array, spec: OutputSpec, number: Number = "float32") -> Array:
    """How far each value may lie off in a float format, by the size of its own column.

    Labels, words and integers may not be off at all.
    """
    if not _is_number(spec):
        return np.zeros(expected.shape)
    size = np.abs(expected.astype(np.float64))
    columns = size.reshape(len(size), -1) if size.ndim > 1 else size[:, None]
    largest = _measured(columns.max(axis=0, initial=0.0))
    if spec.role == "probabilities":
        largest = np.ones_like(largest)
    absolute, relative = (_HALF, _HALF) if number == "float16" else (_ABSOLUTE, _RELATIVE)
    limits: Array = (absolute * largest + relative * columns).reshape(size.shape)
    return limits


def unexplained(expected: Array, got: Array) -> float:
    """The largest share of a column's variance that is lost, over all columns.

    A column that hardly varies is held against a tenth of its size instead.
    """
    e = expected.astype(np.float64).reshape(len(expected), -1)
    g = np.asarray(got).astype(np.float64).reshape(len(expected), -1)
    error = ((e - g) ** 2).mean(axis=0)
    spread = np.maximum(e.var(axis=0), (0.1 * np.abs(e).max(axis=0, initial=0.0)) ** 2)
    return float((error / _measured(spread)).max(initial=0.0))


def _measured(sizes: Array) -> Array:
    """Sizes of columns; one that is all zeros is measured by the largest of them, else by 1."""
    known: Array = np.where(sizes > 0, sizes, sizes.max(initial=0.0) or 1.0)
    return known


def _error(expected: Array, got: Array, limits: Array, number: Number) -> OutputError:
    e, g = expected.astype(np.float64), np.asarray(got).astype(np.float64)
    difference = np.abs(g - e)
    largest = float(np.abs(e).max(initial=0.0))
    floor = np.maximum(np.abs(e), max(largest * 1e-3, float(np.finfo(np.float32).tiny)))
    max_abs = float(difference.max(initial=0.0))
    room = float(limits.max(initial=0.0))
    return OutputError(
        max_abs=max_abs,
        max_rel=float((difference / floor).max(initial=0.0)),
        tolerance=room if number == "float32" else max(room, _GOLDEN_ROOM * max_abs),
    )
