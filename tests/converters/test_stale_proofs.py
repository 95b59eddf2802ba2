"""The cache never forges a proof: whatever an answer depends on is in its key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from edgeship_converters import prove
from edgeship_converters.convert import Conversion, carry_out
from edgeship_converters.request import Request
from edgeship_runtime import model
from edgeship_runtime.selftest import golden_outputs

FACTOR = {"value": 2.0}


@keras.saving.register_keras_serializable("test_stale_proofs")
class Times(keras.layers.Layer):  # type: ignore[misc]
    """Multiplies by what the code says, not the file."""

    def call(self, inputs: Any) -> Any:
        """The product."""
        return inputs * FACTOR["value"]


@pytest.fixture
def registered(tmp_path: Path) -> Path:
    """A file with a layer whose code is registered in this process."""
    keras.Sequential([keras.Input((3,)), Times()]).save(tmp_path / "m.keras")
    np.savez(tmp_path / "rows.npz", x=np.random.default_rng(0).normal(size=(200, 3)))
    return tmp_path


def converted(folder: Path, target: str) -> Conversion:
    """The model in one variant, with the cache on."""
    request = Request(
        source=folder / "m.keras", data=folder / "rows.npz", variants="tflite-float32"
    )
    return carry_out(request, folder / target)


def test_code_registered_for_a_file_is_asked_anew_each_time(registered: Path) -> None:
    first = golden_outputs(converted(registered, "a").bundle)
    FACTOR["value"] = 5.0
    try:
        second = golden_outputs(converted(registered, "b").bundle)
    finally:
        FACTOR["value"] = 2.0
    for name, answers in first.items():
        np.testing.assert_allclose(second[name], answers * 2.5, rtol=1e-6)


def test_answers_of_other_code_or_another_machine_are_not_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save(tmp_path / "m.keras")
    np.savez(tmp_path / "rows.npz", x=np.random.default_rng(0).normal(size=(200, 3)))
    loads: list[object] = []

    def counted(*given: Any) -> Any:
        loads.append(given)
        return model.load(*given)

    monkeypatch.setattr(prove, "load", counted)
    converted(tmp_path, "a")
    assert len(loads) == 1
    converted(tmp_path, "b")
    assert len(loads) == 1
    for function in ("own_code", "machine"):
        with monkeypatch.context() as other:
            other.setattr(prove, function, lambda: "another")
            converted(tmp_path, f"with-{function}")
    assert len(loads) == 3


def test_the_order_of_a_recipe_s_patterns_makes_another_variant(tmp_path: Path) -> None:
    keras.utils.set_random_seed(0)
    dense = keras.layers.Dense(100, name="dense")
    keras.Sequential([keras.Input((64,)), dense]).save(tmp_path / "m.keras")
    np.savez(tmp_path / "rows.npz", x=np.random.default_rng(0).normal(size=(200, 64)))
    wide, narrow = '"*" = "int8"', 'dense = "float32"'
    sizes = []
    for name, patterns in (("a", (wide, narrow)), ("b", (narrow, wide))):
        recipe = tmp_path / f"{name}.toml"
        recipe.write_text("[tflite-int8.layers]\n" + "\n".join(patterns))
        request = Request(
            source=tmp_path / "m.keras",
            data=tmp_path / "rows.npz",
            variants="tflite-int8",
            recipe=recipe,
        )
        (variant,) = carry_out(request, tmp_path / name).bundle.manifest.variants
        sizes.append(variant.bytes)
    # The last pattern that fits counts: in float32 first, in 8 bits then.
    assert sizes[0] > 2 * sizes[1]


def test_a_warning_names_the_columns_of_the_file_at_hand(tmp_path: Path) -> None:
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(tmp_path / "m.keras")
    values = np.random.default_rng(0).normal(size=(200, 2))
    values[:, 1] = 7.0
    for first, second in (("width", "height"), ("left", "right")):
        path = tmp_path / f"{first}.csv"
        np.savetxt(path, values, delimiter=",", header=f"{first},{second}", comments="")
        request = Request(source=tmp_path / "m.keras", data=path, variants="tflite-float32")
        warnings = " ".join(carry_out(request, tmp_path / first).warnings)
        assert second in warnings
