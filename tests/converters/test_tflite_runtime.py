"""tflite-runtime 2.14, the last of its name, runs the files of classical models as LiteRT does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edgeship_converters.errors import SourceError, StepError
from edgeship_converters.sources.sklearn_model import SklearnSource
from edgeship_runtime.engines.litert import LiteRT
from tests.converters.estimators import CASES
from tests.converters.estimators.page import stopped
from tests.converters.estimators.reasons import REFUSED
from tests.converters.lowered import form_of

# Runs each file on its rows, in an environment of its own: it needs numpy below 2.
_RUN = """
import sys
from pathlib import Path
import numpy as np
from tflite_runtime.interpreter import Interpreter
for path in sorted(Path(sys.argv[1]).glob("*.tflite")):
    try:
        runner = Interpreter(str(path)).get_signature_runner("serving_default")
        np.savez(path.with_suffix(".old.npz"), **runner(**np.load(path.with_suffix(".npz"))))
    except Exception as error:
        path.with_suffix(".failed").write_text(str(error))
"""
_RTOL, _ATOL = 1e-4, 1e-5
PAGE = (Path(__file__).parents[2] / "docs" / "estimators.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def old_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with tflite-runtime, where the machine can install it."""
    if sys.version_info[:2] not in ((3, 10), (3, 11)):
        pytest.skip("tflite-runtime 2.14 has no wheel for this Python")
    folder = tmp_path_factory.mktemp("old")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / "bin" / "python"
    wanted = ["tflite-runtime==2.14.0", "numpy<2"]
    made = subprocess.run(
        [str(python), "-m", "pip", "install", "--quiet", *wanted], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("tflite-runtime 2.14 cannot be installed here")
    return python


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_each_estimators_first_case_runs_on_both(old_python: Path, tmp_path: Path) -> None:
    refused = {*REFUSED, *(case for case, _ in stopped(PAGE))}
    first = {case.estimator: case for case in reversed(CASES) if case.id not in refused}
    wanted = {}
    for number, case in enumerate(first.values()):
        rows = case.rows()[:50]
        try:
            data = form_of(SklearnSource(case.fitted(), "0" * 64), "tflite-float32").data
        except (SourceError, StepError):
            continue
        path = tmp_path / f"{number:03d}.tflite"
        path.write_bytes(data)
        np.savez(path.with_suffix(".npz"), x=rows)
        wanted[path] = (case.id, LiteRT(data).run({"x": rows}))
    assert len(wanted) > 120
    script = tmp_path / "run.py"
    script.write_text(_RUN)
    subprocess.run([str(old_python), str(script), str(tmp_path)], check=True)
    for path, (name, outputs) in wanted.items():
        failed = path.with_suffix(".failed")
        assert not failed.exists(), f"{name}: {failed.read_text()}"
        with np.load(path.with_suffix(".old.npz")) as old:
            for output, right in outputs.items():
                size = float(np.abs(right).max(initial=0.0)) if right.dtype.kind == "f" else 0.0
                np.testing.assert_allclose(
                    old[output], right, rtol=_RTOL, atol=_ATOL * size, err_msg=name
                )
