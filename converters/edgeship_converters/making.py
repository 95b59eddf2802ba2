"""Running a plan's steps, each unless an earlier conversion kept its outcome."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from edgeship_converters.artifact import Artifact, Task
from edgeship_converters.cache import Cache, digest, digest_arrays
from edgeship_converters.errors import StepError
from edgeship_converters.plan import Plan, Step, take
from edgeship_converters.recipe import Recipe
from edgeship_converters.remembered import RememberedSource
from edgeship_converters.tools import making_depends_on
from edgeship_runtime.quiet import quiet

# A smaller format of a classical model is worth its roundings below this share of the bytes.
_WORTH = 0.9
DERIVED = "is made from one that is left out"


class _HardlySmallerError(StepError):
    """A smaller format that is not worth its roundings."""

    def __init__(self) -> None:
        super().__init__(
            "hardly smaller than its float32 form, as little of the model is matrices: trees, "
            "tables and few numbers stay as they are"
        )


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes variants of one source.

    Attributes:
        source: the model.
        task: what every step is given; the recipe is put in for each.
        recipes: by variant.
        cache: where outcomes are kept.
        on_step: called with a few words before each step.
    """

    source: RememberedSource
    task: Task
    recipes: Mapping[str, Recipe]
    cache: Cache
    on_step: Callable[[str], None]

    def run(self, plan: Plan) -> tuple[dict[str, Artifact], dict[str, str]]:
        """Run all steps; give what was made, and why what was not could not be.

        Raises:
            StepError: for a step that fails, where the plan may leave nothing out, or where
                nothing can be made at all.
        """
        made: dict[str, Artifact] = {}
        refused: dict[str, str] = {}
        for step in plan.steps:
            if step.start in refused:
                refused[step.variant] = DERIVED
                continue
            needed = not plan.may_leave_out or step.start == self.source.kind
            try:
                made[step.variant] = self.make(step, made.get(step.start), keep_log=needed)
            except StepError as error:
                if needed and isinstance(error, _HardlySmallerError):
                    raise StepError(f"{step.variant} would be {error.fault.reason}") from error
                if needed:
                    raise
                refused[step.variant] = error.fault.of_left_out
        return made, refused

    def make(
        self,
        step: Step,
        start: Artifact | None,
        recipe: Recipe | None = None,
        *,
        keep_log: bool = False,
    ) -> Artifact:
        """Run one step, on an artifact or, without one, on the source.

        Args:
            step: which.
            start: what it starts from.
            recipe: in place of the variant's own.
            keep_log: whether the tool's chatter is kept, and named in the error, if it fails.

        Raises:
            StepError: where the step's tool fails on this model.
        """
        recipe = recipe or self.recipes.get(step.variant)
        task = replace(self.task, recipe=recipe)
        key = self._key(step, start, task)
        found = self.cache.find(key, Artifact)
        if found is not None:
            return found
        shrunk = start if task.classical and step.number != "float32" else None
        if shrunk is not None:
            _check_matrices(step, shrunk)
        model = self.source.loaded if start is None else None
        self.on_step(f"making {step.variant}")
        with quiet(keep_log=keep_log):
            artifact = take(step, model if start is None else start, task)
        if shrunk is not None:
            _check_smaller(shrunk, artifact)
        self.cache.keep(key, artifact)
        return artifact

    def _key(self, step: Step, start: Artifact | None, task: Task) -> str:
        static = task.recipe is not None and task.recipe.calibration is not None
        rows = task.rows(task.recipe.rows) if static and task.recipe and task.calibration else {}
        if task.classical and start is None:
            # They choose between float32 and float64.
            rows = task.calibration or {}
        return digest(
            "step",
            step.variant,
            self.source.key if start is None else start.sha256,
            # Files alike may stand for other words.
            None if start is None else start.words,
            task.name,
            task.contract,
            task.layers,
            task.classical,
            task.io,
            task.recipe,
            # The last pattern that fits counts, and a digest takes dicts in any order.
            tuple(task.recipe.layers.items()) if task.recipe else (),
            digest_arrays(rows),
            making_depends_on(),
        )


def _check_matrices(step: Step, start: Artifact) -> None:
    """Refuse to shrink a classical model that is hardly any matrices; see `_WORTH`."""
    if step.start.startswith("onnx"):
        from edgeship_converters.steps.onnx_nodes import bytes_of_matrices
    else:
        from edgeship_converters.steps.tflite_file import bytes_of_matrices

    matrices = bytes_of_matrices(start.data)
    if matrices < 2 * (1 - _WORTH) * len(start.data):
        raise _HardlySmallerError


def _check_smaller(start: Artifact, made: Artifact) -> None:
    before, after = (sum(map(len, artifact.files.values())) for artifact in (start, made))
    if after > _WORTH * before:
        raise _HardlySmallerError
