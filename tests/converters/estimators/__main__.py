"""Run the cases, print what becomes of each, and write the page."""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

from tests.converters.estimators import CASES
from tests.converters.estimators.outcome import Outcome, outcome
from tests.converters.estimators.page import page

_DOCS = Path(__file__).parents[3] / "docs" / "estimators.md"


def main(words: list[str]) -> int:
    """Exit code 1 where a case is wrong; the page is not written then, nor for a selection."""
    chosen = [case for case in CASES if not words or any(word in case.id for word in words)]
    found: dict[str, list[Outcome]] = defaultdict(list)
    for place, case in enumerate(chosen, start=1):
        one = outcome(case, lower=True)
        found[case.estimator].append(one)
        forms = ", ".join(f"{name} {made.status}" for name, made in one.lowered.items())
        detail = one.reason or f"error {one.error:.1e}, {one.size} bytes, {forms}"
        sys.stdout.write(f"[{place}/{len(chosen)}] {case.id}: {one.status}, {detail}\n")
        sys.stdout.flush()
    if any(one.status == "wrong" for outcomes in found.values() for one in outcomes):
        return 1
    if not words:
        _DOCS.write_text(page(found), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
