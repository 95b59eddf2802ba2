"""Cases of attention, embedding, lookup and signal layers."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from tests.converters.keras_layers.case import (
    Case,
    below,
    built,
    merged,
    normal,
    one,
    padded,
    stacked,
    unit,
    words,
)


def _attends(layer: str, option: str, call: Any, free: bool = False, **arguments: Any) -> Case:
    shapes = ((None, 6), (None, 6)) if free else ((5, 6), (7, 6))
    return merged(
        layer, option, shapes, lambda a, b: call(getattr(layers, layer)(**arguments), a, b)
    )


def _query_value(layer: Any, a: Any, b: Any) -> Any:
    return layer([a, b])


def _itself(layer: Any, a: Any, b: Any) -> Any:
    return layer(a, a), layer(a, b)


def _with_scores(layer: Any, a: Any, b: Any) -> Any:
    return layer(a, b, return_attention_scores=True)


def _causal(layer: Any, a: Any, b: Any) -> Any:
    return layer(a, a, use_causal_mask=True), layers.Flatten()(b)


def _causal_list(layer: Any, a: Any, b: Any) -> Any:
    return layer([a, a], use_causal_mask=True), layers.Flatten()(b)


def _causal_free(layer: Any, a: Any, b: Any) -> Any:
    return layer(a, a, use_causal_mask=True), layers.GlobalMaxPooling1D()(b)


def _transformer(x: Any) -> Any:
    x = layers.Embedding(20, 8, mask_zero=True)(x)
    attended = layers.MultiHeadAttention(2, 4)(x, x)
    x = layers.LayerNormalization()(layers.Add()([x, attended]))
    x = layers.LayerNormalization()(layers.Add()([x, layers.Dense(8, activation="gelu")(x)]))
    return layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling1D()(x))


ATTENTION = (
    _attends("Attention", "", _query_value),
    _attends("Attention", "scaled", _query_value, use_scale=True),
    _attends("Attention", "concat scores", _query_value, score_mode="concat"),
    _attends("Attention", "causal", _causal_list),
    _attends("AdditiveAttention", "", _query_value),
    _attends("AdditiveAttention", "causal", _causal_list),
    _attends("MultiHeadAttention", "", _itself, num_heads=2, key_dim=3),
    _attends("MultiHeadAttention", "value dim", _itself, num_heads=2, key_dim=3, value_dim=4),
    _attends("MultiHeadAttention", "scores", _with_scores, num_heads=2, key_dim=3),
    _attends("MultiHeadAttention", "causal", _causal, num_heads=2, key_dim=3),
    _attends("MultiHeadAttention", "no bias", _itself, num_heads=2, key_dim=3, use_bias=False),
    _attends("MultiHeadAttention", "free length", _itself, free=True, num_heads=2, key_dim=3),
    _attends(
        "MultiHeadAttention", "free length, causal", _causal_free, free=True, num_heads=2, key_dim=3
    ),
    _attends(
        "GroupQueryAttention", "", _itself, head_dim=3, num_query_heads=4, num_key_value_heads=2
    ),
    _attends(
        "GroupQueryAttention",
        "causal",
        _causal,
        head_dim=3,
        num_query_heads=4,
        num_key_value_heads=2,
    ),
    stacked(
        "MultiHeadAttention", "in a transformer", (8,), _transformer, draw=padded(20), dtype="int32"
    ),
    stacked(
        "MultiHeadAttention",
        "in a transformer, free length",
        (None,),
        _transformer,
        draw=padded(20),
        dtype="int32",
    ),
)


def _crossing() -> Any:
    a, b = (keras.Input((1,), name=name, dtype="int64") for name in "ab")
    return keras.Model([a, b], layers.HashedCrossing(num_bins=7)((a, b)))


_TEXT = {"tflite": "text", "onnx": "text"}
_HASH = {"tflite": "hash", "onnx": "hash"}

IDS = (
    one("Embedding", (8,), draw=below(9), dtype="int32", input_dim=9, output_dim=4),
    one(
        "Embedding", (None,), "free length", draw=below(9), dtype="int32", input_dim=9, output_dim=4
    ),
    one("Embedding", (8,), "float input", draw=below(9), input_dim=9, output_dim=4),
    one("Embedding", (8,), "int64 input", draw=below(9), dtype="int64", input_dim=9, output_dim=4),
    one("Embedding", (8,), "uint8 input", draw=below(9), dtype="uint8", input_dim=9, output_dim=4),
    one("ReversibleEmbedding", (8,), draw=below(9), dtype="int32", input_dim=9, output_dim=4),
    one(
        "IntegerLookup",
        (3,),
        draw=below(6),
        dtype="int64",
        vocabulary=[2, 3, 5],
        refused={"tflite": "table", "onnx": "table"},
    ),
    one(
        "StringLookup",
        (3,),
        draw=words,
        dtype="string",
        vocabulary=["red", "green", "blue"],
        refused={"onnx": "text"},
    ),
    one(
        "StringLookup",
        (3,),
        "many hot",
        draw=words,
        dtype="string",
        vocabulary=["red", "green", "blue"],
        output_mode="multi_hot",
        refused=_TEXT,
    ),
    one(
        "StringLookup",
        (3,),
        "inverted",
        draw=below(4),
        dtype="int64",
        vocabulary=["red", "green", "blue"],
        invert=True,
        refused={"onnx": "text"},
    ),
    one(
        "TextVectorization",
        (1,),
        draw=words,
        dtype="string",
        vocabulary=["red", "green", "blue"],
        output_sequence_length=4,
        refused=_TEXT,
    ),
    one("Hashing", (3,), draw=words, dtype="string", num_bins=5, refused=_HASH),
    one("Hashing", (3,), "int input", draw=below(9), dtype="int64", num_bins=5, refused=_HASH),
    built("HashedCrossing", "", _crossing, below(9), below(9), refused=_HASH),
    one(
        "MelSpectrogram",
        (400,),
        sequence_length=64,
        sequence_stride=32,
        fft_length=64,
        num_mel_bins=8,
        sampling_rate=800,
        draw=unit,
    ),
    one("STFTSpectrogram", (400, 1), frame_length=64, frame_step=32, fft_length=64, draw=unit),
    one(
        "STFTSpectrogram",
        (400, 1),
        "log",
        mode="log",
        frame_length=64,
        frame_step=32,
        fft_length=64,
        draw=normal,
    ),
)


SEQUENCES = (*ATTENTION, *IDS)
