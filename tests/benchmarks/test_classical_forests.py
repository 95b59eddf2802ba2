"""Forests as files: fitted, converted, and loaded in each way."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from classical.forests import FORMS, convert, file_of, fit_large
from classical.loading import LOADINGS
from classical.tally import Loading
from conversion.process import run_module


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a forest and its forms."""
    kept = tmp_path_factory.mktemp("forest")
    fitted = fit_large(kept, trees=3, rows=200)
    assert (fitted.trees, fitted.nodes > 3 * 20) == (3, True)
    for form in FORMS:
        made = convert(kept, form)
        assert made.bytes == file_of(kept, "whole", form).stat().st_size
        assert made.convert_seconds > 0
        assert made.convert_peak_bytes > made.bytes
    return kept


@pytest.mark.parametrize("way", LOADINGS)
def test_a_form_is_loaded_in_a_process_of_its_own_and_labels_are_the_forests(
    way: str, folder: Path
) -> None:
    target = folder / "loading.json"
    run_module("classical.loading", way, str(folder), "--json", str(target))
    found = msgspec.json.decode(target.read_bytes(), type=Loading)
    assert (found.rows, found.disagreements) == (1000, 0)
    assert found.form in FORMS
    assert found.growth_bytes >= 0


def test_a_larger_file_read_whole_takes_its_size_in_memory(tmp_path: Path) -> None:
    """The growth that is told is at least that of what is held."""
    fit_large(tmp_path, trees=30, rows=8000)
    bytes_ = convert(tmp_path, "tflite-float32").bytes
    target = tmp_path / "loading.json"
    run_module("classical.loading", "LiteRT by content", str(tmp_path), "--json", str(target))
    assert msgspec.json.decode(target.read_bytes(), type=Loading).growth_bytes > bytes_
