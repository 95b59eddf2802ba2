"""Which features are watched, and their values."""

from __future__ import annotations

import numpy as np
import pytest

from edgeship_runtime.bundle import Contract, InputSpec
from edgeship_runtime.bundle.manifest import DType
from edgeship_runtime.drift import feature_names, features
from edgeship_runtime.errors import InputError


def contract(*inputs: InputSpec) -> Contract:
    return Contract(task="other", inputs=inputs, outputs=())


def spec(
    name: str,
    shape: tuple[int | None, ...],
    dtype: DType = "float32",
    names: tuple[str, ...] = (),
) -> InputSpec:
    return InputSpec(name=name, dtype=dtype, shape=shape, feature_names=names)


def test_a_table_gives_its_columns_under_their_names() -> None:
    names, matrix = features(
        contract(spec("x", (None, 2), names=("length", "width"))), np.array([[1.0, 2.0], [3, 4]])
    )
    assert names == ("length", "width")
    assert matrix.dtype == np.float64
    assert matrix.tolist() == [[1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize("names", [(), ("a", "a", "b"), ("a", "b")])
def test_columns_without_fitting_names_are_numbered(names: tuple[str, ...]) -> None:
    assert feature_names([spec("x", (None, 3), names=names)]) == ("x[0]", "x[1]", "x[2]")


def test_a_vector_gives_one_feature() -> None:
    names, matrix = features(contract(spec("age", (None,), "int64")), np.array([3, 4]))
    assert names == ("age",)
    assert matrix.tolist() == [[3.0], [4.0]]


def test_values_are_those_the_model_gets() -> None:
    _, matrix = features(contract(spec("x", (None, 1))), np.array([[0.1]]))
    assert matrix.tolist() == [[float(np.float32(0.1))]]


def test_an_image_gives_mean_and_contrast_of_each_row() -> None:
    images = np.zeros((2, 2, 2, 1), np.uint8)
    images[1, 0] = 200
    names, matrix = features(contract(spec("image", (None, 2, 2, 1), "uint8")), images)
    assert names == ("image.mean", "image.contrast")
    assert matrix.tolist() == [[0.0, 0.0], [100.0, 100.0]]


@pytest.mark.parametrize("shape", [(None, 257), (None, None), (None, 4, None)])
def test_wide_and_open_inputs_count_as_tensors(shape: tuple[int | None, ...]) -> None:
    assert feature_names([spec("x", shape)]) == ("x.mean", "x.contrast")


def test_nan_within_a_tensor_shows_in_both_of_its_features() -> None:
    rows = np.ones((3, 2, 2), np.float32)
    rows[1, 0, 0] = np.nan
    rows[2, 1, 1] = np.inf
    _, matrix = features(contract(spec("x", (None, 2, 2))), rows)
    np.testing.assert_array_equal(matrix, [[1.0, 0.0], [np.nan, np.nan], [np.inf, np.nan]])


def test_a_tensor_without_values_has_no_mean() -> None:
    _, matrix = features(contract(spec("x", (None, None))), np.zeros((2, 0), np.float32))
    assert np.isnan(matrix).all()


@pytest.mark.parametrize("shape", [(50, 3000), (7, 40, 40, 3), (2000, 3, 5)])
def test_a_rows_features_do_not_hang_on_the_batch_or_its_layout(shape: tuple[int, ...]) -> None:
    rows = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    given = contract(spec("x", (None, *(None for _ in shape[1:]))))
    _, whole = features(given, rows)
    _, fortran = features(given, np.asfortranarray(rows))
    one_by_one = np.concatenate([features(given, rows[i : i + 1])[1] for i in range(0, 7)])
    np.testing.assert_array_equal(whole, fortran)
    np.testing.assert_array_equal(whole[:7], one_by_one)
    flat = rows.reshape(len(rows), -1).astype(np.float64)
    np.testing.assert_allclose(whole[:, 0], flat.mean(axis=1), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(whole[:, 1], flat.std(axis=1), rtol=1e-6)


def test_strings_are_not_watched() -> None:
    specs = contract(spec("city", (None, 1), "string"), spec("age", (None,), "int32"))
    names, matrix = features(
        specs, {"city": np.array([["Delft"], ["Gouda"]]), "age": np.array([1, 2])}
    )
    assert names == ("age",)
    assert matrix.tolist() == [[1.0], [2.0]]


def test_strings_alone_give_a_matrix_without_columns() -> None:
    names, matrix = features(contract(spec("city", (None,), "string")), np.array(["Delft"]))
    assert names == ()
    assert matrix.shape == (1, 0)


def test_features_of_several_inputs_stand_side_by_side() -> None:
    specs = contract(
        spec("on", (None, 1), "bool"), spec("t", (None,)), spec("image", (None, 2, 2), "uint8")
    )
    rows = {
        "image": np.full((1, 2, 2), 7, np.uint8),
        "t": np.array([20.5], np.float32),
        "on": np.array([[True]]),
    }
    names, matrix = features(specs, rows)
    assert names == ("on[0]", "t", "image.mean", "image.contrast")
    assert matrix.tolist() == [[1.0, 20.5, 7.0, 0.0]]


def test_like_names_in_two_inputs_are_told_apart() -> None:
    specs = [spec("left", (None, 1), names=("t",)), spec("right", (None, 1), names=("t",))]
    assert feature_names(specs) == ("left.t", "right.t")


def test_no_rows_give_an_empty_matrix() -> None:
    _, matrix = features(contract(spec("x", (None, 3))), np.empty((0, 3), np.float32))
    assert matrix.shape == (0, 3)


def test_a_wrong_shape_is_refused() -> None:
    with pytest.raises(InputError, match="expects the shape"):
        features(contract(spec("x", (None, 3))), np.empty((1, 4), np.float32))
