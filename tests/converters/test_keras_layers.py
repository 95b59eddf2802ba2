"""Every layer of Keras 3 converts with parity, or is refused for a reason that the table gives."""

from __future__ import annotations

from pathlib import Path

import keras
import pytest

from tests.converters.keras_layers import CASES
from tests.converters.keras_layers.case import Case
from tests.converters.keras_layers.outcome import FORMATS, Outcome, outcomes
from tests.converters.keras_layers.page import page
from tests.converters.keras_layers.reasons import NOT_AT_INFERENCE, REASONS

DOCS = Path(__file__).parents[2] / "docs" / "keras-layers.md"
# One case for each way that a layer takes through the converters; -m slow runs all.
SHARE = {
    "Activation: gelu",
    "Bidirectional: GRU masked",
    "CategoryEncoding: count",
    "Conv1DTranspose: dilation",
    "Conv2D: groups",
    "Conv2D: free size",
    "Conv2D: in a classifier",
    "Conv2DTranspose: output padding",
    "Conv3D: dilation",
    "Discretization",
    "GRU: free length, sequences",
    "Hashing: int input",
    "LSTM",
    "LSTM: 300 steps",
    "MelSpectrogram",
    "MultiHeadAttention: free length, causal",
    "Normalization: adapted",
    "RandomHue",
    "Resizing: bicubic up",
    "Resizing: pad",
    "StringLookup: inverted",
    "UpSampling2D: bilinear, free size, before a convolution",
    "AveragePooling3D: same",
}


def names(cases: tuple[Case, ...]) -> list[str]:
    return [case.name for case in cases]


def check(case: Case, folder: Path) -> None:
    found = outcomes(case, folder)
    assert list(found) == list(FORMATS)
    for format, outcome in found.items():
        reason = case.refused.get(format)
        expected = "parity" if reason is None else "refused"
        assert outcome.verdict == expected, f"{format}: {outcome.detail}"
        if reason is not None:
            check_refusal(case, outcome)


def check_refusal(case: Case, outcome: Outcome) -> None:
    """One line that names the layer, as the model does, and says what to do."""
    assert outcome.detail.isprintable()
    assert len(outcome.detail) <= 400
    assert f"layer '{snake(case.layer)}" in outcome.detail
    assert "leave it out with --variants" in outcome.detail or "savedmodel" in case.refused


def snake(layer: str) -> str:
    return str(keras.src.utils.naming.to_snake_case(layer))


QUICK = tuple(case for case in CASES if case.name in SHARE)


@pytest.mark.parametrize("case", QUICK, ids=names(QUICK))
def test_a_layer_of_each_kind_converts_with_parity_or_is_refused(
    case: Case, tmp_path: Path
) -> None:
    check(case, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=names(CASES))
def test_every_layer_converts_with_parity_or_is_refused(case: Case, tmp_path: Path) -> None:
    check(case, tmp_path)


def test_every_layer_that_keras_offers_has_a_case_or_a_reason_for_none() -> None:
    # Several names may stand for one layer.
    offered = {
        kind for name in dir(keras.layers) if isinstance(kind := getattr(keras.layers, name), type)
    }
    named = {case.layer for case in CASES} | set(NOT_AT_INFERENCE)
    missing = offered - {getattr(keras.layers, name, None) for name in named}
    assert not missing, f"write cases for {missing}, or say why there are none"


def test_every_activation_that_keras_offers_has_a_case() -> None:
    tools = {"deserialize", "get", "serialize"}
    same = {"swish": "silu", "hard_swish": "hard_silu"}
    # It takes two numbers besides its input, which no layer gives it.
    without = {"threshold"}
    offered = {name for name in dir(keras.activations) if not name.startswith("_")} - tools
    tried = {case.option for case in CASES if case.layer == "Activation"}
    assert {same.get(name, name) for name in offered} - without == tried


def test_cases_have_names_of_their_own_and_reasons_that_are_given() -> None:
    assert len(set(names(CASES))) == len(CASES)
    assert {reason for case in CASES for reason in case.refused.values()} <= set(REASONS)
    assert set(names(CASES)) >= SHARE


def test_the_page_says_what_the_table_says() -> None:
    shown = DOCS.read_text(encoding="utf-8")
    if f"keras {keras.__version__}," not in shown:
        pytest.skip(f"the page is not of keras {keras.__version__}")
    for line in page(CASES).splitlines():
        if line.startswith(("|", "- ", "1.")):
            assert line in shown, "run python -m tests.converters.keras_layers"
