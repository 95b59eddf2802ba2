"""Which of the model's layers an operator of a converted graph came from."""

from __future__ import annotations

import re
from collections.abc import Sequence

_COUNTED = re.compile(r"(.+)_\d+")
_NO_LAYERS = ("StatefulPartitionedCall", "PartitionedCall", "Identity")


class LayerNames:
    """The names of a model's layers, and how they are read out of scoped operator names.

    TensorFlow writes the layers that an operator belongs to into its name, as in
    `cnn_1/block_1/conv_1/BiasAdd`; Keras 3 opens each scope twice, so that a count follows each
    layer's name. Converters join the names of what they fuse with `;`.
    """

    def __init__(self, in_order: Sequence[str]) -> None:
        """Take the layers' names in the model's own order; none where the source tells none."""
        self._order = {name: place for place, name in reversed(list(enumerate(in_order)))}

    def of(self, scopes: Sequence[str]) -> list[tuple[str, ...]]:
        """For each operator, by its scoped name, the layers it is part of, the innermost first.

        An operator that several layers were fused into belongs to all of them; the layer that
        comes first in the model is then the first named. Without known names, all parts of the
        scope count as layers.

        >>> LayerNames(["conv", "bn"]).of(["m_1/bn_1/add;m_1/conv_1/Conv2D", "Softmax"])
        [('conv', 'bn'), ()]
        """
        paths = [[name.split("/")[:-1] for name in scope.split(";")] for scope in scopes]
        counted = self._are_counted([part for names in paths for path in names for part in path])
        return [self._layers(names, counted=counted) for names in paths]

    def _are_counted(self, parts: Sequence[str]) -> bool:
        return any(part not in self._order and self._without_count(part) for part in parts)

    def _without_count(self, part: str) -> str | None:
        match = _COUNTED.fullmatch(part)
        return match[1] if match and match[1] in self._order else None

    def _layers(self, paths: Sequence[Sequence[str]], *, counted: bool) -> tuple[str, ...]:
        if not self._order:
            found = [part for path in paths for part in reversed(path) if part not in _NO_LAYERS]
            return tuple(dict.fromkeys(found))
        innermost: list[str] = []
        around: list[str] = []
        for path in paths:
            known = [name for part in path if (name := self._known(part, counted=counted))]
            innermost += known[-1:]
            around += reversed(known[:-1])
        innermost.sort(key=lambda name: self._order[name])
        return tuple(dict.fromkeys([*innermost, *around]))

    def _known(self, part: str, *, counted: bool) -> str | None:
        stripped = self._without_count(part)
        as_is = part if part in self._order else None
        return stripped or as_is if counted else as_is or stripped
