"""Which class a row was given."""

from __future__ import annotations

import numpy as np
import pytest

from edgeship_runtime.bundle import Contract, InputSpec, OutputSpec
from edgeship_runtime.bundle.manifest import ClassLabel, Role
from edgeship_runtime.labels import decide, same, score_output, value_output

X = InputSpec(name="x", dtype="float32", shape=(None, 1))


def contract(*outputs: tuple[str, Role], classes: tuple[ClassLabel, ...] | None) -> Contract:
    specs = tuple(
        OutputSpec(name=name, dtype="float32", shape=(None, None), role=role)
        for name, role in outputs
    )
    return Contract(task="classification", inputs=(X,), outputs=specs, classes=classes)


def test_the_models_own_label_decides() -> None:
    both = contract(("p", "probabilities"), ("label", "label"), classes=("no", "yes"))
    outputs = {"p": np.array([[0.9, 0.1]]), "label": np.array(["yes"])}
    decided = decide(both, outputs)
    assert decided is not None
    assert decided.tolist() == ["yes"]


def test_the_largest_score_decides_and_the_first_on_a_tie() -> None:
    scores = np.array([[0.2, 0.5, 0.3], [0.4, 0.4, 0.2], [-1.0, -3.0, -1.0]])
    decided = decide(contract(("s", "logits"), classes=("a", "b", "c")), {"s": scores})
    assert decided is not None
    assert decided.tolist() == ["b", "a", "a"]


@pytest.mark.parametrize(
    ("role", "scores", "expected"),
    [("probabilities", [0.49, 0.5, 0.51], [7, 7, 9]), ("logits", [-0.1, 0.0, 0.1], [7, 7, 9])],
)
def test_a_single_column_scores_the_second_class(
    role: Role, scores: list[float], expected: list[int]
) -> None:
    decided = decide(contract(("s", role), classes=(7, 9)), {"s": np.array(scores)[:, None]})
    assert decided is not None
    assert decided.tolist() == expected


def test_labels_keep_their_type() -> None:
    kinds: list[tuple[tuple[ClassLabel, ...], str]] = [
        ((3, 5), "i"),
        (("no", "yes"), "U"),
        ((False, True), "b"),
        ((0.5, 1.5), "f"),
    ]
    for classes, kind in kinds:
        decided = decide(contract(("p", "probabilities"), classes=classes), {"p": np.eye(2)})
        assert decided is not None
        assert decided.dtype.kind == kind
        assert decided.tolist() == list(classes)


def test_a_model_without_classes_or_scores_decides_nothing() -> None:
    assert decide(contract(("s", "logits"), classes=None), {"s": np.eye(2)}) is None
    assert decide(contract(("v", "value"), classes=None), {"v": np.eye(2)}) is None


def test_outputs_are_found_by_what_they_mean() -> None:
    mixed = contract(("t", "tensor"), ("v", "value"), ("s", "logits"), classes=None)
    value, scores = value_output(mixed), score_output(mixed)
    assert value is not None
    assert value.name == "v"
    assert scores is not None
    assert scores.name == "s"
    assert value_output(contract(("t", "tensor"), classes=None)) is None


def test_labels_from_a_text_file_are_compared_as_text() -> None:
    assert same(np.array([1, 2]), np.array(["1", "3"])).tolist() == [True, False]
    assert same(np.array(["1", "3"]), np.array([1, 2])).tolist() == [True, False]
    assert same(np.array([1, 0]), np.array([True, True])).tolist() == [True, False]
    assert same(np.array(["a"], object), np.array(["a"])).tolist() == [True]
