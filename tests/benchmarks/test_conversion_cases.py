"""The cases that conversion is measured on, and the page that their figures become."""

from __future__ import annotations

import gzip
from pathlib import Path

import keras
import msgspec
import numpy as np
import pytest

from conversion import mnist
from conversion.bare import BareTools
from conversion.cases import CASES, Case, case
from conversion.child import by_bare_tools
from conversion.measure import Plan, measure
from conversion.prepare import CALIBRATING, JUDGING, MODEL, prepare, settle
from conversion.rows import CaseRows, Rows, drawn, rows_of
from conversion.table import page
from conversion.tally import CaseTally, Run, Tally, Variant
from conversion.targets import PEAK_BYTES, points_lost, share, verdicts
from edgeship_devices.detect import detect

MNIST = mnist.folder()
needs_mnist = pytest.mark.skipif(MNIST is None, reason="the MNIST files are not there")


@pytest.mark.parametrize("given", CASES, ids=lambda given: given.name)
def test_a_case_builds_with_the_parameters_that_it_states(given: Case) -> None:
    model = given.build()
    assert model.count_params() == given.parameters
    assert all(tensor.shape[0] is None for tensor in model.inputs)


def test_the_suite_holds_every_kind_of_model() -> None:
    assert {given.family for given in CASES} == {"cnn", "mlp", "recurrent", "attention"}
    model = case("mnist-halves").build()
    assert (len(model.inputs), len(model.outputs)) == (2, 2)


def test_case_names_are_distinct_and_an_unknown_one_is_refused() -> None:
    assert len({given.name for given in CASES}) == len(CASES)
    with pytest.raises(ValueError, match="no case 'vgg': it is one of ds-cnn, "):
        case("vgg")


@needs_mnist
def test_mnist_is_read_and_mixed_without_loss() -> None:
    assert MNIST is not None
    images, labels = mnist.load(MNIST)
    assert images.shape == (10_000, 28, 28, 1)
    assert images.dtype == np.float32
    assert (images.min(), images.max()) == (0.0, 1.0)
    as_filed = mnist.read_idx(MNIST / mnist.LABELS)
    assert as_filed[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert np.bincount(labels).tolist() == np.bincount(as_filed).tolist()
    assert labels[:100].tolist() != as_filed[:100].tolist()
    filed = (mnist.read_idx(MNIST / mnist.IMAGES)[:50] / 255.0).astype(np.float32)
    for image, label in zip(filed, as_filed, strict=False):
        same = (images[..., 0] == image).all(axis=(1, 2))
        assert labels[same].tolist() == [label]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\0\0\x0d\x01\0\0\0\x01\0\0\0\0", "no IDX file of unsigned bytes"),
        (b"\0\0\x08\x01\0\0\0\x05abc", r"holds 3 values, expected \(5,\)"),
        (b"", "no IDX file"),
    ],
)
def test_what_is_no_idx_file_is_refused(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "labels.gz"
    path.write_bytes(gzip.compress(data))
    with pytest.raises(ValueError, match=words):
        mnist.read_idx(path)


@needs_mnist
def test_training_calibrating_and_judging_rows_are_the_same_every_time_and_share_none() -> None:
    given = case("mnist-halves")
    first, again = (rows_of(given, given.build(), MNIST) for _ in range(2))
    sets = (first.training, first.calibrating, first.judging)
    assert [len(rows.inputs["left"]) for rows in sets] == [7500, 500, 2000]
    left = np.concatenate([rows.inputs["left"] for rows in sets])
    right = np.concatenate([rows.inputs["right"] for rows in sets])
    whole = np.concatenate([left, right], axis=2).reshape(10_000, -1)
    assert len(np.unique(whole, axis=0)) == len(np.unique(_images(), axis=0))
    np.testing.assert_array_equal(first.judging.inputs["left"], again.judging.inputs["left"])
    np.testing.assert_array_equal(first.judging.truth["odd"], first.judging.truth["digit"] % 2)


def _images() -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    assert MNIST is not None
    return mnist.load(MNIST)[0].reshape(10_000, -1)


@pytest.mark.parametrize(("data", "low", "high"), [("image", -1, 1), ("image-255", 0, 255)])
def test_drawn_images_fill_their_range(data: str, low: float, high: float) -> None:
    images = drawn(data, 20, (32, 32, 3))
    assert images.shape == (20, 32, 32, 3)
    assert images.dtype == np.float32
    assert (images.min(), images.max()) == (low, high)
    # Patches make neighbours alike, as in photographs; grain keeps them from being equal.
    assert 0 < np.abs(np.diff(images, axis=2)).mean() < (high - low) / 8


def test_a_settled_model_passes_signals_through_and_quantizes_with_error() -> None:
    keras.utils.set_random_seed(0)
    model = case("ds-cnn").build()
    rows = drawn("normal", 64, (49, 10, 1))
    unsettled = model(rows).numpy()
    settle(model, CaseRows(Rows({}, {}), Rows({"features": rows}, {}), Rows({}, {})))
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            assert layer.momentum == 0.99
            assert np.abs(layer.moving_mean.numpy()).max() > 0.01
        if isinstance(layer, keras.layers.Conv2D):
            assert (layer.bias.numpy() != 0).all()
    assert model(rows).numpy().std(axis=0).mean() > 3 * unsettled.std(axis=0).mean()


def test_bare_tools_make_what_they_are_asked_for_and_note_what_fails(tmp_path: Path) -> None:
    given = Case("small", case("ds-cnn").build, "cnn", 24_908, "normal", 20, 20)
    prepare(given, tmp_path / "small", None)
    assert {path.name for path in (tmp_path / "small").iterdir()} == {MODEL, CALIBRATING, JUDGING}
    made = by_bare_tools(tmp_path / "small", tmp_path / "made", ["onnx-float32", "tflite-int4"])
    assert made.run is not None
    assert made.run.bytes.keys() == {"savedmodel-float32", "onnx-float32"}
    assert made.run.bytes["onnx-float32"] > 4 * 24_000
    assert made.run.failed == {
        "tflite-int4": "FileNotFoundError: there is no tflite-float32 to begin with"
    }
    assert sum(made.run.steps.values()) == pytest.approx(made.run.seconds)
    assert made.run.peak_bytes >= made.run.imported_bytes > 0


def test_float_forms_come_before_what_the_bare_tools_make_of_them(tmp_path: Path) -> None:
    steps = list(BareTools(tmp_path, tmp_path).steps)
    assert steps[:2] == ["load", "savedmodel-float32"]
    for form in ("tflite", "onnx"):
        first = steps.index(f"{form}-float32")
        assert all(steps.index(step) >= first for step in steps if step.startswith(form))


def test_cases_on_mnist_are_skipped_without_it(tmp_path: Path) -> None:
    tally = measure(Plan(cases=[case("mnist-mlp")], work=tmp_path, mnist=None))
    assert tally.cases == []
    assert tally.skipped == {"mnist-mlp": "MNIST is not there"}
    assert "| mnist-mlp | all | the suite | MNIST is not there |" in page(tally)


def test_a_case_that_fails_is_skipped_with_its_error(tmp_path: Path) -> None:
    (tmp_path / "ds-cnn").write_text("a file where the folder should be")
    tally = measure(Plan(cases=[case("ds-cnn")], work=tmp_path, mnist=None, rounds=1))
    assert tally.cases == []
    assert "prepare left with 1: " in tally.skipped["ds-cnn"]


def run(seconds: float, peak: float = 1e9) -> Run:
    """A run that took so long, half of it proving."""
    return Run(
        seconds=seconds,
        steps={"making all": seconds / 2, "proving all": seconds / 2},
        peak_bytes=int(peak),
        imported_bytes=0,
        bytes={},
        failed={},
    )


def variant(size: int, accuracy: float | None = None) -> Variant:
    """A variant of so many bytes, whose source is right on 98 of 100 rows."""
    return Variant(
        bytes=size,
        max_abs=0.0123,
        max_rel=0.1,
        rows=2000,
        label_flips=40,
        accuracy=accuracy,
        source_accuracy=None if accuracy is None else 0.98,
    )


def tally_of(*cases: CaseTally) -> Tally:
    """These cases, on this machine."""
    return Tally(machine=detect(), tools={"keras": "3.12"}, cases=list(cases), skipped={})


def measured(
    parameters: int = 60_000, int8: int = 300, accuracy: float = 0.98, peak: float = 1e9
) -> CaseTally:
    """A trained CNN; edgeship took 10 s, 11 s and 15 s, the bare tools 10 s, 10 s and 9 s."""
    return CaseTally(
        name="net",
        family="cnn",
        parameters=parameters,
        trained=True,
        variants={
            "tflite-float32": variant(1000, 0.98),
            "tflite-int8": variant(int8, accuracy),
            "onnx-int8": variant(50, 0.98),
        },
        refused={"tflite-int4": "it | cannot"},
        edgeship=[run(10), run(15), run(11, peak)],
        bare=[run(10), run(10), run(9)],
    )


def test_a_share_is_of_the_float32_of_the_same_format() -> None:
    assert share(measured(), "tflite-int8") == 0.3
    assert share(measured(), "onnx-int8") is None
    assert share(measured(), "tflite-int4") is None


def test_the_ratio_is_of_medians() -> None:
    assert measured().ratio() == 1.1
    assert measured().ratio(with_proving=False) == 0.55


def test_what_the_bare_tools_cannot_make_counts_for_neither_side() -> None:
    ours = {"making a": 2.0, "making b": 50.0, "proving a": 1.0, "proving b": 9.0, "asking": 0.0}
    bare = {"load": 1.0, "a": 1.0, "b": 7.0}
    given = msgspec.structs.replace(
        measured(),
        edgeship=[msgspec.structs.replace(run(62), steps=ours)],
        bare=[msgspec.structs.replace(run(9), steps=bare, failed={"b": "ValueError: no"})],
    )
    assert given.ratio() == 1.5
    assert given.ratio(with_proving=False) == 1.0
    assert given.edgeship[0].proven() == ["a", "b"]
    assert "| net | b | bare tools | ValueError: no |" in page(tally_of(given))


@pytest.mark.parametrize(
    ("given", "missed"),
    [
        (measured(), []),
        (measured(int8=301), ["net tflite-int8"]),
        (measured(parameters=50_000, int8=301), []),
        (measured(accuracy=0.975), []),
        (measured(accuracy=0.9745), ["net tflite-int8"]),
        (measured(peak=PEAK_BYTES + 1), ["net"]),
    ],
)
def test_a_target_is_missed_above_its_limit_and_not_at_it(
    given: CaseTally, missed: list[str]
) -> None:
    judged = verdicts(tally_of(given))
    assert [figure.of for verdict in judged for figure in verdict.missed] == missed


def test_points_lost_need_labels() -> None:
    assert points_lost(measured(accuracy=0.975), "tflite-int8") == 0.5
    assert points_lost(msgspec.structs.replace(measured(), variants={}), "tflite-int8") is None


def test_the_page_states_targets_figures_and_what_was_left_out() -> None:
    text = page(tally_of(measured(int8=301, accuracy=0.97)))
    assert "| 0.301 (net tflite-int8) | 0 of 1 | net tflite-int8 0.301 |" in text
    assert "| +1.00 points lost (net tflite-int8) | 1 of 2 | net tflite-int8 +1.00" in text
    assert "| net | 1 000 | 0.301 | 50 |" in text
    assert "| model | tflite-float32 | tflite-int8 | onnx-int8 |" in text
    assert "| net | 60 000 | 11.0 s | 5.5 s | 10.0 s | 1.10 | 0.55 | 1.00 GB | 1.00 GB |" in text
    assert "| net | tflite-int4 | edgeship | it \\| cannot |" in text
    assert "Rounds: 3. With keras 3.12." in text


def test_the_page_says_where_nothing_was_measured() -> None:
    text = page(tally_of())
    assert text.count("| not measured | – | – |") == len(verdicts(tally_of()))


def test_figures_survive_their_file() -> None:
    tally = tally_of(measured())
    assert msgspec.json.decode(msgspec.json.encode(tally), type=Tally) == tally
