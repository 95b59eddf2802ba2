"""What is timed: a small interface, and a bundle's variant behind it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from edgeship_runtime.arrays import Array, Arrays
from edgeship_runtime.bundle import Bundle
from edgeship_runtime.model import Model, load
from edgeship_runtime.quiet import quiet

Clock = Callable[[], int]


class System(Protocol):
    """A system under test: it answers one sample at a time.

    Attributes:
        name: what a report calls it.
    """

    name: str

    def predict(self, sample: Arrays) -> object:
        """Compute all outputs for one sample; whatever it returns is ignored.

        Raises:
            EdgeshipError: where it fails; it is not asked again.
        """
        ...


class VariantSystem:
    """A variant of a bundle, loaded: what a caller of `Model.predict` waits for is what is timed.

    Attributes:
        name: the variant's.
        engine: the engine's package and release.
        load_ns: time to read, hash and load it, the engine being imported already.
    """

    def __init__(self, model: Model, load_ns: int) -> None:
        self._model = model
        self.name = model.variant.name
        self.engine = model.engine.name
        self.load_ns = load_ns

    def predict(self, sample: Arrays) -> dict[str, Array]:
        """See `System.predict`."""
        return self._model.predict(sample)


def open_variant(
    bundle: Bundle, name: str, threads: int, clock: Clock = time.perf_counter_ns
) -> VariantSystem:
    """Load a variant, and take the time that it takes.

    It is loaded twice, the second time counts: the first one may have to import the engine, which
    would be charged to whichever variant happens to come first.

    Raises:
        EdgeshipError: where no engine runs it.
    """
    with quiet(keep_log=False):
        load(bundle, name, threads)
        start = clock()
        model = load(bundle, name, threads)
        load_ns = clock() - start
    return VariantSystem(model, load_ns)
