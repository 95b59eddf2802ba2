"""Rows from files of each kind, and what is said of files that will not do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from edgeship_runtime import datafiles
from edgeship_runtime.bundle import InputSpec
from edgeship_runtime.errors import DataError
from edgeship_runtime.inputs import check_inputs

MATRIX = InputSpec(name="x", dtype="float32", shape=(None, 2))
NAMED = InputSpec(name="x", dtype="float32", shape=(None, 2), feature_names=("width", "height"))
IMAGE = InputSpec(name="image", dtype="float32", shape=(None, 2, 2, 1))
CODES = InputSpec(name="codes", dtype="int32", shape=(None, 2))


def test_npz_arrays_are_taken_by_name(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", image=np.ones((3, 2, 2, 1)), y=[0, 1, 2], other=[9])
    data = datafiles.read(tmp_path / "a.npz", [IMAGE])
    assert data.inputs["image"].shape == (3, 2, 2, 1)
    assert data.labels is not None
    assert data.labels.tolist() == [0, 1, 2]


def test_x_stands_for_the_only_input(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.ones((3, 2, 2, 1)))
    data = datafiles.read(tmp_path / "a.npz", [IMAGE])
    assert list(data.inputs) == ["image"]
    assert data.labels is None


def test_labels_in_a_column_of_their_own_shape_are_flattened(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.ones((2, 2)), y=[[1], [0]])
    labels = datafiles.read(tmp_path / "a.npz", [MATRIX]).labels
    assert labels is not None
    assert labels.tolist() == [1, 0]


def test_an_input_may_itself_be_called_y(tmp_path: Path) -> None:
    spec = InputSpec(name="y", dtype="float32", shape=(None, 2))
    np.savez(tmp_path / "a.npz", y=np.ones((3, 2)))
    assert datafiles.read(tmp_path / "a.npz", [spec]).inputs["y"].shape == (3, 2)


def test_npy_is_the_only_input(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.ones((3, 2)))
    assert datafiles.read(tmp_path / "a.npy", [MATRIX]).inputs["x"].shape == (3, 2)


def test_csv_columns_in_the_order_of_the_header(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("height,species,width\n2,cat,1\n4,dog,3\n")
    data = datafiles.read(tmp_path / "a.csv", [MATRIX], "species")
    assert data.inputs["x"].tolist() == [[2.0, 1.0], [4.0, 3.0]]
    assert data.columns == ("height", "width")
    assert data.labels is not None
    assert data.labels.tolist() == ["cat", "dog"]


def test_csv_columns_by_the_model_s_own_names(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("height,note,width\n2,hello,1\n4,you,3\n")
    data = datafiles.read(tmp_path / "a.csv", [NAMED])
    assert data.inputs["x"].tolist() == [[1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize(
    ("cells", "labels"),
    [
        (["1", "0"], [1, 0]),
        (["1.5", "2"], [1.5, 2.0]),
        (["a ", "b"], ["a", "b"]),
        (["001", "2"], ["001", "2"]),
    ],
)
def test_csv_labels_are_integers_where_they_can_be(
    cells: list[str], labels: list[object], tmp_path: Path
) -> None:
    lines = ["a,b,y", *(f"1,2,{cell}" for cell in cells)]
    (tmp_path / "a.csv").write_text("\n".join(lines))
    read = datafiles.read(tmp_path / "a.csv", [MATRIX], "y").labels
    assert read is not None
    assert read.tolist() == labels


def test_truths_in_a_csv_are_1_and_0(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("sure,size\nTrue,2\nFalse,3\n")
    spec = InputSpec(name="x", dtype="float32", shape=(None, 2))
    assert datafiles.read(tmp_path / "t.csv", [spec]).inputs["x"].tolist() == [[1, 2], [0, 3]]
    columns = [
        InputSpec(name="sure", dtype="int64", shape=(None,)),
        InputSpec(name="size", dtype="int64", shape=(None,)),
    ]
    assert datafiles.read(tmp_path / "t.csv", columns).inputs["sure"].tolist() == [1, 0]


def test_empty_cells_are_missing_values(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,\nNA,2\n")
    values = datafiles.read(tmp_path / "a.csv", [MATRIX]).inputs["x"]
    assert np.isnan(values).tolist() == [[False, True], [True, False]]


def test_a_byte_order_mark_and_windows_lines_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("\ufeffwidth,height\r\n1,2\r\n".encode())
    assert datafiles.read(tmp_path / "a.csv", [NAMED]).inputs["x"].tolist() == [[1.0, 2.0]]


def test_flat_columns_become_images(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("p0,p1,p2,p3\n1,2,3,4\n")
    image = datafiles.read(tmp_path / "a.csv", [IMAGE]).inputs["image"]
    assert image[0, :, :, 0].tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_whole_numbers_suit_an_integer_input(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    assert datafiles.read(tmp_path / "a.csv", [CODES]).inputs["codes"].dtype == np.int64


def test_parquet_is_a_table_as_csv_is(tmp_path: Path) -> None:
    table = pa.table({"height": [2, 4], "width": [1.0, None], "species": ["cat", "dog"]})
    parquet.write_table(table, tmp_path / "a.parquet")
    data = datafiles.read(tmp_path / "a.parquet", [NAMED], "species")
    np.testing.assert_array_equal(data.inputs["x"], [[1.0, 2.0], [np.nan, 4.0]])
    assert data.labels is not None
    assert data.labels.tolist() == ["cat", "dog"]


def test_a_label_column_that_the_file_lacks_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=r"no column 'species' .* 'a', 'b'"):
        datafiles.read(tmp_path / "a.csv", [MATRIX], "species", labels_required=True)
    assert datafiles.read(tmp_path / "a.csv", [MATRIX], "species").labels is None
    np.savez(tmp_path / "a.npz", x=np.ones((1, 2)))
    with pytest.raises(DataError, match="no array 'species'"):
        datafiles.read(tmp_path / "a.npz", [MATRIX], "species", labels_required=True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must begin with a header"),
        ("a,a\n1,2\n", "distinct column names, got 'a' more than once"),
        (",a\n0,2\n", "column 1 has none: name it, or write a data frame's CSV with index=False"),
        ("a,b\n1\n", "line 2 has 1 cells, the header has 2"),
        ("a,b\n1,x\n", "row 1, column 'b' holds 'x': expected a number"),
        ("a,b\n1,1_000\n", "row 1, column 'b' holds '1_000': expected a number"),
        ("a\n1\n", "has 1 columns, the model takes 2: give one column for each feature"),
        ("a,b,c\n1,2,3\n", "--label-column"),
        ('a,b\n"1,2\n', "cannot be read as .csv"),
    ],
)
def test_what_is_wrong_with_a_table_is_said(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(DataError, match=message) as caught:
        datafiles.read(tmp_path / "a.csv", [MATRIX])
    assert "\n" not in str(caught.value)


def test_columns_that_the_model_wants_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("width,depth\n1,2\n")
    with pytest.raises(DataError, match=r"lacks the model's columns 'height': .* 'width', 'depth'"):
        datafiles.read(tmp_path / "a.csv", [NAMED])


def test_what_is_wrong_with_a_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no data file at"):
        datafiles.read(tmp_path / "none.csv", [MATRIX])
    (tmp_path / "a.txt").write_text("hello")
    kinds = r"\.npz, \.npy, \.csv, \.json, \.jsonl, \.parquet"
    with pytest.raises(DataError, match=f"expected one of {kinds}"):
        datafiles.read(tmp_path / "a.txt", [MATRIX])
    for name in ("a.npz", "a.npy", "a.parquet"):
        (tmp_path / name).write_text("hello")
        with pytest.raises(DataError, match="cannot be read"):
            datafiles.read(tmp_path / name, [MATRIX])
    (tmp_path / "latin.csv").write_bytes(b"a,b\n1,\xe9\n")
    with pytest.raises(DataError, match="cannot be read"):
        datafiles.read(tmp_path / "latin.csv", [MATRIX])


def test_a_pickled_array_is_not_opened(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match=r"expected what numpy\.save writes"):
        datafiles.read(tmp_path / "a.npy", [MATRIX])


COLUMNS = [
    InputSpec(name="age", dtype="float32", shape=(None,), missing=True),
    InputSpec(name="city", dtype="string", shape=(None,), missing=True, categories=("Oslo", "NA")),
    InputSpec(name="rooms", dtype="int64", shape=(None,)),
    InputSpec(name="new", dtype="bool", shape=(None,)),
]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "new,city,age,rooms,y\ntrue,Oslo,,3,1\n0,n/a,2.5,4,0\nFalse,NA,1,5,1\n"),
        (
            "a.json",
            '[{"age": null, "city": "Oslo", "rooms": 3, "new": true, "y": 1},'
            '{"age": 2.5, "city": null, "rooms": 4, "new": false, "y": 0},'
            '{"age": 1, "city": "NA", "rooms": 5, "new": false, "y": 1}]',
        ),
        (
            "a.jsonl",
            '{"city": "Oslo", "rooms": 3, "new": true, "y": 1}\n\n'
            '{"age": 2.5, "rooms": 4, "new": false, "y": 0}\n'
            '{"age": 1, "city": "NA", "rooms": 5, "new": false, "y": 1}\n',
        ),
    ],
)
def test_the_columns_of_a_table_are_the_inputs(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    read = datafiles.read(tmp_path / name, COLUMNS, "y")
    checked = check_inputs(COLUMNS, read.inputs)
    np.testing.assert_array_equal(checked["age"], np.array([np.nan, 2.5, 1], np.float32))
    assert checked["city"].tolist() == ["Oslo", "", "NA"]
    assert checked["rooms"].tolist() == [3, 4, 5]
    assert checked["new"].tolist() == [True, False, False]
    assert read.labels is not None
    assert read.labels.tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("1,Oslo,x,0", "row 1, column 'rooms' holds 'x'"),
        ("1,Oslo,1.5,0", "column 'rooms' holds '1.5': expected a whole number"),
        ("1,Oslo,1,0.5", "column 'new' holds '0.5': expected a truth"),
    ],
)
def test_a_cell_that_is_not_of_its_column_is_named(tmp_path: Path, line: str, said: str) -> None:
    (tmp_path / "a.csv").write_text(f"age,city,rooms,new\n{line}\n")
    with pytest.raises(DataError, match=said):
        datafiles.read(tmp_path / "a.csv", COLUMNS)
