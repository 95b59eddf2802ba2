"""docs/estimators.md: what becomes of each estimator."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.metadata import distributions, version
from platform import python_version

from tests.converters.estimators.outcome import Outcome
from tests.converters.estimators.reasons import NOT_CONVERTED
from tests.converters.lowered import FORMS

_TOOLS = (
    *("scikit-learn", "lightgbm", "xgboost", "xgboost-cpu"),
    *("skl2onnx", "onnx", "onnxruntime", "numpy"),
    *("tensorflow", "tensorflow-cpu", "ai-edge-litert"),
)


def page(found: Mapping[str, list[Outcome]]) -> str:
    """The page in Markdown, of the outcomes of each estimator's cases, lowered ones among them."""
    some = {name: [o for o in all if o.status == "converted"] for name, all in found.items()}
    converted = {name: outcomes for name, outcomes in some.items() if outcomes}
    cases = sum(len(outcomes) for outcomes in found.values())
    installed = {one.name.lower() for one in distributions()}
    tools = ", ".join(f"{tool} {version(tool)}" for tool in _TOOLS if tool in installed)
    lowered = {variant: _lowered(converted, variant) for variant in FORMS}
    savedmodel, tflite = (_count(lowered[variant]) for variant in FORMS)
    lines = [
        "# scikit-learn estimators in ONNX, SavedModel and TFLite",
        "",
        "Made by `python -m tests.converters.estimators`; the same cases run in "
        "`tests/converters/test_estimators.py`, every other estimator's first case in SavedModel "
        "and TFLite too, and with `-m slow` all of them.",
        f"With {tools}, on Python {python_version()}.",
        "",
        f"{len(converted)} estimators become ONNX, in {sum(map(len, converted.values()))} of "
        f"{cases} cases; {savedmodel} SavedModel; {tflite} TFLite. No form answers wrongly and "
        "passes. Each model is fitted on two thirds of a small real data set, converted, and held "
        "against scikit-learn on all rows by the gate that every bundle passes: labels and "
        "clusters equal on every row, numbers within 1e-4 of their value and 1e-5 of their "
        "column's largest. What is sparse in scikit-learn is dense here.",
        "",
        "Where several points lie equally far from a row, as among whole numbers, scikit-learn's "
        "neighbours are those that its search tree or heap comes upon, which no graph tells: such "
        "a model may be refused for rows that tie. TFLite computes in float32, and cannot do what "
        "needs more.",
        "",
        "| estimator | ONNX | largest error | SavedModel | largest error | TFLite | largest error "
        "|",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, outcomes in sorted(converted.items()):
        cells = [name, f"{len(outcomes)} of {len(found[name])}", _worst(outcomes)]
        for forms in lowered.values():
            fine = [form for form in forms[name] if form.status == "converted"]
            cells += [f"{len(fine)} of {len(outcomes)}", _worst(fine)]
        lines.append(f"| {' | '.join(cells)} |")
    for variant, title in (("savedmodel-float32", "SavedModel"), ("tflite-float32", "TFLite")):
        stopped = {
            f"- {outcome.case}: {form.reason}"
            for outcomes in converted.values()
            for outcome in outcomes
            if (form := outcome.lowered.get(variant)) and form.status != "converted"
        }
        lines += ["", f"Not in {title}, with what the gate or the lowering says:", ""]
        lines += sorted(stopped) or ["- none"]
    lines += [
        "",
        "Refused among these, with the reason that the user is told:",
        "",
        *sorted(
            {
                f"- {name}: {outcome.reason}"
                for name, outcomes in found.items()
                for outcome in outcomes
                if outcome.status == "refused" and "these rows" not in outcome.reason
            }
        ),
        "",
        "## Not converted",
        "",
        "| estimator | why |",
        "|---|---|",
        *(f"| {name} | {why} |" for name, why in sorted(NOT_CONVERTED.items())),
    ]
    return "\n".join(lines) + "\n"


def errors(shown: str) -> dict[str, float]:
    """The largest error of each estimator's ONNX form that a page lists."""
    rows = re.findall(r"^\| (\S+) \| \d+ of \d+ \| (\S+) \| \d+ of", shown, re.MULTILINE)
    return {name: float(error) for name, error in rows}


def stopped(shown: str) -> set[tuple[str, str]]:
    """The cases, and which variant of them, that a page lists as stopped."""
    found = set()
    for variant, title in (("savedmodel-float32", "SavedModel"), ("tflite-float32", "TFLite")):
        part = re.search(rf"^Not in {title}.*?\n\n(.*?)\n\n", shown, re.MULTILINE | re.DOTALL)
        lines = part[1].splitlines() if part else []
        found |= {(line[2:].split(": ")[0], variant) for line in lines}
    return found


def _lowered(converted: Mapping[str, list[Outcome]], variant: str) -> dict[str, list[Outcome]]:
    return {
        name: [o.lowered[variant] for o in outcomes if variant in o.lowered]
        for name, outcomes in converted.items()
    }


def _count(forms: Mapping[str, list[Outcome]]) -> str:
    """How many estimators, in how many cases, became a form, in words."""
    fine = [[form for form in of if form.status == "converted"] for of in forms.values()]
    return f"{sum(map(bool, fine))}, in {sum(map(len, fine))} of these,"


def _worst(outcomes: list[Outcome]) -> str:
    return f"{max((outcome.error for outcome in outcomes), default=0.0):.0e}" if outcomes else "–"
