"""Measuring real bundles: figures, accuracy, agreement, and variants that fail."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeship_benchmarks import Report, bench
from edgeship_benchmarks.accuracy import reference
from edgeship_benchmarks.errors import BenchError
from edgeship_benchmarks.percentiles import percentile
from edgeship_benchmarks.report import Result
from edgeship_devices import profiles
from edgeship_runtime.errors import DataError, EdgeshipError
from tests import tiny
from tests.benchmarks import bundles

QUERIES = 662


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Three variants on eight rows, half of whose true labels are what the exact one says."""
    bundle = bundles.several(tmp_path_factory.mktemp("several") / "bundle")
    x = np.concatenate([tiny.ROWS, tiny.ROWS])
    said = tiny.source_outputs(tiny.ROWS)["label"]
    return bench(bundle, {"x": x}, np.concatenate([said, 1 - said]), queries=QUERIES)


def result(report: Report, variant: str) -> Result:
    return next(result for result in report.results if result.variant == variant)


def test_a_report_names_what_was_measured_on_what(report: Report) -> None:
    assert (report.model, report.version, report.threads) == ("tiny", "1", 1)
    assert (report.rows, report.rows_from) == (8, "data")
    assert report.machine.profile in profiles()
    assert [result.variant for result in report.results] == [
        "tflite-int8",
        "onnx-float32",
        "onnx-int8",
    ]
    assert {result.device for result in report.results} == {report.machine.profile}
    assert {result.evidence for result in report.results} == {"measured"}


@pytest.mark.parametrize("variant", ["onnx-float32", "onnx-int8"])
def test_every_raw_time_is_kept_and_the_percentiles_are_of_them(
    report: Report, variant: str
) -> None:
    measured = result(report, variant)
    times = measured.latencies_ns
    assert measured.queries == len(times) >= QUERIES
    assert min(times) > 0
    assert measured.p50_ns == percentile(times, 50)
    assert measured.p90_ns == percentile(times, 90)
    assert measured.p99_ns == percentile(times, 99)
    assert measured.load_ns is not None and measured.load_ns > 0
    assert measured.engine is not None and measured.engine.startswith("onnxruntime ")


def test_sizes_are_those_of_the_files(report: Report) -> None:
    assert result(report, "onnx-float32").bytes == len(tiny.onnx_model())
    assert result(report, "tflite-int8").bytes == len(b"this is no flatbuffer")


def test_accuracy_is_against_the_truth_and_agreement_against_the_exact_variant(
    report: Report,
) -> None:
    exact, swapped = result(report, "onnx-float32"), result(report, "onnx-int8")
    assert report.reference == "onnx-float32"
    assert (exact.metric, exact.metric_value, exact.agreement) == ("accuracy", 0.5, 1.0)
    assert (swapped.metric, swapped.metric_value, swapped.agreement) == ("accuracy", 0.5, 0.0)
    assert exact.max_abs_difference is None


def test_a_variant_that_its_engine_refuses_is_marked_and_the_others_are_measured(
    report: Report,
) -> None:
    broken = result(report, "tflite-int8")
    assert broken.error is not None and "refuses the model" in broken.error
    assert (broken.queries, broken.p50_ns, broken.load_ns, broken.agreement) == (
        0,
        None,
        None,
        None,
    )
    assert result(report, "onnx-float32").error is None


def test_a_bundle_without_any_variant_that_runs_gives_a_report_of_errors(tmp_path: Path) -> None:
    manifest, files = tiny.manifest_and_files()
    parts = [(manifest.variants[0], "tflite", "float32", b"nothing")]
    report = bench(bundles.write(tmp_path / "bundle", manifest, files, parts))  # type: ignore[arg-type]
    assert report.reference is None
    assert report.results[0].error is not None


def test_goldens_are_asked_where_no_data_is_given(tmp_path: Path) -> None:
    steps: list[str] = []
    report = bench(tiny.write(tmp_path / "tiny"), queries=1, on_step=steps.append)
    assert (report.rows, report.rows_from) == (4, "goldens")
    assert report.results[0].metric is None
    assert report.results[0].agreement == 1.0
    assert "loading onnx-float32" in steps


def test_a_regression_has_r2_and_its_largest_difference(tmp_path: Path) -> None:
    off = bundles.linear(np.array([[1.0], [1.0], [0.5]], np.float32))
    truth = tiny.ROWS.sum(axis=1)
    report = bench(bundles.regressions(tmp_path / "bundle", off), None, truth, queries=1)
    exact, other = report.results
    assert (exact.metric, exact.metric_value, exact.max_abs_difference) == ("r2", 1.0, 0.0)
    assert exact.agreement is None
    # Half of the largest third feature, 3.0, is lost.
    assert other.max_abs_difference == 1.5
    assert other.metric_value is not None and other.metric_value < 1.0


def test_a_variant_that_gives_nan_is_marked(tmp_path: Path) -> None:
    nan = bundles.linear(np.full((3, 1), np.nan, np.float32))
    exact, other = bench(bundles.regressions(tmp_path / "bundle", nan), queries=1).results
    assert exact.error is None
    assert other.error == "it gives NaN or infinite values"
    assert other.max_abs_difference is None


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["onnx-int8", "onnx-float32", "savedmodel-float32"], "savedmodel-float32"),
        (["tflite-float32", "onnx-float32"], "onnx-float32"),
        (["tflite-int8", "tflite-float32"], "tflite-float32"),
        (["tflite-int8", "onnx-int8"], "tflite-int8"),
        ([], None),
    ],
)
def test_the_reference_is_the_most_exact_variant(names: list[str], expected: str | None) -> None:
    assert reference(names) == expected


@pytest.mark.parametrize("wrong", [{"threads": 0}, {"queries": 0}])
def test_counts_below_one_are_refused(tmp_path: Path, wrong: dict[str, int]) -> None:
    with pytest.raises(BenchError, match="expected at least 1"):
        bench(tiny.write(tmp_path / "tiny"), **wrong)  # type: ignore[arg-type]


def test_a_truth_of_another_length_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="3 labels for 4 rows"):
        bench(tiny.write(tmp_path / "tiny"), None, np.zeros(3, np.int64))


def test_bench_errors_are_on_the_one_tree() -> None:
    assert issubclass(BenchError, EdgeshipError)
