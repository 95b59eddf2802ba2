"""Measure conversion: `python benchmarks/conversion/run.py --out DIR [--only NAME] [--quick]`.

Writes DIR/conversion.json and DIR/conversion-benchmarks.md; copy the page to docs/ to publish it.
"""

from __future__ import annotations

import msgspec

from conversion import mnist
from conversion.cases import CASES, case
from conversion.chosen import arguments
from conversion.measure import Plan, measure
from conversion.table import page

_QUICK_PARAMETERS = 100_000


def main() -> None:
    """Measure what was asked for, and write figures and page."""
    given = arguments(
        __doc__,
        [c.name for c in CASES],
        rounds=3,
        of="how often each way",
        work="folder of prepared models",
        quick="small models, one epoch of training, one round",
    )
    given.out.mkdir(parents=True, exist_ok=True)
    plan = Plan(
        cases=[case(name) for name in given.only]
        or [c for c in CASES if not given.quick or c.parameters < _QUICK_PARAMETERS],
        work=given.work or given.out / "work",
        mnist=mnist.folder(),
        rounds=1 if given.quick else given.rounds,
        epochs=1 if given.quick else None,
    )
    tally = measure(plan, on_case=lambda words: print(words, flush=True))  # noqa: T201
    (given.out / "conversion.json").write_bytes(msgspec.json.format(msgspec.json.encode(tally)))
    (given.out / "conversion-benchmarks.md").write_text(page(tally), encoding="utf-8")
    print(f"made {given.out / 'conversion-benchmarks.md'}")  # noqa: T201


if __name__ == "__main__":
    main()
