"""Masks of attention in a form whose ranges few bits can hold, for TFLite and ONNX alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edgeship_runtime.arrays import Array

# Keras masks with −1e9, or 0.7 times the least float, and no score of a model comes near.
_HUGE = 1e8
# e⁻¹² = 6e-6: a fiftieth of half a step of an 8-bit softmax.
_DEPTH = 12.0


@dataclass(frozen=True, slots=True)
class Link:
    """An operator between a mask and its softmax.

    Attributes:
        inputs: names of its inputs in float.
        outputs: names of its outputs.
        ends: whether it is the softmax.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    ends: bool


@dataclass(frozen=True, slots=True)
class Shallow:
    """How deep the masks of a graph need to be.

    Attributes:
        depths: what stands in for the huge values of a constant, by its name, without sign.
        ranges: the least and the largest value of what was computed from them.
    """

    depths: dict[str, float]
    ranges: dict[str, tuple[float, float]]


def shallow_masks(
    links: Sequence[Link], constants: Mapping[str, Array], ranges: Mapping[str, tuple[float, float]]
) -> Shallow:
    """Stand-ins for huge constants that only drive a softmax to zero.

    8 bits from −1e9 to 3 have a step of 4e6: all scores become equal. A score 12 below the least
    that is not masked has the same share of the softmax, nothing, and ranges stay sound.

    Args:
        links: the operators that pass a mask on, and the softmaxes, of one graph.
        constants: those in float, by name.
        ranges: the values seen, by the name of the tensor.
    """
    found = Shallow({}, {})
    for name, values in constants.items():
        if not (np.abs(values) >= _HUGE).any():
            continue
        reached, scores = _path(name, links, constants)
        if not reached:
            continue
        seen = [ranges[score] for score in scores if score in ranges]
        low = min([0.0, *(end for end, _ in seen if end > -_HUGE)])
        high = max([0.0, *(end for _, end in seen if end < _HUGE)])
        depth = high - low + _DEPTH
        found.depths[name] = max(depth, found.depths.get(name, 0.0))
        for tensor in reached & ranges.keys():
            least, most = ranges[tensor]
            found.ranges[tensor] = (
                low - depth if least <= -_HUGE else least,
                high + depth if most >= _HUGE else most,
            )
    return found


def with_depth(values: Array, depth: float) -> Array:
    """A constant with its huge values made `depth` large."""
    return np.where(np.abs(values) >= _HUGE, np.sign(values) * depth, values).astype(values.dtype)


def _path(
    name: str, links: Sequence[Link], constants: Mapping[str, Array]
) -> tuple[set[str], set[str]]:
    """What a constant reaches before softmaxes, and what meets it on the way; none without any."""
    reached, ended = {name}, False
    for link in _from(name, links):
        ended = ended or link.ends
        if not link.ends:
            reached |= {*link.outputs}
    if not ended:
        return set(), set()
    on_the_way = [link for link in links if reached & {*link.outputs}]
    met = {other for link in on_the_way for other in link.inputs}
    return reached - {name}, met - reached - constants.keys()


def _from(name: str, links: Sequence[Link]) -> Iterator[Link]:
    waiting, done = [name], set()
    while waiting:
        tensor = waiting.pop()
        for place, link in enumerate(links):
            if tensor in link.inputs and place not in done:
                done.add(place)
                yield link
                if not link.ends:
                    waiting += link.outputs
