"""The sensitivity study of a conversion: the layers ranked, and int8 variants that miss the budget
made once more with some of them in float.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from edgeship_converters.artifact import Artifact, Task
from edgeship_converters.budget import Met, Search, meet_budget
from edgeship_converters.cache import digest, digest_arrays
from edgeship_converters.making import Maker
from edgeship_converters.parity import Judge
from edgeship_converters.plan import Plan, Step
from edgeship_converters.prove import Proof, Prover
from edgeship_converters.recipe import Recipe
from edgeship_converters.rows import Rows
from edgeship_converters.sensitivity import Ranking, layer_count, rank_layers
from edgeship_converters.steps.layered import LayeredModel
from edgeship_converters.tools import making_depends_on
from edgeship_runtime.quiet import quiet

SEARCHED = ("tflite-int8", "onnx-int8")


@dataclass(frozen=True, slots=True)
class Studied:
    """What came of a study.

    Attributes:
        ranking: of the layers in one float form, under its int8 recipe, or the one that the
            search went on with; None where none was asked for, or there is no form to rank.
        met: what was found for each int8 variant that missed the budget, by variant.
    """

    ranking: Ranking | None = None
    met: Mapping[str, Met] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Study:
    """All that a study needs of the conversion that it is a part of.

    Attributes:
        maker: that made the variants.
        prover: that proved them.
        rows: the calibration rows tune; they carry labels where the data does.
        made: all forms of the model, float ones included.
    """

    maker: Maker
    prover: Prover
    rows: Rows
    made: Mapping[str, Artifact]

    def run(
        self, plan: Plan, proofs: Mapping[str, Proof], on_warning: Callable[[str], None]
    ) -> Studied:
        """Rank the layers, and search where an int8 variant asked for misses the budget.

        TFLite's layers are ranked where a float form was made, else ONNX's.
        """
        forms = {start: self._layered(start) for start in self._starts()}
        met = {}
        for step in plan.steps:
            searched = step.variant in SEARCHED and step.start in forms
            if searched and _misses_budget(step, proofs):
                met[step.variant] = self._search(step, forms[step.start])
        if not forms:
            on_warning(
                "no layers to rank for --sensitivity: expected a neural model, and --variants "
                "with a TFLite or ONNX form"
            )
            return Studied()
        start, form = next(iter(forms.items()))
        variant = start.replace("float32", "int8")
        ranking = met[variant].ranking if variant in met else None
        return Studied(ranking or self._ranking(start, form, self.maker.recipes[variant]), met)

    def _starts(self) -> list[str]:
        if self.maker.task.classical:
            return []
        return [start for start in ("tflite-float32", "onnx-float32") if start in self.made]

    def _layered(self, start: str) -> LayeredModel:
        if start == "tflite-float32":
            from edgeship_converters.steps.tflite_layers import TfliteLayers

            return TfliteLayers(self.made[start], self.maker.task)
        from edgeship_converters.steps.onnx_layers import OnnxLayers

        return OnnxLayers(self.made[start], self.maker.task)

    def _search(self, step: Step, form: LayeredModel) -> Met:
        task = replace(self.maker.task, ranges=form.ranges)
        search = Search(
            step=step,
            start=self.made[step.start],
            maker=replace(self.maker, task=task, on_step=lambda words: None),
            tuning=replace(self.prover, judge=self._tuning_judge()),
            prover=self.prover,
            rank=lambda recipe: self._ranking(step.start, form, recipe),
            on_step=self.maker.on_step,
        )
        return meet_budget(search, self.maker.recipes[step.variant])

    def _tuning_judge(self) -> Judge:
        rows = self.rows.calibration or {}
        return Judge(
            self.rows.contract,
            rows,
            self.maker.source.predict(rows),
            self.rows.calibration_truth,
            "held-out",
            self.prover.judge.max_drop,
        )

    def _ranking(self, start: str, form: LayeredModel, recipe: Recipe) -> Ranking:
        task, cache = self.maker.task, self.maker.cache
        key = digest(
            "ranking",
            start,
            self.made[start].sha256,
            recipe,
            tuple(recipe.layers.items()),
            _of(task),
            making_depends_on(),
        )
        found = cache.find(key, Ranking)
        if found is None:
            with quiet():
                ops = form.ops
                rows = task.rows(form.enough_rows(layer_count(ops, recipe)))
            self.maker.on_step(f"ranking {layer_count(ops, recipe)} layers of {start}")
            costs = rank_layers(form, rows, task.contract, recipe)
            found = Ranking(start, len(next(iter(rows.values()))), tuple(costs), ops)
            cache.keep(key, found)
        return found


def _misses_budget(step: Step, proofs: Mapping[str, Proof]) -> bool:
    """Whether it is quantization that is at fault, not the float form, nor what cannot run."""
    proof, start = proofs.get(step.variant), proofs.get(step.start)
    if proof is None or proof.fault is None or proof.evidence is None:
        return False
    return start is None or start.fault is None


def _of(task: Task) -> tuple[object, ...]:
    return task.contract, task.layers, digest_arrays(task.calibration or {})
