"""What becomes of the cases in the forms of fewer bits: `python -m …keras_layers.quantized [PART]`.

Runs every case, or those whose name holds PART, and prints a line for each form that is refused,
wrong, or kills the process; a few cases run in a process of their own, so that an abort in a tool
is found, and the next case goes on. Over all cases it writes docs/keras-layers-quantized.md.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from edgeship_converters.artifact import Task
from edgeship_converters.errors import StepError
from edgeship_converters.parity import Judge
from edgeship_converters.plan import STEPS, reachable, take
from edgeship_converters.recipe import load_recipes
from edgeship_converters.sensitivity import lost_variance
from edgeship_converters.sources import open_source
from edgeship_runtime.bundle import Contract
from edgeship_runtime.errors import EngineError
from edgeship_runtime.quiet import quiet
from tests.converters.keras_layers import CASES
from tests.converters.keras_layers.case import Case
from tests.converters.trial import loaded

_LIMIT = 0.05
_CALIBRATION, _JUDGED, _FREE = 64, 37, 7
_PAGE = Path(__file__).parents[3] / "docs" / "keras-layers-quantized.md"
_HEAD = """# Keras layers in fewer bits

The cases of [Keras layers](keras-layers.md) in every form that keeps fewer bits, with the built-in
recipes: ranges from 64 rows, judged on 37 others. *Within* is a loss of at most 5 % of the output's
variance, on random weights and rows: what the bits do to one layer, not what a model loses. What
lies beyond is left to the parity gate, which proves each form of a model on the model's own rows,
and refuses it with the figure.

Made by `python -m tests.converters.keras_layers.quantized`, which prints each exception whole.

| form | within | beyond | does not run | refused |
|---|---|---|---|---|"""
# Cases between two starts of Python.
_AT_A_TIME = 12


def outcomes(case: Case, folder: Path) -> dict[str, str]:
    """`ok`, or what is refused or wrong, for each form of fewer bits that can be reached."""
    recipes = load_recipes()
    case.model().save(folder / "case.keras")
    source: Any = open_source(folder / "case.keras")
    contract = source.contract
    calibration = case.rows(contract.inputs, _CALIBRATION, _FREE + 1)
    rows = case.rows(contract.inputs, _JUDGED, _FREE)
    expected = source.predict(rows)
    judge = Judge(contract, rows, expected, None, "held-out", _LIMIT)
    names = tuple(layer.name for layer in source.layers)
    task = Task("case", contract, calibration, layers=names)
    made: dict[str, Any] = {"keras": source}
    found: dict[str, str] = {}
    for step in reachable("keras").values():
        if step.start not in made:
            continue
        try:
            recipe = recipes.get(step.variant)
            made[step.variant] = take(step, made[step.start], replace(task, recipe=recipe))
            if step.variant.endswith("float32"):
                continue
            model = loaded(contract, step.variant, made[step.variant], rows, expected)
            outputs = model.predict(rows)
            fault = judge.shape_fault(outputs) or _lost(contract, expected, outputs)
            found[step.variant] = f"WRONG {fault}" if fault else "ok"
        except StepError as error:
            found[step.variant] = f"refused: {error}"
        except EngineError as error:
            found[step.variant] = f"DOES NOT RUN {error}"
    return found


def _lost(contract: Contract, expected: dict[str, Any], outputs: dict[str, Any]) -> str | None:
    lost = lost_variance(contract, expected, outputs)
    if np.isinf(lost):
        return "answers with numbers that are not finite"
    return None if lost <= _LIMIT else f"leaves {lost:.2%} unexplained"


def _run(places: list[int]) -> None:
    for place in places:
        case = CASES[place]
        sys.stdout.write(f"@{place}\n")
        sys.stdout.flush()
        with tempfile.TemporaryDirectory() as folder, quiet():
            found = outcomes(case, Path(folder))
        for variant, what in found.items():
            sys.stdout.write(f"{case.name} | {variant} | {' '.join(what.split())}\n")
        sys.stdout.flush()


def main(part: str = "") -> None:
    """Every case, a few at a time in a process."""
    totals: Counter[str] = Counter()
    exceptions: list[str] = []
    waiting = [place for place, case in enumerate(CASES) if part in case.name]
    while waiting:
        batch = waiting[:_AT_A_TIME]
        command = [sys.executable, "-m", __spec__.name, "--places", ",".join(map(str, batch))]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        reached = batch[0]
        for line in done.stdout.splitlines():
            if line.startswith("@"):
                reached = int(line[1:])
                continue
            variant, what = line.split(" | ", 2)[1:]
            totals[f"{variant}: {what.split()[0].rstrip(':')}"] += 1
            if what != "ok":
                exceptions.append(line)
                sys.stdout.write(line + "\n")
        if done.returncode:
            tail = (done.stderr.strip().splitlines() or ["no words"])[-1]
            sys.stdout.write(f"{CASES[reached].name} | KILLED {done.returncode} | {tail}\n")
            exceptions.append(f"{CASES[reached].name} | any | stops the process")
            totals["killed"] += 1
            waiting = [place for place in waiting if place > reached]
        else:
            waiting = waiting[len(batch) :]
        sys.stdout.flush()
    for key, count in sorted(totals.items()):
        sys.stdout.write(f"{key} {count}\n")
    if not part:
        _PAGE.write_text(_page(totals, exceptions), encoding="utf-8")


def _page(totals: Counter[str], exceptions: list[str]) -> str:
    variants = [step.variant for step in STEPS if step.number != "float32"]
    lines = [_HEAD]
    for variant in variants:
        counts = [totals[f"{variant}: {word}"] for word in ("ok", "WRONG", "DOES", "refused")]
        lines.append(f"| `{variant}` | " + " | ".join(map(str, counts)) + " |")
    lines += ["", "| case | form | what |", "|---|---|---|"]
    for line in exceptions:
        name, variant, what = line.split(" | ", 2)
        if not variant.endswith("float32"):
            short = " ".join(what.removeprefix("WRONG ").replace("|", "/").split())[:140]
            lines.append(f"| {name} | `{variant}` | {short} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if sys.argv[1:2] == ["--places"]:
        _run([int(place) for place in sys.argv[2].split(",")])
    else:
        main(*sys.argv[1:])
