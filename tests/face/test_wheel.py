"""A board installs the wheel with one engine, and never meets training code."""

from __future__ import annotations

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent.parent
SCRIPT = """
import importlib.util, sys
import edgeship, numpy
model = edgeship.load(sys.argv[1])
rows = numpy.load(sys.argv[2])
numpy.save(sys.argv[3], model.predict(rows)["label"])
print(model.variant.name)
for name in ("tensorflow", "sklearn", "onnx", "keras", "skl2onnx", "rich", "scipy"):
    print(name, importlib.util.find_spec(name) is not None)
"""


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a fresh environment that holds the wheel with `[onnx]` alone."""
    folder = tmp_path_factory.mktemp("board")
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    constraints = ["--constraint", str(ROOT / "constraints.txt")]
    subprocess.run([*install, *constraints, f"{wheel}[onnx]"], check=True, capture_output=True)
    return python


def test_the_wheel_with_onnx_alone_predicts_and_has_no_training_code(
    board: Path, cancer_bundle: Path, tmp_path: Path
) -> None:
    from edgeship_runtime.model import load

    rows = np.random.default_rng(0).normal(size=(50, 30)).astype(np.float32) * 100
    np.save(tmp_path / "rows.npy", rows)
    (tmp_path / "script.py").write_text(SCRIPT)
    paths = [tmp_path / "script.py", cancer_bundle, tmp_path / "rows.npy", tmp_path / "labels.npy"]
    done = subprocess.run(
        [board, *paths], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 0, done.stderr
    first, *absent = done.stdout.splitlines()
    assert first == "onnx-float32"
    assert [line.split()[1] for line in absent] == ["False"] * 7
    expected = load(cancer_bundle).predict(rows)["label"]
    assert np.load(tmp_path / "labels.npy").tolist() == expected.tolist()


def test_the_board_s_command_says_what_is_not_installed(
    board: Path, cancer_bundle: Path, digits_bundle: Path, tmp_path: Path
) -> None:
    edgeship = board.parent / "edgeship"
    np.savez(tmp_path / "rows.npz", x=np.zeros((1, 8, 8, 1)))
    zipfile.ZipFile(tmp_path / "m.keras", "w").close()
    cases: tuple[tuple[tuple[str | Path, ...], str], ...] = (
        (("convert", "m.keras", "-o", "b"), "edgeship[convert]"),
        (("serve", cancer_bundle), "edgeship[serve]"),
        (
            ("predict", digits_bundle, "--data", "rows.npz", "--variant", "tflite-int8"),
            "edgeship[litert]",
        ),
    )
    for arguments, words in cases:
        done = subprocess.run(
            [edgeship, *arguments], capture_output=True, text=True, cwd=tmp_path, check=False
        )
        assert done.returncode == 2
        assert words in done.stderr
        assert "Traceback" not in done.stderr


def test_verify_runs_what_the_board_can_run(board: Path, digits_bundle: Path) -> None:
    edgeship = board.parent / "edgeship"
    done = subprocess.run(
        [edgeship, "verify", digits_bundle], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    outcome = {line.split()[0]: line.split()[-1] for line in done.stdout.splitlines()[3:]}
    assert outcome["onnx-float32"] == outcome["onnx-int8"] == "ok"
    assert outcome["tflite-int8"] == "run"
