"""`import edgeship` is cheap, and gives everything that users call."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import edgeship
from tests import tiny


def test_importing_edgeship_imports_nothing_heavy() -> None:
    script = "import sys, edgeship; print(sorted({'numpy', 'click', 'msgspec'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "[]"


def test_load_and_predict(tmp_path: Path) -> None:
    tiny.write(tmp_path / "b")
    model = edgeship.load(tmp_path / "b")
    assert model.predict(tiny.ROWS)["label"].tolist() == [0, 1, 0, 1]


def test_psi_of_the_worked_examples() -> None:
    assert round(edgeship.psi((0.30, 0.50, 0.20), (0.45, 0.40, 0.15)), 4) == 0.0975
    assert round(edgeship.psi((0.5, 0.3, 0.2), (0.4, 0.4, 0.2)), 4) == 0.0511


def test_every_public_name_is_there() -> None:
    for name in edgeship.__all__:
        assert getattr(edgeship, name) is not None
    assert set(edgeship.__all__) <= set(dir(edgeship))


def test_other_names_are_not() -> None:
    with pytest.raises(AttributeError, match="no attribute 'conjure'"):
        getattr(edgeship, "conjure")  # noqa: B009
