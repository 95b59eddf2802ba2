"""Reports: on disk whole or not at all, checked when read, and readable as a table."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from edgeship_benchmarks import Report, cells, decode, encode, write
from edgeship_benchmarks.errors import BenchError
from edgeship_benchmarks.page import markdown
from edgeship_benchmarks.report import Result
from edgeship_devices import Machine

MACHINE = Machine(
    profile="raspberry-pi-4",
    device_tree_model="Raspberry Pi 4 Model B Rev 1.4",
    cpu="Cortex-A72",
    cores=4,
    ram_bytes=3_977_601_024,
    architecture="aarch64",
    governor="ondemand",
    load_average=(1.5, 0.5, 0.1),
    throttled=True,
    temperature_celsius=82.277,
)
EXACT = Result(
    variant="onnx-float32",
    device="raspberry-pi-4",
    engine="onnxruntime 1.24.4",
    bytes=148_700,
    load_ns=15_600_000,
    p50_ns=68_000,
    p90_ns=1_250_000,
    queries=100,
    latencies_ns=tuple(range(100)),
    metric="accuracy",
    metric_value=0.9372,
    agreement=1.0,
)
BROKEN = Result(variant="tflite-int8", device="raspberry-pi-4", bytes=46_100, error="no | engine")
REPORT = Report(
    model="digits",
    version="1",
    bundle_sha256="0" * 64,
    machine=MACHINE,
    threads=1,
    rows=360,
    rows_from="data",
    reference="onnx-float32",
    results=(EXACT, BROKEN),
)


def test_a_report_comes_back_as_it_was(tmp_path: Path) -> None:
    json_path, page_path = write(REPORT, tmp_path / "new" / "folder")
    assert decode(json_path.read_bytes()) == REPORT
    assert page_path.read_text(encoding="utf-8") == markdown(REPORT)
    assert sorted(path.name for path in json_path.parent.iterdir()) == ["report.json", "report.md"]


def test_an_older_report_is_replaced(tmp_path: Path) -> None:
    write(REPORT, tmp_path)
    newer = msgspec.structs.replace(REPORT, version="2")
    json_path, page_path = write(newer, tmp_path)
    assert decode(json_path.read_bytes()).version == "2"
    assert page_path.read_text(encoding="utf-8").startswith("# digits 2,")


def test_a_file_in_the_folders_place_is_refused_and_left_alone(tmp_path: Path) -> None:
    in_the_way = tmp_path / "reports"
    in_the_way.write_text("mine", encoding="utf-8")
    with pytest.raises(BenchError, match=r"cannot write the report to .*choose another folder"):
        write(REPORT, in_the_way)
    assert in_the_way.read_text(encoding="utf-8") == "mine"
    assert list(tmp_path.iterdir()) == [in_the_way]


@pytest.mark.parametrize("name", ["report.json", "report.md"])
def test_a_folder_in_a_files_place_is_refused_and_nothing_is_written(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(BenchError, match=f"{name} is a folder"):
        write(REPORT, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(BenchError, match="Permission denied"):
        write(REPORT, tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema_version": 2}, "schema version is 2, this edgeship reads 1"),
        ({"threads": 0}, "threads and rows must be at least 1"),
        ({"reference": "onnx-int4"}, "'onnx-int4' is none of its variants"),
        ({"results": (EXACT, EXACT)}, "two results share a variant"),
        (
            {"results": (msgspec.structs.replace(EXACT, queries=99),)},
            "states 99 queries and has 100 latencies",
        ),
        (
            {"results": (msgspec.structs.replace(EXACT, metric=None),)},
            "a value without a metric",
        ),
        ({"results": (msgspec.structs.replace(EXACT, agreement=1.5),)}, "agreement"),
        ({"results": (msgspec.structs.replace(EXACT, bytes=-1),)}, "bytes"),
    ],
)
def test_a_report_that_cannot_be_true_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(BenchError, match=message):
        decode(encode(msgspec.structs.replace(REPORT, **change)))


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b"\xff", encode(REPORT)[:-40], b'{"colour":1,' + encode(REPORT)[1:]]
)
def test_what_is_no_report_is_refused(data: bytes) -> None:
    with pytest.raises(BenchError, match="is not valid"):
        decode(data)


def test_cells_have_units_for_people_and_a_dash_where_nothing_is_known() -> None:
    header, rows, _ = cells(REPORT)
    assert dict(zip(header, rows[0], strict=True)) == {
        "variant": "onnx-float32",
        "engine": "onnxruntime 1.24.4",
        "size": "148.7 kB",
        "load": "15.60 ms",
        "p50": "68.0 µs",
        "p90": "1.25 ms",
        "p99": "-",
        "accuracy": "93.72%",
        "agreement": "100.00%",
    }
    assert rows[1] == ("tflite-int8", "-", "46.1 kB", *["-"] * 6)


def test_footnotes_tell_of_errors_of_too_few_queries_and_of_the_reference() -> None:
    footnotes = cells(REPORT)[2]
    assert footnotes[0] == "tflite-int8 was not measured: no | engine"
    assert any("p99 is given from 662 queries on" in note for note in footnotes)
    assert any("onnx-float32 had 100" in note for note in footnotes)
    assert not any("p90 is given" in note for note in footnotes)
    assert any("against onnx-float32" in note for note in footnotes)


def test_a_regression_has_its_own_columns() -> None:
    value = msgspec.structs.replace(
        EXACT, metric="r2", metric_value=0.98765, agreement=None, max_abs_difference=0.0123456
    )
    header, rows, _ = cells(msgspec.structs.replace(REPORT, results=(value,)))
    assert header[-2:] == ("R²", "largest difference")
    assert rows[0][-2:] == ("0.9877", "0.0123")


def test_the_page_names_machine_threads_rows_and_where_noise_could_come_from() -> None:
    page = markdown(REPORT)
    for words in (
        "Raspberry Pi 4 Model B Rev 1.4 (Cortex-A72, 4 cores, 4.0 GB of memory)",
        "threads: 1",
        "rows: 360, from the data given",
        "load: 1.50 over the minute before: the machine was busy",
        "governor: ondemand; the clock may have moved",
        "throttling: yes",
        "82.3 °C",
    ):
        assert words in page


def test_the_page_says_what_could_not_be_found_out() -> None:
    unknown = Machine(**dict.fromkeys(Machine.__struct_fields__))
    page = markdown(msgspec.structs.replace(REPORT, machine=unknown, reference=None))
    for words in ("unknown machine", "load: unknown", "governor: unknown", "throttling: unknown"):
        assert words in page


def test_no_name_can_break_out_of_its_cell() -> None:
    evil = msgspec.structs.replace(EXACT, variant="a|b\n| c <script>")
    lines = markdown(msgspec.structs.replace(REPORT, results=(evil,))).splitlines()
    row = next(line for line in lines if line.startswith("| a"))
    assert row.startswith(r"| a\|b \| c &lt;script> | onnxruntime")
