"""Cases of recurrent layers, their wrappers, and masks."""

from __future__ import annotations

from functools import partial
from typing import Any

from keras import layers

from tests.converters.keras_layers.case import (
    FREE,
    SEQUENCE,
    Case,
    merged,
    one,
    padded,
    silent,
    stacked,
    wrapped,
)

_RECURRENT = ("SimpleRNN", "GRU", "LSTM")


def _recurrent(layer: str) -> tuple[Case, ...]:
    kind = getattr(layers, layer)

    def masked(x: Any) -> Any:
        return kind(4, return_sequences=True)(layers.Embedding(9, 5, mask_zero=True)(x))

    def last_masked(x: Any) -> Any:
        return kind(4)(layers.Embedding(9, 5, mask_zero=True)(x))

    def two(x: Any) -> Any:
        return layers.Dense(3)(kind(4)(kind(6, return_sequences=True)(x)))

    return (
        one(layer, SEQUENCE, units=4),
        one(layer, SEQUENCE, "sequences", units=4, return_sequences=True),
        one(layer, SEQUENCE, "states", units=4, return_state=True),
        one(layer, SEQUENCE, "backwards", units=4, go_backwards=True, return_sequences=True),
        one(layer, SEQUENCE, "relu, no bias", units=4, activation="relu", use_bias=False),
        one(layer, FREE, "free length", units=4),
        one(layer, FREE, "free length, sequences", units=4, return_sequences=True),
        one(layer, (300, 5), "300 steps", units=4),
        stacked(layer, "masked", (8,), masked, draw=padded(9), dtype="int32"),
        stacked(layer, "masked, last", (8,), last_masked, draw=padded(9), dtype="int32"),
        stacked(layer, "masked, free length", (None,), last_masked, draw=padded(9), dtype="int32"),
        stacked(layer, "two layers", SEQUENCE, two),
        *(
            wrapped(
                "Bidirectional",
                f"{layer} {mode}",
                SEQUENCE,
                partial(_both_ways, kind, mode),
            )
            for mode in ("concat", "sum", "mul", "ave", None)
        ),
        wrapped(
            "Bidirectional",
            f"{layer} sequences",
            SEQUENCE,
            lambda: layers.Bidirectional(kind(4, return_sequences=True)),
        ),
        stacked(
            "Bidirectional",
            f"{layer} masked",
            (8,),
            lambda x: layers.Bidirectional(kind(4))(layers.Embedding(9, 5, mask_zero=True)(x)),
            draw=padded(9),
            dtype="int32",
        ),
        wrapped(
            "Bidirectional",
            f"{layer} free length",
            FREE,
            lambda: layers.Bidirectional(kind(4, return_sequences=True)),
        ),
        merged(
            layer,
            "states given",
            (SEQUENCE, (4,)),
            lambda a, b: kind(4)(a, initial_state=[b, b] if layer == "LSTM" else [b]),
        ),
        wrapped(
            f"{layer}Cell", "", SEQUENCE, lambda: layers.RNN(getattr(layers, f"{layer}Cell")(4))
        ),
    )


def _both_ways(kind: Any, merge_mode: str | None) -> Any:
    return layers.Bidirectional(kind(4), merge_mode=merge_mode)


def _conv_lstm(rank: int) -> tuple[Case, ...]:
    shape = (4, *(5, 4, 3)[:rank], 2)
    layer = f"ConvLSTM{rank}D"
    return (
        one(layer, shape, filters=3, kernel_size=2),
        one(
            layer,
            shape,
            "sequences, same",
            filters=3,
            kernel_size=2,
            padding="same",
            return_sequences=True,
        ),
    )


def _rnn_of_stack(x: Any) -> Any:
    return layers.RNN(layers.StackedRNNCells([layers.LSTMCell(4), layers.GRUCell(3)]))(x)


RECURRENT = (
    *(case for layer in _RECURRENT for case in _recurrent(layer)),
    one("GRU", SEQUENCE, "reset before", units=4, reset_after=False),
    wrapped(
        "Bidirectional",
        "two kinds",
        SEQUENCE,
        lambda: layers.Bidirectional(
            layers.LSTM(4), backward_layer=layers.GRU(3, go_backwards=True)
        ),
    ),
    wrapped("RNN", "", SEQUENCE, lambda: layers.RNN(layers.LSTMCell(4), return_sequences=True)),
    stacked("StackedRNNCells", "", SEQUENCE, _rnn_of_stack),
    *(case for rank in (1, 2, 3) for case in _conv_lstm(rank)),
    wrapped("TimeDistributed", "Dense", SEQUENCE, lambda: layers.TimeDistributed(layers.Dense(3))),
    wrapped(
        "TimeDistributed",
        "Conv2D",
        (4, 6, 6, 2),
        lambda: layers.TimeDistributed(layers.Conv2D(3, 3)),
    ),
    wrapped(
        "TimeDistributed",
        "free length",
        FREE,
        lambda: layers.TimeDistributed(layers.Dense(3)),
        refused=dict.fromkeys(("savedmodel", "tflite", "onnx"), "free steps"),
    ),
    stacked(
        "TimeDistributed",
        "before LSTM",
        (4, 6, 6, 2),
        lambda x: layers.LSTM(3)(layers.TimeDistributed(layers.Flatten())(x)),
    ),
    stacked(
        "Masking",
        "before LSTM",
        SEQUENCE,
        lambda x: layers.LSTM(3)(layers.Masking()(x)),
        draw=silent,
    ),
    wrapped("Masking", "other value", SEQUENCE, lambda: layers.Masking(mask_value=1.0)),
)
