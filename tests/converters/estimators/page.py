"""docs/estimators.md: what becomes of each estimator."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.metadata import distributions, version
from platform import python_version

from tests.converters.estimators.outcome import Outcome
from tests.converters.estimators.reasons import NOT_CONVERTED

_TOOLS = (
    *("scikit-learn", "lightgbm", "xgboost", "xgboost-cpu"),
    *("skl2onnx", "onnx", "onnxruntime", "numpy"),
)


def page(found: Mapping[str, list[Outcome]]) -> str:
    """The page in Markdown, of the outcomes of each estimator's cases."""
    some = {name: [o for o in all if o.status == "converted"] for name, all in found.items()}
    converted = {name: outcomes for name, outcomes in some.items() if outcomes}
    cases = sum(len(outcomes) for outcomes in found.values())
    installed = {one.name.lower() for one in distributions()}
    tools = ", ".join(f"{tool} {version(tool)}" for tool in _TOOLS if tool in installed)
    lines = [
        "# scikit-learn estimators to ONNX",
        "",
        "Made by `python -m tests.converters.estimators`; the same cases run in "
        "`tests/converters/test_estimators.py`.",
        f"With {tools}, on Python {python_version()}.",
        "",
        f"{len(converted)} estimators convert, in {sum(map(len, converted.values()))} of {cases} "
        "cases; no case converts and answers wrongly. Each is fitted on two thirds of a small "
        "real data set, converted, and held against scikit-learn on all rows by the gate that "
        "every bundle passes: labels and clusters equal on every row, numbers within 1e-4 of "
        "their value and 1e-5 of their column's largest. What is sparse in scikit-learn is dense "
        "here.",
        "",
        "Where several points lie equally far from a row, as among whole numbers, scikit-learn's "
        "neighbours are those that its search tree or heap comes upon, which no graph tells: such "
        "a model may be refused for rows that tie.",
        "",
        "| estimator | cases converted | largest error, as a share of the output's size |",
        "|---|---:|---:|",
    ]
    for name, outcomes in sorted(converted.items()):
        worst = max(outcome.error for outcome in outcomes)
        count = f"{len(outcomes)} of {len(found[name])}"
        lines.append(f"| {name} | {count} | {worst:.0e} |")
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
    """The largest error of each estimator that a page lists."""
    rows = re.findall(r"^\| (\S+) \| \d+ of \d+ \| (\S+) \|$", shown, re.MULTILINE)
    return {name: float(error) for name, error in rows}
