"""Measure conversion: `python benchmarks/conversion/run.py --out DIR [--only NAME] [--quick]`.

Writes DIR/conversion.json and DIR/conversion-benchmarks.md; copy the page to docs/ to publish it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec

from conversion import mnist
from conversion.cases import CASES, case
from conversion.measure import Plan, measure
from conversion.table import page

_QUICK_PARAMETERS = 100_000


def main() -> None:
    """Measure what was asked for, and write figures and page."""
    given = _arguments()
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


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for figures and page")
    parser.add_argument("--work", type=Path, help="folder of prepared models (default: OUT/work)")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="one case")
    parser.add_argument("--rounds", type=int, default=3, help="how often each way (default: 3)")
    parser.add_argument(
        "--quick", action="store_true", help="small models, one epoch of training, one round"
    )
    given = parser.parse_args()
    known = [c.name for c in CASES]
    for name in given.only:
        if name not in known:
            parser.error(f"there is no case {name!r}: it is one of {', '.join(known)}")
    if given.rounds < 1:
        parser.error(f"--rounds is at least 1, got {given.rounds}")
    return given


if __name__ == "__main__":
    main()
