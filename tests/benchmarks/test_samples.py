"""The sample library: one row each, cut beforehand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeship_benchmarks.samples import Rows, sample_rows
from edgeship_runtime.errors import DataError, InputError
from tests import tiny


def test_samples_are_the_rows_in_order_without_copying() -> None:
    x = np.arange(6.0).reshape(3, 2)
    rows = Rows({"x": x})
    assert len(rows) == 3
    assert [rows[i]["x"].tolist() for i in range(3)] == [[[0, 1]], [[2, 3]], [[4, 5]]]
    assert np.shares_memory(rows[1]["x"], x)


def test_without_data_the_goldens_are_asked(tmp_path: Path) -> None:
    rows = sample_rows(tiny.write(tmp_path / "tiny"), None)
    assert np.array_equal(rows.arrays["x"], tiny.ROWS)


def test_rows_are_brought_into_the_contracts_dtype(tmp_path: Path) -> None:
    rows = sample_rows(tiny.write(tmp_path / "tiny"), {"x": np.ones((2, 3))})
    assert rows[0]["x"].dtype == np.float32


def test_rows_that_do_not_fit_are_refused_before_anything_is_timed(tmp_path: Path) -> None:
    bundle = tiny.write(tmp_path / "tiny")
    with pytest.raises(InputError, match="expects the shape"):
        sample_rows(bundle, {"x": np.ones((2, 4), np.float32)})
    with pytest.raises(DataError, match="no row"):
        sample_rows(bundle, {"x": np.ones((0, 3), np.float32)})
