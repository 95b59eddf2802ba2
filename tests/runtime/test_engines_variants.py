"""What holds for every engine: the same contract, whatever runs behind it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from edgeship_runtime.bundle import Bundle
from edgeship_runtime.engines import open_engine
from edgeship_runtime.errors import EngineError, SelfTestError
from edgeship_runtime.model import Model, load
from edgeship_runtime.selftest import check_goldens, run_goldens
from tests.runtime import four_forms
from tests.runtime.four_forms import ROWS

VARIANTS = ["savedmodel-float32", "tflite-float32", "tflite-int8", "onnx-float32"]


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return four_forms.files(tmp_path_factory.mktemp("saved-model"))


@pytest.fixture(scope="session")
def bundle(files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return four_forms.write(tmp_path_factory.mktemp("bundle") / "network.edgeship", files)


@pytest.fixture(scope="session", params=VARIANTS)
def model(request: pytest.FixtureRequest, bundle: Bundle) -> Model:
    return load(bundle, request.param)


def tolerance(model: Model) -> float:
    return model.variant.evidence.errors["probabilities"].tolerance


def test_every_variant_computes_what_the_source_does(model: Model) -> None:
    outputs = model.predict(ROWS)
    assert list(outputs) == ["probabilities"]
    assert outputs["probabilities"].dtype == np.float32
    assert np.abs(outputs["probabilities"] - four_forms.source(ROWS)).max() <= tolerance(model)
    assert check_goldens(model).passed


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_bundle_as_a_folder_serves_as_well(
    variant: str, files: dict[str, bytes], tmp_path: Path
) -> None:
    four_forms.write(tmp_path / "bundle", files)
    assert check_goldens(load(tmp_path / "bundle", variant)).passed


def test_an_int8_variant_takes_and_gives_integers_inside_and_floats_outside(
    bundle: Bundle,
) -> None:
    variant = bundle.manifest.variant("tflite-int8")
    assert set(variant.quantization.inputs) == {"x"}
    assert set(variant.quantization.outputs) == {"probabilities"}
    raw = open_engine(bundle, variant).run({"x": np.zeros((3, 8), np.int8)})
    assert raw["probabilities"].dtype == np.int8
    with pytest.raises(EngineError, match="fails on the input"):
        open_engine(bundle, variant).run({"x": ROWS})


def test_rows_are_answered_alike_alone_and_together(model: Model) -> None:
    together = model.predict(ROWS)["probabilities"]
    for rows in (1, 5, 1):
        pieces = [ROWS[start : start + rows] for start in range(0, len(ROWS), rows)]
        alone = np.concatenate([model.predict(piece)["probabilities"] for piece in pieces])
        assert np.allclose(alone, together, atol=1e-6, rtol=0)


def test_a_batch_too_large_for_one_piece_is_answered_in_order(model: Model) -> None:
    # 2.5 pieces of 4 MiB at 32 bytes a row.
    many = np.resize(ROWS, (327_680, 8))
    answer = model.predict(many)["probabilities"]
    assert answer.shape == (len(many), 3)
    expected = np.resize(model.predict(ROWS)["probabilities"], answer.shape)
    assert np.allclose(answer, expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("form", ["fortran", "every other row", "backwards", "read-only"])
def test_the_layout_in_memory_does_not_matter(form: str, model: Model) -> None:
    rows = {
        "fortran": np.asfortranarray(ROWS),
        "every other row": np.repeat(ROWS, 2, axis=0)[::2],
        "backwards": np.ascontiguousarray(ROWS[::-1])[::-1],
        "read-only": np.frombuffer(ROWS.tobytes(), np.float32).reshape(ROWS.shape),
    }[form]
    expected = model.predict(ROWS)["probabilities"]
    assert np.array_equal(model.predict(rows)["probabilities"], expected)


def test_no_rows_give_no_rows(model: Model) -> None:
    answer = model.predict(np.empty((0, 8)))["probabilities"]
    assert answer.shape == (0, 3)
    assert answer.dtype == np.float32
    assert len(model.predict(ROWS)["probabilities"]) == len(ROWS)


def test_answers_stay_when_the_next_comes(model: Model) -> None:
    first = model.predict(ROWS[:4])["probabilities"]
    kept = first.copy()
    model.predict(ROWS[4:8])
    assert np.array_equal(first, kept)


def test_eight_threads_get_what_one_gets(model: Model) -> None:
    batches = [ROWS[start : start + 1 + start % 5] for start in range(40)]
    expected = [model.predict(batch)["probabilities"] for batch in batches]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda b: model.predict(b)["probabilities"], batches * 5))
    for answer, want in zip(answers, expected * 5, strict=True):
        assert np.array_equal(answer, want)


@pytest.mark.parametrize("threads", [1, 2])
def test_the_number_of_threads_changes_no_answer(threads: int, model: Model) -> None:
    other = load(model.bundle, model.variant.name, threads)
    expected = model.predict(ROWS)["probabilities"]
    assert np.allclose(other.predict(ROWS)["probabilities"], expected, atol=1e-6, rtol=0)


def test_an_engine_is_named_with_its_release(model: Model) -> None:
    package, release = model.engine.name.split()
    assert package in ("tensorflow", "ai-edge-litert", "onnxruntime")
    assert release[0].isdigit()


def test_an_engine_refuses_what_it_cannot_take_and_goes_on(model: Model) -> None:
    dtype = np.int8 if model.variant.quantization.inputs else np.float32
    for odd in (
        {"x": np.zeros((2, 7), dtype)},
        {"y": np.zeros((2, 8), dtype)},
        {"x": np.zeros((2, 8), np.complex64)},
    ):
        with pytest.raises(EngineError) as caught:
            model.engine.run(odd)
        assert str(caught.value).isprintable()
    assert check_goldens(model).passed


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(
    "damage",
    [lambda data: b"", lambda data: b"edgeship" * 50, lambda data: data[:60]],
    ids=["empty", "text", "cut"],
)
def test_a_model_that_is_none_is_refused(
    variant: str, damage: object, files: dict[str, bytes], tmp_path: Path
) -> None:
    assert callable(damage)
    bundle = four_forms.write(tmp_path / "bundle.edgeship", files, damage=damage)
    with pytest.raises(EngineError, match="refuses the model") as caught:
        load(bundle, variant)
    assert str(caught.value).isprintable()


def test_a_variant_that_computes_something_else_fails_the_self_test(
    files: dict[str, bytes], tmp_path: Path
) -> None:
    target = tmp_path / "bundle.edgeship"
    bundle = four_forms.write(target, files, golden=lambda rows: four_forms.source(rows * 1.5))
    for name in VARIANTS:
        model = load(bundle, name)
        result = run_goldens(model)
        assert result.rows == 8
        assert result.worst_output == "probabilities"
        assert result.used == pytest.approx(result.error / tolerance(model))
        figure = f"{name} on {model.engine.name} is {result.error:.3g} off the source"
        with pytest.raises(SelfTestError) as caught:
            check_goldens(model)
        assert figure in str(caught.value)
        assert caught.value.exit_code == 1


def test_a_saved_model_takes_and_gives_text(files: dict[str, bytes], tmp_path: Path) -> None:
    class Echo(tf.Module):  # type: ignore[misc]
        @tf.function(input_signature=[tf.TensorSpec([None, 1], tf.string, name="x")])  # type: ignore[untyped-decorator]
        def __call__(self, x: Any) -> Any:
            return {"y": tf.strings.join([x, "!"])}

    echo = Echo()
    folder = tmp_path / "echo"
    tf.saved_model.save(echo, str(folder), signatures={"serving_default": echo.__call__})
    inside = "variants/savedmodel-float32/1/"
    others = {path: data for path, data in files.items() if not path.startswith(inside)}
    bundle = four_forms.write(
        tmp_path / "bundle",
        {**others, **{inside + path: data for path, data in four_forms.read(folder).items()}},
    )
    engine = open_engine(bundle, bundle.manifest.variant("savedmodel-float32"))
    answer = engine.run({"x": np.array([["é"], ["long one"]])})["y"]
    assert answer.dtype.kind == "U"
    assert answer.tolist() == [["é!"], ["long one!"]]
