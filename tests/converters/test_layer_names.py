"""Operators find their way back to the layers they came from."""

from __future__ import annotations

from edgeship_converters.layer_names import LayerNames


def test_keras_3_s_counts_are_taken_off() -> None:
    names = LayerNames(["m", "dense", "dense_1"])
    scopes = ["m_1/dense_1/MatMul", "m_1/dense_1_1/MatMul", "m_1/dense_3/MatMul"]
    assert [layers[0] for layers in names.of(scopes)] == ["dense", "dense_1", "dense"]


def test_names_without_counts_stand_as_they_are() -> None:
    names = LayerNames(["dense", "dense_1"])
    scopes = ["model/dense/MatMul", "model/dense_1/MatMul"]
    assert names.of(scopes) == [("dense",), ("dense_1",)]


def test_the_innermost_layer_comes_first_and_those_around_it_follow() -> None:
    names = LayerNames(["both", "forward", "cell"])
    assert names.of(["both_1/forward_1/cell_3/MatMul"]) == [("cell", "forward", "both")]


def test_what_was_fused_belongs_to_all_led_by_the_first_in_the_model() -> None:
    names = LayerNames(["m", "conv", "bn", "relu"])
    assert names.of(["m_1/relu_1/Relu;m_1/bn_1/add;m_1/conv_1/Squeeze;"]) == [
        ("conv", "bn", "relu", "m")
    ]


def test_without_known_layers_every_scope_counts() -> None:
    scopes = ["StatefulPartitionedCall/net/block/Conv2D", "Identity"]
    assert LayerNames([]).of(scopes) == [("block", "net"), ()]
