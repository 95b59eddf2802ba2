"""The `edgeship` command as people meet it: good input, bad input, exit codes, one clear line."""

from __future__ import annotations

import csv
import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pytest

from tests import tiny

EDGESHIP = str(Path(sys.executable).parent / "edgeship")


def edgeship(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command, as a shell would."""
    command = [EDGESHIP, *(str(argument) for argument in arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=cwd, timeout=120, check=False
    )


def assert_refused(done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    """One line on standard error, with these words in it, and this exit code."""
    assert done.returncode == code, done.stderr
    line = done.stderr.strip().splitlines()[-1]
    assert line.startswith("edgeship: ")
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in line


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """The tiny bundle as a file."""
    tiny.write(tmp_path / "tiny.edgeship")
    return tmp_path / "tiny.edgeship"


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """Rows for the tiny bundle, labelled."""
    path = tmp_path / "rows.csv"
    labels = tiny.source_outputs(tiny.ROWS)["label"]
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([*tiny.FEATURES, "species"])
        writer.writerows([*row, label] for row, label in zip(tiny.ROWS, labels, strict=True))
    return path


def test_help_imports_no_numpy_and_no_engine() -> None:
    script = (
        "import sys; sys.argv = ['edgeship', '--help']\n"
        "from edgeship.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'msgspec', 'rich', 'onnxruntime', 'ai_edge_litert', 'tensorflow', "
        "'keras', 'sklearn', 'onnx', 'uvicorn', 'asyncio'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines()[-1] == "[]"
    for command in ("convert", "inspect", "verify", "predict", "drift", "bench", "serve"):
        assert command in done.stdout


def test_inspect_as_json_is_the_manifest(bundle: Path) -> None:
    manifest = json.loads(edgeship("inspect", bundle, "--json").stdout)
    assert manifest["inputs"][0]["name"] == "x"
    assert [output["name"] for output in manifest["outputs"]] == ["label", "probabilities"]
    assert manifest["variants"][0]["name"] == "onnx-float32"
    assert manifest["variants"][0]["bytes"] > 0


def test_inspect_tells_people_what_a_bundle_is(bundle: Path) -> None:
    done = edgeship("inspect", bundle)
    assert done.returncode == 0
    for words in ("tiny 1, classification", "float32  n x 3", "length, width", "onnx-float32"):
        assert words in done.stdout


def test_verify_runs_the_goldens(bundle: Path) -> None:
    done = edgeship("verify", bundle)
    assert done.returncode == 0
    assert "onnxruntime" in done.stdout
    assert done.stdout.rstrip().endswith("ok")


def test_predict_gives_csv_on_standard_output(bundle: Path, rows: Path) -> None:
    done = edgeship("predict", bundle, "--data", rows)
    lines = done.stdout.splitlines()
    assert lines[0] == "label,probabilities[0],probabilities[1]"
    expected = tiny.source_outputs(tiny.ROWS)["label"]
    assert [int(line.split(",")[0]) for line in lines[1:]] == expected.tolist()


def test_predict_writes_arrays(bundle: Path, rows: Path, tmp_path: Path) -> None:
    done = edgeship("predict", bundle, "--data", rows, "-o", tmp_path / "out" / "p.npz")
    assert done.returncode == 0
    with np.load(tmp_path / "out" / "p.npz") as arrays:
        assert arrays["label"].tolist() == tiny.source_outputs(tiny.ROWS)["label"].tolist()


def test_no_rows_give_no_predictions(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "none.csv").write_text("length,width,weight\n")
    done = edgeship("predict", bundle, "--data", tmp_path / "none.csv")
    assert done.stdout.splitlines() == ["label,probabilities[0],probabilities[1]"]


def test_no_telemetry_is_kept(bundle: Path, rows: Path, tmp_path: Path) -> None:
    home = {**os.environ, "HOME": str(tmp_path / "home"), "XDG_CACHE_HOME": str(tmp_path / "home")}
    command = [EDGESHIP, "predict", str(bundle), "--data", str(rows)]
    assert subprocess.run(command, capture_output=True, check=False, env=home).returncode == 0
    assert not (tmp_path / "home").exists()


def test_bench_writes_and_prints_a_report(bundle: Path, rows: Path, tmp_path: Path) -> None:
    done = edgeship("bench", bundle, "--data", rows, "-o", tmp_path / "report", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["results"][0]["variant"] == "onnx-float32"
    assert report["results"][0]["evidence"] == "measured"
    assert report["results"][0]["metric_value"] == 1.0
    assert json.loads((tmp_path / "report" / "report.json").read_text()) == report
    assert "onnx-float32" in (tmp_path / "report" / "report.md").read_text()


def test_the_whole_way_of_a_forest(cancer: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "cancer.edgeship"
    done = edgeship(
        *("convert", cancer / "cancer.skops", "-o", bundle, "--label-column", "diagnosis"),
        *("--data", cancer / "cancer-train.csv", "--eval-data", cancer / "cancer-test.csv"),
    )
    assert done.returncode == 0, done.stderr
    assert "judged on 171 rows" in done.stdout
    assert "onnx-float32" in done.stdout
    assert done.stdout.rstrip().endswith(f"wrote {bundle}")
    drifted = edgeship("drift", bundle, "--data", cancer / "cancer-train.csv", "--json")
    report = json.loads(drifted.stdout)
    assert report["rows"] == 398
    assert all(feature["psi"] == 0.0 for feature in report["features"])
    shown = edgeship("drift", bundle, "--data", cancer / "cancer-test.csv")
    assert "mean radius" in shown.stdout


def test_drift_counts_missing_values(cancer: Path, cancer_bundle: Path, tmp_path: Path) -> None:
    lines = (cancer / "cancer-train.csv").read_text().splitlines()
    holes = [lines[0], *("," + line.split(",", 1)[1] for line in lines[1:])]
    (tmp_path / "holes.csv").write_text("\n".join(holes))
    done = edgeship("drift", cancer_bundle, "--data", tmp_path / "holes.csv", "--json")
    worst = json.loads(done.stdout)["features"][0]
    assert worst["name"] == "mean radius"
    assert worst["missing"] == 1.0
    assert worst["severity"] == "major"


def test_a_bundle_without_baseline_cannot_tell_drift(bundle: Path, rows: Path) -> None:
    assert_refused(edgeship("drift", bundle, "--data", rows), 2, "baseline", "--data")


@pytest.mark.parametrize("command", ["inspect", "verify"])
def test_a_missing_bundle_is_wrong_use(command: str, tmp_path: Path) -> None:
    assert_refused(edgeship(command, tmp_path / "none"), 2, "there is no bundle at")


def test_one_corrupted_byte_fails_every_command(bundle: Path, rows: Path) -> None:
    data = bytearray(bundle.read_bytes())
    place = data.find(tiny.onnx_model()) + 100
    data[place] ^= 1
    bundle.write_bytes(data)
    for arguments in (
        ("inspect", bundle),
        ("verify", bundle),
        ("predict", bundle, "--data", rows),
        ("drift", bundle, "--data", rows),
        ("bench", bundle),
        ("serve", bundle, "--port", 0),
    ):
        assert_refused(edgeship(*arguments), 1, "variants/onnx-float32.onnx", "damaged")


def test_one_corrupted_byte_in_a_folder(tmp_path: Path) -> None:
    tiny.write(tmp_path / "tiny")
    manifest = tmp_path / "tiny" / "manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b'"tiny"', b'"tidy"', 1))
    assert_refused(edgeship("verify", tmp_path / "tiny"), 1, "manifest.json", "damaged")


def test_a_board_that_computes_otherwise_fails_verify(tmp_path: Path) -> None:
    manifest, files = tiny.manifest_and_files()
    from msgspec.structs import replace

    from edgeship_runtime.bundle import BundleWriter, FileSpec

    wrong = tiny.source_outputs(tiny.ROWS)["probabilities"][::-1].copy()
    files["goldens/output-1.npy"] = tiny.npy(wrong)
    entries = tuple(FileSpec.of(path, data) for path, data in sorted(files.items()))
    writer = BundleWriter(tmp_path / "b")
    for path, data in files.items():
        writer.add(path, data)
    writer.write(replace(manifest, files=entries))
    assert_refused(edgeship("verify", tmp_path / "b"), 1, "onnx-float32", "computes wrongly")


def test_bad_sources_are_refused_and_leave_nothing(tmp_path: Path) -> None:
    (tmp_path / "fake.keras").write_text("hello")
    (tmp_path / "fake.skops").write_text("hello")
    (tmp_path / "model.bin").write_text("hello")
    joblib.dump({"a": 1}, tmp_path / "model.pkl")
    before = sorted(tmp_path.iterdir())
    out = tmp_path / "out.edgeship"
    for source, words in {
        "none.keras": ("there is no model at",),
        "model.bin": ("expected one of .keras, .h5",),
        "fake.keras": ("is not a Keras model",),
        "fake.skops": ("is not a skops file",),
        "model.pkl": ("--allow-pickle", "can run any code"),
    }.items():
        assert_refused(edgeship("convert", tmp_path / source, "-o", out), 2, *words)
        assert sorted(tmp_path.iterdir()) == before


def test_bad_data_is_refused_and_leaves_nothing(cancer: Path, tmp_path: Path) -> None:
    lines = (cancer / "cancer-train.csv").read_text().splitlines()
    (tmp_path / "inf.csv").write_text("\n".join([lines[0], "inf" + lines[1][5:], *lines[2:]]))
    (tmp_path / "rows.txt").write_text("hello")
    out = tmp_path / "out" / "b.edgeship"
    source, good = cancer / "cancer.skops", cancer / "cancer-train.csv"
    for data, label, words in (
        (tmp_path / "none.csv", "diagnosis", ("no data file at",)),
        (tmp_path / "rows.txt", "diagnosis", ("expected one of .npz",)),
        (good, "outcome", ("no column 'outcome'", "mean radius")),
        (tmp_path / "inf.csv", "diagnosis", ("infinite", "row 0", "mean radius")),
    ):
        done = edgeship("convert", source, "-o", out, "--data", data, "--label-column", label)
        assert_refused(done, 2, *words)
        assert not out.parent.exists()
    done = edgeship("convert", source, "-o", out, "--data", good)
    assert_refused(done, 2, "31 columns", "--label-column")


def test_missing_values_in_rows_to_predict_are_refused(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "nan.csv").write_text("length,width,weight\n1,2,3\n1,,3\n")
    done = edgeship("predict", bundle, "--data", tmp_path / "nan.csv", "-o", tmp_path / "p.csv")
    assert_refused(done, 2, "row 1, column 'width'")
    assert not (tmp_path / "p.csv").exists()


def test_a_port_in_use_is_said(bundle: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert_refused(edgeship("serve", bundle, "--port", port), 2, str(port), "--port")


def test_unknown_variants_and_options_are_said(bundle: Path, rows: Path) -> None:
    done = edgeship("predict", bundle, "--data", rows, "--variant", "onnx-int3")
    assert_refused(done, 2, "onnx-int3", "it holds onnx-float32")
    assert_refused(edgeship("predict", bundle), 2, "--data")
    assert_refused(edgeship("verify"), 2, "BUNDLE")
    assert_refused(edgeship("conjure"), 2, "conjure")
    assert_refused(edgeship("convert", "m.keras", "-o", "b", "--max-drop", "much"), 2, "much")


def test_a_target_that_cannot_be_written_is_said(cancer: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("precious")
    done = edgeship("convert", cancer / "cancer.skops", "-o", tmp_path / "file" / "b")
    assert_refused(done, 2, "cannot write")
    done = edgeship("convert", cancer / "cancer.skops", "-o", tmp_path / "file")
    assert_refused(done, 2, "not a bundle alone")
    assert (tmp_path / "file").read_text() == "precious"


def test_python_m_edgeship_is_the_same_command(bundle: Path, tmp_path: Path) -> None:
    shutil.copy(bundle, tmp_path / "b.edgeship")
    command = [sys.executable, "-m", "edgeship", "inspect", str(tmp_path / "b.edgeship")]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_a_reader_that_leaves_ends_the_command_quietly(bundle: Path, rows: Path) -> None:
    command = f"{EDGESHIP} inspect {bundle} --json | head -c 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
