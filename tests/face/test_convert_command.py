"""`edgeship convert` and its options, as people meet them."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from edgeship_runtime.bundle import Bundle
from tests.face.test_command import EDGESHIP, assert_refused, edgeship


@pytest.fixture
def conversion(digits: Path, tmp_path: Path) -> list[object]:
    """The arguments of a conversion of the digits model."""
    data = ["--data", digits / "digits-train.npz", "--eval-data", digits / "digits-test.npz"]
    return ["convert", digits / "digits.keras", "-o", tmp_path / "b.edgeship", *data]


def test_explain_prints_the_plan_and_runs_nothing(conversion: list[object], tmp_path: Path) -> None:
    done = edgeship(*conversion, "--explain", "--variants", "tflite-int8,onnx-float16")
    assert done.returncode == 0, done.stderr
    lines = {line.split()[0]: line for line in done.stdout.splitlines()[2:]}
    assert "weights int8, activations int8, by channel, min-max" in lines["tflite-int8"]
    assert "weights float16, activations float16" in lines["onnx-float16"]
    assert "(savedmodel-float32)" in lines
    assert "litert-quantizer 0." in lines["tflite-int8"]
    assert not (tmp_path / "b.edgeship").exists()
    assert "making" not in done.stderr


def test_explain_refuses_what_converting_would(conversion: list[object], tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('[tflite-int8.layers]\nnothing = "float32"\n')
    done = edgeship(*conversion, "--explain", "--recipe", "mine.toml", cwd=tmp_path)
    assert_refused(done, 2, "'nothing' for tflite-int8, which fits no layer", "the model has")


def test_explain_needs_no_output_but_converting_does(digits: Path) -> None:
    done = edgeship("convert", digits / "digits.keras", "--explain")
    assert done.returncode == 0
    assert "only with --data, which must prove them: tflite-dynamic-int8" in done.stdout
    assert "weights int8, activations int8" in done.stdout
    assert_refused(edgeship("convert", digits / "digits.keras"), 2, "expected -o BUNDLE")


def test_a_recipe_and_io_are_taken_from_the_command_line(
    conversion: list[object], tmp_path: Path
) -> None:
    (tmp_path / "mine.toml").write_text("[tflite-int8]\nrows = 50\n")
    done = edgeship(
        *conversion, "--variants", "tflite-int8", "--recipe", "mine.toml", "--io", "int8",
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    variant = Bundle.open(tmp_path / "b.edgeship").manifest.variant("tflite-int8")
    assert variant.recipe["rows"] == 50
    assert list(variant.quantization.inputs) == ["image"]
    shown = edgeship("inspect", tmp_path / "b.edgeship").stdout.splitlines()
    scale = variant.quantization.inputs["image"].scale
    assert f"tflite-int8 takes image as int8: {scale:g} x (number + 128)" in shown


def test_a_bundle_cannot_be_named_as_a_model(conversion: list[object], tmp_path: Path) -> None:
    conversion[conversion.index("-o") + 1] = tmp_path / "model.tflite"
    done = edgeship(*conversion)
    assert_refused(done, 2, "name it model.edgeship, or give a folder")
    assert not (tmp_path / "model.tflite").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--recipe", "none.toml"], ("there is no recipe none.toml",)),
        (["--io", "int4"], ("'int4' is not one of 'float', 'int8'",)),
        (["--variants", "tflite-int2"], ("'tflite-int2' cannot be made",)),
        (["--custom-objects", "nonsense"], ("nonsense", "module:attr")),
        (["--max-drop", "lots"], ("expected a share from 0 to below 100%", "lots")),
        (["--report", "r.pdf"], ("expected a file that ends in .html", "r.pdf")),
        (["--report", "/dev/null/r.html"], ("'/dev/null' is no folder that you may write to",)),
    ],
)
def test_wrong_options_are_refused_in_a_line(
    conversion: list[object], tmp_path: Path, options: list[str], words: tuple[str, ...]
) -> None:
    assert_refused(edgeship(*conversion, *options, cwd=tmp_path), 2, *words)
    assert not (tmp_path / "b.edgeship").exists()


def test_what_is_left_out_is_named_with_its_figure(
    conversion: list[object], tmp_path: Path
) -> None:
    (tmp_path / "coarse.toml").write_text('[onnx-int8]\ngranularity = "tensor"\nrows = 1\n')
    done = edgeship(*conversion, "--max-drop", "0.01%", "--recipe", tmp_path / "coarse.toml")
    assert done.returncode == 0, done.stderr
    held = {variant.name for variant in Bundle.open(tmp_path / "b.edgeship").manifest.variants}
    missing = [line for line in done.stderr.splitlines() if " is left out: it loses " in line]
    assert len(held) + len(missing) == 11
    if missing:
        assert "left out, see above" in done.stdout


def test_the_converters_chatter_stays_out_of_the_terminal(conversion: list[object]) -> None:
    done = edgeship(*conversion, "--no-cache")
    assert done.returncode == 0, done.stderr
    for line in done.stderr.splitlines():
        assert line.startswith("warning: ") or " s  " in line, line


def test_an_interrupted_conversion_leaves_nothing(conversion: list[object], tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    command = [EDGESHIP, *(str(argument) for argument in conversion), "--no-cache"]
    environment = {**os.environ, "TMPDIR": str(scratch)}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "making tflite-int8" in line:
                process.send_signal(signal.SIGINT)
                break
        rest = process.stderr.read()
        assert process.wait(timeout=60) == 130
    assert "interrupted, nothing was written" in rest
    assert list(tmp_path.iterdir()) == [scratch]
    assert not list(scratch.iterdir())
