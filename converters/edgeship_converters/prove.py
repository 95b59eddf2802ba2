"""The proof: each variant, run as boards run it, against the source model."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import msgspec
import numpy as np

from edgeship_converters.artifact import Artifact
from edgeship_converters.boundary import boundary_evidence
from edgeship_converters.cache import Cache, digest, digest_arrays
from edgeship_converters.draft import Draft
from edgeship_converters.errors import Fault, SourceError
from edgeship_converters.parity import Judge, shake
from edgeship_converters.plan import Step
from edgeship_converters.remembered import RememberedSource
from edgeship_converters.rows import stretched, with_missing
from edgeship_converters.tools import machine, own_code, releases
from edgeship_runtime import labels
from edgeship_runtime.arrays import Array, Arrays
from edgeship_runtime.bundle import Bundle, Evidence
from edgeship_runtime.errors import EdgeshipError
from edgeship_runtime.model import load
from edgeship_runtime.quiet import quiet

_ENGINES = {
    "tflite": ("ai-edge-litert",),
    "onnx": ("onnxruntime",),
    "savedmodel": ("tensorflow",),
}


# LiteRT convolves 16-bit integers on one thread, however many it may use, and tens of times as
# slowly as 8-bit ones.
_ONE_THREAD = ("tflite-int16x8",)
# The same on each machine, however many cores it has, and so are the batches.
_PARTS = 4


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of holding a variant against its source.

    Attributes:
        evidence: the figures; None where the outputs cannot even be compared.
        fault: why the variant must not be shipped; None where it may.
        agreed: for each row, whether the variant decides as the source does.
    """

    evidence: Evidence | None
    fault: Fault | None
    agreed: Array


@dataclass(frozen=True, slots=True)
class Prover:
    """Runs variants through the runtime that boards use, and judges what they answer.

    Attributes:
        draft: of the bundle, for trials.
        judge: of the answers.
        cache: where answers are kept.
        source: asked once more where a float32 variant lies outside the ordinary limits.
        own_converters: whether some are the user's: on the rows of a training set a step may do
            nothing that shows, so that these are judged beyond them too.
    """

    draft: Draft
    judge: Judge
    cache: Cache
    source: RememberedSource
    own_converters: bool = False

    def prove(self, step: Step, artifact: Artifact) -> Proof:
        """Run one variant on the rows to be judged, and compare."""
        rows = len(next(iter(self.judge.inputs.values())))
        nothing = np.zeros(rows, dtype=bool)
        try:
            outputs = self.outputs(step.variant, artifact)
        except EdgeshipError as error:
            stopped = Fault(f"does not run: {error}", ("keep layers in float with --recipe",))
            return Proof(None, stopped, nothing)
        unlike = self.judge.shape_fault(outputs)
        if unlike is not None:
            return Proof(None, unlike, nothing)
        judge = self.judge
        evidence = judge.evidence(outputs, step.number)
        fault = judge.fault(outputs, evidence, step.number)
        if fault is not None and step.number == "float32":
            judge = replace(judge, shaken=self.source.predict(shake(judge.inputs)))
            evidence = judge.evidence(outputs, step.number)
            fault = judge.fault(outputs, evidence, step.number)
        if fault is None:
            fault = self._fault_on_missing(step, artifact)
        if fault is None and self.own_converters:
            fault = self._fault_beyond(step, artifact)
        if fault is None:
            evidence = self._with_boundary(step, artifact, evidence)
        return Proof(evidence, fault, self._agreed(outputs))

    def outputs(self, variant: str, artifact: Artifact) -> dict[str, Array]:
        """What a variant answers to the rows to be judged.

        Raises:
            EngineError: where this machine's engine refuses the variant or fails.
        """
        engine = releases(_ENGINES[variant.split("-", maxsplit=1)[0]])
        key = digest(
            "outputs",
            variant,
            artifact.sha256,
            artifact.quantization,
            artifact.words,
            self.judge.contract,
            digest_arrays(self.judge.inputs),
            engine,
            machine(),
            own_code(),
        )
        found = self.cache.find_arrays(key)
        if found is None:
            bundle = self.draft.trial(variant, artifact)
            with quiet():
                found = (
                    _in_parts(bundle, variant, self.judge.inputs)
                    if variant in _ONE_THREAD
                    else load(bundle, variant).predict(self.judge.inputs)
                )
            self.cache.keep_arrays(key, found)
        return found

    def _fault_on_missing(self, step: Step, artifact: Artifact) -> Fault | None:
        """What is wrong on rows with missing values, where the contract says that it takes any."""
        inputs = with_missing(self.judge.contract, self.judge.inputs)
        if inputs is None:
            return None
        return self._fault_on(inputs, "rows with missing values", step, artifact)

    def _fault_beyond(self, step: Step, artifact: Artifact) -> Fault | None:
        """What is wrong on rows beyond those to be judged, where the source answers them."""
        inputs = stretched(self.judge.inputs)
        try:
            return self._fault_on(inputs, "rows beyond those of the data", step, artifact)
        except SourceError:
            return None

    def _fault_on(
        self, inputs: dict[str, Array], what: str, step: Step, artifact: Artifact
    ) -> Fault | None:
        other = self._on(inputs)
        try:
            outputs = other.outputs(step.variant, artifact)
        except EdgeshipError as error:
            return Fault(f"does not run on {what}: {error}")
        fault = other.judge.verdict(outputs, step.number)
        return fault and replace(fault, reason=f"{fault.reason}, on {what}")

    def _with_boundary(self, step: Step, artifact: Artifact, evidence: Evidence) -> Evidence:
        inputs = self.source.beside_boundary(self.judge.inputs, self.judge.expected)
        if not inputs:
            return evidence
        other = self._on(inputs)
        outputs = other.outputs(step.variant, artifact)
        found = boundary_evidence(other.judge.contract, other.judge.expected, outputs)
        return msgspec.structs.replace(evidence, boundary=found)

    def _on(self, inputs: dict[str, Array]) -> Prover:
        """The same, to judge by other rows, whose truth is not known."""
        expected = self.source.predict(inputs)
        return replace(
            self, judge=replace(self.judge, inputs=inputs, expected=expected, truth=None)
        )

    def _agreed(self, outputs: dict[str, Array]) -> Array:
        flipped = labels.flipped(self.judge.contract, self.judge.expected, outputs)
        if flipped is None:
            return np.ones(len(next(iter(outputs.values()))), dtype=bool)
        return ~flipped


def _in_parts(bundle: Bundle, variant: str, inputs: Arrays) -> dict[str, Array]:
    """Predict parts of the rows side by side, each by an engine of its own."""
    rows = len(next(iter(inputs.values())))
    size = -(-rows // _PARTS)

    def predict(start: int) -> dict[str, Array]:
        part = {name: array[start : start + size] for name, array in inputs.items()}
        return load(bundle, variant).predict(part)

    with ThreadPoolExecutor(min(_PARTS, os.cpu_count() or 1)) as threads:
        answers = list(threads.map(predict, range(0, rows, size)))
    return {name: np.concatenate([part[name] for part in answers]) for name in answers[0]}
