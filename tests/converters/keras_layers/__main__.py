"""Run every case, print what becomes of it, and write the page."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.converters.keras_layers import CASES
from tests.converters.keras_layers.case import Case
from tests.converters.keras_layers.outcome import FORMATS, outcomes
from tests.converters.keras_layers.page import count, page

_DOCS = Path(__file__).parents[3] / "docs" / "keras-layers.md"


def main() -> int:
    """Exit code 1 where a case is not as the table says; the page is not written then."""
    unlike = 0
    for place, case in enumerate(CASES, start=1):
        with tempfile.TemporaryDirectory() as folder:
            faults = _faults(case, Path(folder))
        unlike += bool(faults)
        _say(f"[{place}/{len(CASES)}] {case.name}: {faults or 'as the table says'}")
    for format in FORMATS:
        _say(f"{format}: {count(CASES, format)}")
    if unlike:
        _say(f"{unlike} cases are not as the table says: {_DOCS.name} is left as it was")
        return 1
    _DOCS.write_text(page(CASES), encoding="utf-8")
    return 0


def _faults(case: Case, folder: Path) -> str:
    return "; ".join(
        f"{format} {outcome.verdict}: {outcome.detail}"
        for format, outcome in outcomes(case, folder).items()
        if outcome.verdict != ("refused" if format in case.refused else "parity")
    )


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
