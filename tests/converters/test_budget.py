"""The budget search: an int8 variant that misses the budget is mended, or refused with a count."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from litert_quantizer.utils import tfl_flatbuffer_utils as flatbuffer

from edgeship_converters.budget import MOST_CANDIDATES, keeping
from edgeship_converters.convert import Conversion, carry_out
from edgeship_converters.errors import ParityError
from edgeship_converters.recipe import load_recipes
from edgeship_converters.recipe_toml import recipe_toml
from edgeship_converters.request import Request
from tests.converters.badly_scaled import save_digits_model

VARIANTS = ["tflite-int8", "onnx-int8"]
_FLOAT32 = 0


@pytest.fixture(scope="module")
def mendable(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier whose first two layers, a fifth of its weights, int8 cannot hold."""
    folder = tmp_path_factory.mktemp("mendable")
    save_digits_model(folder, {"first": 32, "second": 32, "wide": 96, "wider": 96})
    return folder


@pytest.fixture(scope="module")
def hopeless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier of two layers, of which int8 cannot hold the one with most of the weights."""
    folder = tmp_path_factory.mktemp("hopeless")
    save_digits_model(folder, {"first": 32})
    return folder


def converted(folder: Path, target: Path, variants: str, **options: object) -> Conversion:
    """The model in some variants, judged on its own test rows."""
    request = Request(
        source=folder / "m.keras",
        data=folder / "train.npz",
        eval_data=folder / "test.npz",
        label_column="y",
        variants=variants,
        **options,  # type: ignore[arg-type]
    )
    return carry_out(request, target)


def artifact(conversion: Conversion, variant: str) -> bytes:
    """A variant's file."""
    return conversion.bundle.artifact(conversion.bundle.manifest.variant(variant))


def float_weights(variant: str, model: bytes) -> set[tuple[int, ...]]:
    """The shapes of the matrices that are still in float32, smaller axis first."""
    if variant.startswith("onnx"):
        graph = onnx.load_model_from_string(model).graph
        held = [t.dims for t in graph.initializer if t.data_type == onnx.TensorProto.FLOAT]
    else:
        parsed = flatbuffer.read_model(model)
        held = [
            t.shape
            for graph in parsed.subgraphs
            for t in graph.tensors
            if t.type == _FLOAT32 and parsed.buffers[t.buffer].data is not None
        ]
    return {tuple(sorted(map(int, shape))) for shape in held if len(shape) == 2}


@pytest.mark.parametrize("variant", VARIANTS)
def test_plain_int8_misses_the_budget_on_this_model(
    mendable: Path, tmp_path: Path, variant: str
) -> None:
    with pytest.raises(ParityError, match=f"{variant} loses .* accuracy on 597 rows"):
        converted(mendable, tmp_path / "b", variant)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_costliest_layers_are_kept_in_float_until_the_budget_is_met(
    mendable: Path, tmp_path: Path, variant: str
) -> None:
    conversion = converted(mendable, tmp_path / "b", variant, sensitivity=True)
    met = conversion.studied.met[variant]
    assert met.tried <= MOST_CANDIDATES
    assert set(met.recipe.layers) == {"first", "second"}
    manifest = conversion.bundle.manifest.variant(variant)
    assert manifest.recipe["layers"] == met.recipe.layers
    evidence = manifest.evidence
    assert evidence.rows == 597
    assert evidence.variant_metric is not None
    assert evidence.source_metric is not None
    assert evidence.variant_metric >= evidence.source_metric - 0.005
    assert float_weights(variant, artifact(conversion, variant)) == {(32, 64), (32, 32)}


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_proposed_recipe_gives_the_same_bytes_through_a_file(
    mendable: Path, tmp_path: Path, variant: str
) -> None:
    found = converted(mendable, tmp_path / "a", variant, sensitivity=True)
    recipe = tmp_path / "found.toml"
    recipe.write_text(recipe_toml(variant, found.studied.met[variant].recipe), "utf-8")
    again = converted(mendable, tmp_path / "b", variant, recipe=recipe, cache=False)
    assert artifact(again, variant) == artifact(found, variant)
    assert again.bundle.manifest == found.bundle.manifest


def test_the_same_search_a_second_time_makes_nothing_anew(mendable: Path, tmp_path: Path) -> None:
    steps: list[str] = []
    first = converted(mendable, tmp_path / "a", "tflite-int8", sensitivity=True)
    second = converted(
        mendable, tmp_path / "b", "tflite-int8", sensitivity=True, on_step=steps.append
    )
    assert artifact(first, "tflite-int8") == artifact(second, "tflite-int8")
    assert not [step for step in steps if step.startswith(("making", "asking", "ranking"))]


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_model_that_no_candidate_mends_is_refused_with_their_number(
    hopeless: Path, tmp_path: Path, variant: str
) -> None:
    with pytest.raises(ParityError) as raised:
        converted(hopeless, tmp_path / "b", variant, sensitivity=True)
    message = str(raised.value)
    assert message.startswith(f"{variant} loses ")
    assert "accuracy on 597 rows (limit 0.50%)" in message
    # Plain, the other calibration, and the head alone: the other layer has most of the weights.
    assert "; 3 candidates were tried, this is the best of them, with " in message
    assert not (tmp_path / "b").exists()


def test_a_refusal_shows_the_ranking_all_the_same(hopeless: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "edgeship", "convert", "m.keras", "-o", str(tmp_path / "b")),
            *("--data", "train.npz", "--eval-data", "test.npz", "--label-column", "y"),
            *("--variants", "tflite-int8", "--sensitivity"),
        ],
        cwd=hopeless,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "what quantizing one layer alone costs" in done.stdout
    assert done.stderr.splitlines()[-1].startswith("edgeship: tflite-int8 loses ")
    assert not (tmp_path / "b").exists()


def test_all_leaves_out_what_the_search_cannot_mend_and_keeps_the_rest(
    hopeless: Path, tmp_path: Path
) -> None:
    conversion = converted(hopeless, tmp_path / "b", "all", sensitivity=True)
    assert {"tflite-int8", "onnx-int8"} <= set(conversion.left_out)
    assert "3 candidates were tried" in conversion.left_out["tflite-int8"]
    held = [variant.name for variant in conversion.bundle.manifest.variants]
    assert {"tflite-float32", "tflite-float16", "onnx-float32"} <= set(held)


def test_a_variant_within_the_budget_is_left_as_it_is(mendable: Path, tmp_path: Path) -> None:
    plain = converted(mendable, tmp_path / "a", "tflite-int8", max_drop=0.9)
    studied = converted(mendable, tmp_path / "b", "tflite-int8", max_drop=0.9, sensitivity=True)
    assert not studied.studied.met
    assert artifact(plain, "tflite-int8") == artifact(studied, "tflite-int8")


def test_wild_rows_are_met_by_the_other_calibration_and_no_layer_is_kept(
    tmp_path: Path,
) -> None:
    # One pixel, far too bright, widens every range beyond use.
    (tmp_path / "wild").mkdir()
    save_digits_model(tmp_path / "wild", {"first": 32, "second": 32}, largest=1.0)
    with np.load(tmp_path / "wild" / "train.npz") as held:
        x, y = held["x"][:400], held["y"][:400]
    x[7, 3] = 300.0
    np.savez(tmp_path / "wild" / "train.npz", x=x, y=y)
    conversion = converted(
        tmp_path / "wild", tmp_path / "b", "tflite-int8", sensitivity=True, max_drop=0.03
    )
    met = conversion.studied.met["tflite-int8"]
    assert (met.tried, met.recipe.calibration, met.recipe.layers) == (2, "percentile", {})


def test_layers_are_kept_by_their_exact_names_whatever_is_in_them() -> None:
    names = ['a[0]*"\\', "über", "b?", "plain"]
    recipe = keeping(load_recipes()["tflite-int8"], names)
    assert [recipe.precision_of([name]) for name in names] == ["float32"] * 4
    for unlike in ("a0", "a[0]x", "bc", "plain2"):
        assert recipe.precision_of([unlike]) == "int8"


def test_a_recipe_with_odd_names_survives_its_way_through_toml(tmp_path: Path) -> None:
    recipe = keeping(load_recipes("entropy")["onnx-int8"], ['a[0]*"\\', "über 😀", "tab\t\x7f"])
    path = tmp_path / "odd.toml"
    path.write_text(recipe_toml("onnx-int8", recipe), "utf-8")
    assert load_recipes(path)["onnx-int8"] == recipe
