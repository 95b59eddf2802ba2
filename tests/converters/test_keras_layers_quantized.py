"""Layers that went wrong in forms of fewer bits once, and a share of those that never did.

All of them: `python -m tests.converters.keras_layers.quantized`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeship_runtime.quiet import quiet
from tests.converters.keras_layers import CASES
from tests.converters.keras_layers.quantized import outcomes

# What 4 bits make of random weights is for the parity gate to judge.
_JUDGED_BY_THE_GATE = ("tflite-int4",)


@pytest.mark.parametrize(
    "name",
    [
        "Attention: causal",
        "AdditiveAttention: causal",
        "AutoContrast",
        "CategoryEncoding: one hot",
        "Conv2D: free size",
        "EinsumDense: bias",
        "GRU: sequences",
        "Resizing: bicubic up",
        "Resizing: crop",
        "SimpleRNN: masked",
        "StringLookup",
    ],
)
def test_fewer_bits_change_little_and_stop_nothing(name: str, tmp_path: Path) -> None:
    (case,) = (case for case in CASES if case.name == name)
    with quiet():
        found = outcomes(case, tmp_path)
    wrong = {
        variant: what
        for variant, what in found.items()
        if not what.startswith(("ok", "refused")) and variant not in _JUDGED_BY_THE_GATE
    }
    assert not wrong
    assert sum(what == "ok" for what in found.values()) >= 5
