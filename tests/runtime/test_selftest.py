"""A board proves itself on the goldens before it serves."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from edgeship_runtime.bundle import BundleWriter
from edgeship_runtime.errors import BundleError, SelfTestError
from edgeship_runtime.model import Model, load
from edgeship_runtime.selftest import check_goldens, golden_inputs, golden_outputs, run_goldens
from tests import tiny

LABEL, PROBABILITIES = "goldens/output-0.npy", "goldens/output-1.npy"


def with_golden(target: Path, path: str, data: bytes) -> Model:
    """The tiny bundle with one golden of another content, rightly named by the manifest."""
    manifest, files = tiny.manifest_and_files()
    files[path] = data
    writer = BundleWriter(target)
    entries = tuple(writer.add(path, data) for path, data in sorted(files.items()))
    return load(writer.write(msgspec.structs.replace(manifest, files=entries)))


def test_a_board_that_computes_what_the_source_did_passes(tmp_path: Path) -> None:
    result = check_goldens(load(tiny.write(tmp_path / "tiny")))
    assert result.passed
    assert result.rows == 4
    assert result.tolerance == 1e-4
    assert result.error <= 1e-6
    assert result.used == pytest.approx(result.error / result.tolerance)


def test_goldens_are_the_rows_that_were_kept(tmp_path: Path) -> None:
    bundle = tiny.write(tmp_path / "tiny.edgeship")
    assert np.array_equal(golden_inputs(bundle)["x"], tiny.ROWS)
    expected = tiny.source_outputs(tiny.ROWS)
    assert {k: v.tolist() for k, v in golden_outputs(bundle).items()} == {
        k: v.tolist() for k, v in expected.items()
    }


def test_goldens_of_other_weights_are_refused_with_the_figure(tmp_path: Path) -> None:
    wrong = tiny.source_outputs(tiny.ROWS * 1.1)["probabilities"]
    model = with_golden(tmp_path / "tiny", PROBABILITIES, tiny.npy(wrong))
    right = model.predict(tiny.ROWS)["probabilities"]
    figure = f"{np.abs(wrong - right).max():.3g}"
    with pytest.raises(SelfTestError) as caught:
        check_goldens(model)
    assert f"is {figure} off the source in output 'probabilities'" in str(caught.value)
    assert "(tolerance 0.0001)" in str(caught.value)
    assert caught.value.exit_code == 1


def test_a_flipped_label_is_refused_with_the_share_of_rows(tmp_path: Path) -> None:
    label = tiny.source_outputs(tiny.ROWS)["label"].copy()
    label[0] ^= 1
    result = run_goldens(with_golden(tmp_path / "tiny", LABEL, tiny.npy(label)))
    assert not result.passed
    assert (result.worst_output, result.error) == ("label", 0.25)


@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_a_golden_that_is_no_number_is_never_passed(odd: float, tmp_path: Path) -> None:
    golden = tiny.source_outputs(tiny.ROWS)["probabilities"].copy()
    golden[2, 1] = odd
    result = run_goldens(with_golden(tmp_path / "tiny", PROBABILITIES, tiny.npy(golden)))
    assert result.worst_output == "probabilities"
    assert not result.passed


@pytest.mark.parametrize(
    ("path", "shape"), [(PROBABILITIES, (4, 1)), (LABEL, (4, 1)), (LABEL, (4, 4))]
)
def test_a_golden_of_another_shape_is_never_passed(
    path: str, shape: tuple[int, ...], tmp_path: Path
) -> None:
    zeros = np.zeros(shape, np.float32 if path == PROBABILITIES else np.int64)
    assert not run_goldens(with_golden(tmp_path / "tiny", path, tiny.npy(zeros))).passed


def npz() -> bytes:
    import io

    stream = io.BytesIO()
    np.savez(stream, a=np.zeros(4))
    return stream.getvalue()


HUGE = tiny.npy(np.zeros(4, np.int64)).replace(b"(4,), }            ", b"(4000000000000,), }")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not an array",
        tiny.npy(np.zeros(4, np.int64))[:-1],
        tiny.npy(np.zeros(3, np.int64)),
        tiny.npy(np.zeros((), np.int64)),
        tiny.npy(np.zeros(4, np.int64)).replace(b"{", b"("),
        np.array([None] * 4).dumps(),
        HUGE,
        npz(),
    ],
    ids=["empty", "text", "cut", "rows", "scalar", "header", "pickle", "huge", "npz"],
)
def test_a_golden_that_is_no_array_of_the_rows_is_refused(data: bytes, tmp_path: Path) -> None:
    model = with_golden(tmp_path / "tiny", LABEL, data)
    with pytest.raises(BundleError, match=f"the golden '{LABEL}' is not an array"):
        run_goldens(model)


def test_a_golden_changed_after_opening_is_refused_for_its_hash(tmp_path: Path) -> None:
    bundle = tiny.write(tmp_path / "tiny")
    (tmp_path / "tiny" / LABEL).write_bytes(tiny.npy(np.ones(4, np.int64)))
    with pytest.raises(BundleError, match="does not have the SHA-256"):
        golden_outputs(bundle)
