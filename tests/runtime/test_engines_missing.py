"""A board without the right engine is told what to install."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

from tests import tiny

ROOT = Path(__file__).parents[2]

LOAD = """
    import sys
    from edgeship_runtime.errors import EngineMissingError
    from edgeship_runtime.model import load

    for module in sys.argv[3:]:
        sys.modules[module] = None
    try:
        load(sys.argv[1], sys.argv[2])
    except EngineMissingError as error:
        sys.exit(str(error))
"""


def said(bundle: Path, variant: str, *blocked: str, path: Path = ROOT) -> str:
    """What a fresh interpreter without the blocked modules says on loading a variant."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(LOAD), bundle, variant, *blocked],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(path)},
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.stderr.strip()


def test_a_missing_engine_is_named_with_what_installs_it(tmp_path: Path) -> None:
    tiny.write(tmp_path / "bundle")
    message = said(tmp_path / "bundle", "onnx-float32", "onnxruntime")
    assert message == (
        "onnx-float32 needs onnxruntime, which is not installed: pip install 'edgeship[onnx]'"
    )


def test_a_board_without_any_engine_is_told_what_would_do(tmp_path: Path) -> None:
    tiny.write(tmp_path / "bundle")
    message = said(tmp_path / "bundle", "auto", "onnxruntime", "ai_edge_litert", "tensorflow")
    assert message == ("no engine for onnx-float32 is installed: pip install 'edgeship[onnx]'")


def test_an_engine_built_for_another_machine_is_an_error_for_people(tmp_path: Path) -> None:
    tiny.write(tmp_path / "bundle")
    broken = tmp_path / "packages" / "onnxruntime"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text(
        "raise ImportError('libgomp.so.1: cannot open shared object file')\n"
    )
    message = said(tmp_path / "bundle", "onnx-float32", path=tmp_path / "packages")
    assert "onnxruntime, which is installed but does not import (libgomp.so.1" in message


def test_the_runtime_works_with_one_engine_only(tmp_path: Path) -> None:
    tiny.write(tmp_path / "bundle")
    assert said(tmp_path / "bundle", "auto", "ai_edge_litert", "tensorflow", "keras") == ""
