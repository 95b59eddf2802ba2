"""A source model that is loaded only when something has to be asked that was not asked before."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from edgeship_converters.boundary import beside_boundary
from edgeship_converters.cache import Cache, digest, digest_arrays
from edgeship_converters.drawn_rows import Vocabulary
from edgeship_converters.lint.expectation import Ids
from edgeship_converters.request import Request
from edgeship_converters.sources import SUFFIXES, Kind, Source, open_source
from edgeship_converters.sources.fingerprint import of_file, of_folder
from edgeship_converters.tools import own_code, releases
from edgeship_runtime.arrays import Array, Arrays
from edgeship_runtime.bundle import Contract
from edgeship_runtime.quiet import quiet

_TOOLS = (
    *("h5py", "joblib", "keras", "lightgbm", "numpy", "onnx", "onnxruntime"),
    *("scikit-learn", "scipy", "skops", "tensorflow", "tf-keras", "xgboost", "xgboost-cpu"),
)

# As many words of a vocabulary are drawn from.
_WORDS = 100
_FRAMEWORKS = ("keras", "tf_keras")


class Facts(msgspec.Struct, frozen=True):
    """What a conversion needs to know of a source before it asks the model itself.

    Attributes:
        kind: where the plan starts.
        contract: its inputs and outputs.
        sha256: of what it came from.
        layers: the names of its layers, in its own order.
        tools: the distributions that opened it.
        known: what rows may hold that are drawn for want of data.
        warnings: what the user should know of how it was opened.
        classical: whether it is a classical model; see `Task`.
    """

    kind: Kind
    contract: Contract
    sha256: str
    layers: tuple[str, ...]
    tools: tuple[str, ...]
    known: Vocabulary
    warnings: tuple[str, ...] = ()
    classical: bool = False


class RememberedSource:
    """A `Source` whose facts and answers are kept in the cache from one conversion to the next."""

    def __init__(self, request: Request, cache: Cache) -> None:
        """Find the facts, or load the model for them.

        Raises:
            SourceError: where there is no model, or it cannot be opened.
        """
        opening = request.opening()
        self._open: Callable[[], Source] = lambda: open_source(request.source, **opening)
        self._on_step = request.on_step
        self._cache = cache
        self._loaded: Source | None = None
        # Each variant is held against the same few sets of rows.
        self._told: dict[str, dict[str, Array]] = {}
        asked = (
            *(_identity(request.source), request.signature),
            *(request.inputs, tuple(opening["schema"].items())),
        )
        key = digest("facts", *asked, releases(_TOOLS), own_code())
        facts = cache.find(key, Facts)
        if facts is None:
            facts = _facts(self.loaded)
            if _says_all(self.loaded):
                cache.keep(key, facts)
            else:
                self._cache = Cache(None)
        self.facts = facts
        self.kind = facts.kind
        self.contract = facts.contract
        self.sha256 = facts.sha256
        # What may be cached depends on this: a folder may hold several models by signature.
        self.key = digest(facts.sha256, request.signature)

    @property
    def cache(self) -> Cache:
        """Where outcomes may be kept: nowhere, if code of the user's own is in the model."""
        return self._cache

    @property
    def loaded(self) -> Source:
        """The model itself."""
        if self._loaded is None:
            self._on_step("loading the model")
            with quiet():
                self._loaded = self._open()
        return self._loaded

    def predict(self, inputs: Arrays) -> dict[str, Array]:
        """See `Source.predict`."""
        return self._kept("answers", inputs, lambda model: model.predict(inputs))

    def beside_boundary(self, inputs: Arrays, expected: Arrays) -> dict[str, Array]:
        """See `boundary.beside_boundary`; none for models that are not classical."""
        if not self.facts.classical:
            return {}
        return self._kept(
            "beside",
            inputs,
            lambda model: beside_boundary(self.contract, model.predict, inputs, expected),
        )

    def _kept(
        self, what: str, inputs: Arrays, ask: Callable[[Source], dict[str, Array]]
    ) -> dict[str, Array]:
        key = digest(what, self.key, digest_arrays(inputs), releases(_TOOLS), own_code())
        found = self._told.get(key)
        if found is None:
            found = self._cache.find_arrays(key)
        if found is None:
            model = self.loaded
            self._on_step("asking the source model")
            with quiet():
                found = ask(model)
            self._cache.keep_arrays(key, found)
        self._told[key] = found
        return found


def may_be_cached(request: Request) -> bool:
    """Whether the bytes of the source say all about the model.

    They do not where code of the user's own takes part, nor for a model in memory.
    """
    named = isinstance(request.source, str | os.PathLike)
    return request.cache and named and not request.own_code


def _identity(source: Any) -> str:
    if not isinstance(source, str | os.PathLike):
        return ""
    path = Path(source)
    if path.is_dir():
        return "folder " + of_folder(path)
    known = path.is_file() and path.suffix.lower() in SUFFIXES
    return f"{path.suffix.lower()} {of_file(path)}" if known else ""


def _says_all(source: Source) -> bool:
    """Whether nothing in a model is the user's own code, registered under a name in its file."""
    layers = getattr(source, "layers", ())
    if any(type(layer).__module__.split(".")[0] not in _FRAMEWORKS for layer in layers):
        return False
    model = getattr(source, "model", None)
    if model is None or not hasattr(model, "to_json"):
        return True
    try:
        return '"class_name": "function"' not in model.to_json()
    except Exception:
        # A model without a configuration is the user's own class.
        return False


def _facts(source: Source) -> Facts:
    layers = getattr(source, "layers", ())
    return Facts(
        kind=source.kind,
        contract=source.contract,
        sha256=source.sha256,
        layers=tuple(dict.fromkeys(str(layer.name) for layer in layers)),
        tools=tuple(getattr(source, "tools", ())),
        known=_vocabulary(source),
        warnings=tuple(getattr(source, "warnings", ())),
        classical=source.kind == "sklearn" or getattr(source, "classical", False),
    )


def _vocabulary(source: Source) -> Vocabulary:
    model = getattr(source, "model", None)
    if source.kind != "keras" or model is None:
        return Vocabulary(
            words=tuple(getattr(source, "vocabulary", ()))[:_WORDS],
            numbers=getattr(source, "numbers", {}),
        )
    from edgeship_converters.sources.expected_range import expected_ranges

    told = expected_ranges(model, [spec.name for spec in source.contract.inputs])
    ids = {
        name: expectation.below
        for name, expectations in told.items()
        for expectation in expectations
        if isinstance(expectation, Ids)
    }
    layers = getattr(source, "layers", ())
    tables = [layer.input_dim for layer in layers if type(layer).__name__ == "Embedding"]
    if tables and not told:
        # Without a graph of layers, any input of whole numbers may be the smallest table's.
        ids = {spec.name: min(tables) for spec in source.contract.inputs}
    words = {
        str(word)
        for layer in layers
        if hasattr(layer, "get_vocabulary")
        for word in layer.get_vocabulary()[:_WORDS]
    }
    return Vocabulary(ids, tuple(sorted(words)))
