"""Rows for calibrating and rows for judging are kept apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeship_converters.drawn_rows import Vocabulary
from edgeship_converters.rows import gather
from edgeship_runtime.bundle import Contract, InputSpec, OutputSpec
from edgeship_runtime.errors import DataError, InputError

CONTRACT = Contract(
    task="regression",
    inputs=(InputSpec(name="x", dtype="float32", shape=(None, 2)),),
    outputs=(OutputSpec(name="prediction", dtype="float32", shape=(None,), role="value"),),
)


def numbered(count: int, path: Path) -> Path:
    """A file of rows that each hold their own number."""
    rows = np.arange(count, dtype=np.float32)
    np.savez(path, x=np.stack([rows, -rows], axis=1), y=rows)
    return path


def test_a_fifth_is_held_out_and_never_calibrates(tmp_path: Path) -> None:
    rows = gather(CONTRACT, numbered(100, tmp_path / "a.npz"), None, None)
    assert rows.calibration is not None
    assert rows.truth is not None
    judged = set(rows.judged["x"][:, 0].tolist())
    calibrating = set(rows.calibration["x"][:, 0].tolist())
    assert len(judged) == 20
    assert len(calibrating) == 80
    assert not judged & calibrating
    assert rows.truth.tolist() == rows.judged["x"][:, 0].tolist()
    assert rows.rows_from == "held-out"


def test_the_split_is_the_same_every_time(tmp_path: Path) -> None:
    path = numbered(50, tmp_path / "a.npz")
    one, two = gather(CONTRACT, path, None, None), gather(CONTRACT, path, None, None)
    np.testing.assert_array_equal(one.judged["x"], two.judged["x"])


def test_eval_data_judges_alone(tmp_path: Path) -> None:
    rows = gather(
        CONTRACT, numbered(100, tmp_path / "a.npz"), numbered(7, tmp_path / "b.npz"), None
    )
    assert len(rows.judged["x"]) == 7
    assert rows.calibration is not None
    assert len(rows.calibration["x"]) == 100
    assert rows.rows_from == "eval-data"


def test_eval_data_alone_calibrates_nothing(tmp_path: Path) -> None:
    rows = gather(CONTRACT, None, numbered(7, tmp_path / "b.npz"), None)
    assert rows.calibration is None
    assert rows.everything is None
    assert len(rows.judged["x"]) == 7


def test_without_data_rows_are_drawn_in_the_contract_s_form() -> None:
    contract = Contract(
        task="other",
        inputs=(
            InputSpec(name="image", dtype="uint8", shape=(None, 4, 4)),
            InputSpec(name="words", dtype="int32", shape=(None, None)),
        ),
        outputs=CONTRACT.outputs,
    )
    rows = gather(contract, None, None, None)
    assert rows.judged["image"].dtype == np.uint8
    assert rows.judged["image"].shape[1:] == (4, 4)
    assert rows.judged["words"].dtype == np.int32
    assert rows.rows_from == "synthetic"
    assert rows.judged["image"].max() > 250
    assert set(np.unique(rows.judged["words"])) == {0, 1}


def test_drawn_rows_keep_to_the_model_s_own_tables() -> None:
    contract = Contract(
        task="other",
        inputs=(
            InputSpec(name="ids", dtype="int32", shape=(None, 9)),
            InputSpec(name="words", dtype="string", shape=(None, 4)),
        ),
        outputs=CONTRACT.outputs,
    )
    known = Vocabulary({"ids": 30}, ("red", "green"))
    rows = gather(contract, None, None, None, known=known)
    assert set(np.unique(rows.judged["ids"])) == set(range(30))
    assert {"red", "green"} < set(np.unique(rows.judged["words"]))


def test_a_header_gives_a_matrix_its_feature_names(tmp_path: Path) -> None:
    lines = ["width,height,area", *(f"{n},{n + 1},{n * (n + 1)}" for n in range(20))]
    (tmp_path / "a.csv").write_text("\n".join(lines))
    rows = gather(CONTRACT, tmp_path / "a.csv", None, "area")
    assert rows.contract.inputs[0].feature_names == ("width", "height")


def test_too_few_rows_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="at least 10"):
        gather(CONTRACT, numbered(9, tmp_path / "a.npz"), None, None)


def test_no_rows_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no rows"):
        gather(CONTRACT, numbered(0, tmp_path / "a.npz"), None, None)


def test_unlike_numbers_of_rows_and_labels_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.zeros((20, 2)), y=np.zeros(19))
    with pytest.raises(DataError, match="19 labels for 20 rows"):
        gather(CONTRACT, tmp_path / "a.npz", None, None)


def test_infinite_values_are_refused(tmp_path: Path) -> None:
    rows = np.zeros((20, 2))
    rows[3, 1] = np.inf
    np.save(tmp_path / "a.npy", rows)
    with pytest.raises(InputError, match="row 3, column '1'"):
        gather(CONTRACT, tmp_path / "a.npy", None, None)


CLASSIFIER = Contract(
    task="classification",
    inputs=(InputSpec(name="x", dtype="float32", shape=(None, 1)),),
    outputs=(OutputSpec(name="p", dtype="float32", shape=(None, 3), role="probabilities"),),
    classes=("a", "b", "c"),
)


def test_one_hot_labels_are_read_as_classes(tmp_path: Path) -> None:
    truth = np.arange(30) % 3
    np.savez(tmp_path / "a.npz", x=np.arange(30.0)[:, None], y=np.eye(3)[truth])
    rows = gather(CLASSIFIER, tmp_path / "a.npz", None, None)
    assert rows.truth is not None
    expected = np.array(["a", "b", "c"])[rows.judged["x"][:, 0].astype(int) % 3]
    np.testing.assert_array_equal(rows.truth, expected)


def test_labels_in_columns_that_are_not_one_hot_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.arange(30.0)[:, None], y=np.full((30, 3), 1 / 3))
    with pytest.raises(DataError, match="give one class a row"):
        gather(CLASSIFIER, tmp_path / "a.npz", None, None)
