"""Fixtures that several test modules share: real models, trained once a session."""

from __future__ import annotations

import os
import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest

DEMO = Path(__file__).parent.parent / "demo"


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A conversion cache of the session's own, also for the commands that tests start."""
    folder = tmp_path_factory.mktemp("cache")
    before = os.environ.get("EDGESHIP_CACHE")
    os.environ["EDGESHIP_CACHE"] = str(folder)
    yield folder
    if before is None:
        del os.environ["EDGESHIP_CACHE"]
    else:
        os.environ["EDGESHIP_CACHE"] = before


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with digits.keras, digits-train.npz and digits-test.npz, as the demo makes them."""
    folder = tmp_path_factory.mktemp("digits")
    runpy.run_path(str(DEMO / "train_digits.py"))["train"](folder)
    return folder


@pytest.fixture(scope="session")
def digits_bundle(digits: Path) -> Path:
    """The digits model as a bundle file with every variant."""
    from edgeship_converters import convert

    target = digits / "digits.edgeship"
    convert(
        digits / "digits.keras",
        target,
        data=digits / "digits-train.npz",
        eval_data=digits / "digits-test.npz",
    )
    return target


@pytest.fixture(scope="session")
def cancer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with cancer.skops, cancer-train.csv and cancer-test.csv, as the demo makes them."""
    folder = tmp_path_factory.mktemp("cancer")
    runpy.run_path(str(DEMO / "train_cancer.py"))["train"](folder)
    return folder


@pytest.fixture(scope="session")
def cancer_bundle(cancer: Path) -> Path:
    """The forest as a bundle folder."""
    from edgeship_converters import convert

    target = cancer / "cancer"
    convert(
        cancer / "cancer.skops",
        target,
        data=cancer / "cancer-train.csv",
        eval_data=cancer / "cancer-test.csv",
        label_column="diagnosis",
    )
    return target
