"""scikit-learn models from `.skops` files, and from pickles where the user says so."""

from __future__ import annotations

import hashlib
import io
import pickle
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any

import sklearn
from sklearn.exceptions import InconsistentVersionWarning, NotFittedError
from sklearn.utils.validation import check_is_fitted

from edgeship_converters.errors import SourceError, in_a_line
from edgeship_converters.sources.boosters import LIBRARIES, as_estimator, is_booster, load_booster
from edgeship_converters.sources.sklearn_answers import Interface, answer, interface
from edgeship_converters.sources.sklearn_inputs import (
    NOTHING,
    WAYS,
    Asked,
    Inputs,
    finite,
    inputs_of,
)
from edgeship_converters.sources.source import Kind
from edgeship_converters.sources.trees import TREE_TYPES, check_trees
from edgeship_converters.sources.user_code import current_directory_first
from edgeship_runtime.arrays import Array, Arrays
from edgeship_runtime.bundle import Contract

if TYPE_CHECKING:
    from edgeship_converters.steps.classical.dispatch import Converter


class SklearnSource:
    """A fitted estimator, or a Pipeline of them; its rows are one matrix, or columns by name."""

    kind: Kind = "sklearn"

    def __init__(
        self,
        estimator: Any,
        sha256: str,
        *,
        converters: Mapping[str, Converter] | None = None,
        told: Sequence[str] = (),
        asked: Asked = NOTHING,
    ) -> None:
        """Take a fitted estimator.

        Args:
            estimator: the model.
            sha256: of its file.
            converters: the user's own, by the name of the class that each is for.
            told: what the user should know of how it was opened.
            asked: what the user says of the inputs.

        Raises:
            SourceError: where it does not say what it takes, or answers nothing about new rows.
        """
        self.estimator = estimator
        self.converters = dict(converters or {})
        self.warnings = tuple(told)
        self.sha256 = sha256
        self.inputs, self._interface = _first_taken(estimator, inputs_of(estimator, asked))
        self.inputs = self.inputs.with_missing(self._answers).with_closed(self._answers)
        self.contract = Contract(
            task=self._interface.task,
            inputs=self.inputs.specs,
            outputs=tuple(self._interface.outputs.values()),
            classes=self._interface.classes,
        )

    def predict(self, inputs: Arrays) -> dict[str, Array]:
        """See `Source.predict`."""
        rows = self.inputs.rows(inputs)
        return {
            spec.name: answer(self.estimator, method, rows)
            for method, spec in self._interface.outputs.items()
        }

    def _answers(self, inputs: Arrays) -> bool:
        """Whether the estimator answers rows with finite numbers."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return finite(self.predict(inputs))
        except SourceError:
            return False


def _first_taken(estimator: Any, inputs: Inputs) -> tuple[Inputs, Interface]:
    """The inputs, handed over in the first way that the estimator takes an example in.

    Raises:
        SourceError: what it says of the first way, where it takes none.
    """
    refused: SourceError | None = None
    for way in WAYS if inputs.matrix else WAYS[:1]:
        tried = replace(inputs, way=way)
        try:
            return tried, interface(estimator, tried.rows(tried.example()))
        except SourceError as error:
            refused = refused or error
    raise refused or ValueError("no way was tried")


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the user allows on opening a scikit-learn model, and adds to it.

    Attributes:
        allow_pickle: whether a pickle may be opened.
        trust: the types of a `.skops` file that the user vouches for.
        converters: the user's own.
        asked: what the user says of the inputs.
    """

    allow_pickle: bool = False
    trust: tuple[str, ...] = ()
    converters: Mapping[str, Converter] = field(default_factory=dict)
    asked: Asked = NOTHING


def load_sklearn(path: Path, sha256: str, allowed: Allowed) -> SklearnSource:
    """Load a `.skops` file, a booster's own, or where that is allowed a pickle.

    Raises:
        SourceError: where it cannot be opened safely, is not fitted, or is of a kind that is not
            covered.
    """
    told: Sequence[str] = ()
    if path.suffix.lower() in LIBRARIES:
        estimator = load_booster(path)
    elif path.suffix.lower() == ".skops":
        estimator, told = _load_skops(path, allowed.trust)
    elif allowed.allow_pickle:
        estimator, told = _load_pickle(path)
    else:
        raise SourceError(
            f"{path} is a pickle, and opening a pickle can run any code that it holds: save the "
            "model with skops.io.dump, or add --allow-pickle if you trust where it came from"
        )
    if is_booster(estimator):
        estimator = as_estimator(estimator)
    if not hasattr(estimator, "fit"):
        raise SourceError(
            f"{path} holds a {type(estimator).__name__}, expected a scikit-learn model"
        )
    _check_fitted(estimator, f"{path} holds a model that")
    return SklearnSource(
        estimator, sha256, converters=allowed.converters, told=told, asked=allowed.asked
    )


def in_memory(
    estimator: Any,
    converters: Mapping[str, Converter] | None = None,
    asked: Asked = NOTHING,
) -> SklearnSource:
    """A fitted estimator as its author has it; its hash is that of its pickled parts.

    Raises:
        SourceError: where it is not fitted.
    """
    import joblib

    _check_fitted(estimator, f"the {type(estimator).__name__}")
    parts = io.BytesIO()
    try:
        joblib.dump(estimator, parts)
    except Exception:
        # A part of the model may refuse to be pickled in any way; its nameless functions need not.
        parts = io.BytesIO()
        try:
            _ByCode(parts).dump(estimator)
        except Exception as error:
            raise SourceError(
                f"the {type(estimator).__name__} cannot be pickled, so that nothing tells it from "
                f"another model: {in_a_line(error)}"
            ) from error
    sha256 = hashlib.sha256(parts.getvalue()).hexdigest()
    return SklearnSource(estimator, sha256, converters=converters, asked=asked)


class _ByCode(pickle.Pickler):
    """Writes functions and classes that no name finds again as their code: to be hashed only."""

    def reducer_override(self, held: Any) -> Any:
        """See `pickle.Pickler`."""
        if isinstance(held, FunctionType) and "<" in held.__qualname__:
            return bytes, (held.__code__.co_code,)
        if isinstance(held, type) and "<" in held.__qualname__:
            return str, (held.__qualname__,)
        return NotImplemented


def _check_fitted(estimator: Any, what: str) -> None:
    try:
        check_is_fitted(estimator)
    except (NotFittedError, TypeError) as error:
        raise SourceError(f"{what} is not fitted: fit it first") from error


def _load_skops(path: Path, trust: Sequence[str]) -> tuple[Any, list[str]]:
    from skops import io as skops

    # A dtype is a name; OneHotEncoder keeps one.
    trusted = [*TREE_TYPES, "numpy.dtype", *trust]
    told: list[str] = []
    try:
        untrusted = [name for name in skops.get_untrusted_types(file=path) if name not in trusted]
        if not untrusted:
            # Nothing of the current directory is run unless a type of the user's is vouched for.
            with _releases_told(told), current_directory_first() if trust else nullcontext():
                estimator = skops.load(path, trusted=trusted)
    except ModuleNotFoundError as error:
        raise SourceError(_no_module(path, error)) from error
    except Exception as error:
        # A damaged file fails in whatever way its content suggests; it is not trusted.
        line = in_a_line(error)
        raise SourceError(f"{path} is not a skops file that can be loaded: {line}") from error
    if untrusted:
        raise SourceError(
            f"{path} holds types that skops does not trust ({', '.join(untrusted)}): if you trust "
            f"where it came from, add {' '.join(f'--trust {name}' for name in untrusted)}"
        )
    check_trees(estimator, trust)
    return estimator, told


def _load_pickle(path: Path) -> tuple[Any, list[str]]:
    import joblib

    told: list[str] = []
    try:
        with _releases_told(told), current_directory_first():
            return joblib.load(path), told
    except ModuleNotFoundError as error:
        raise SourceError(_no_module(path, error)) from error
    except Exception as error:
        # Unpickling fails in whatever way the file's content suggests.
        line = in_a_line(error)
        raise SourceError(f"{path} is not a pickle that can be loaded: {line}") from error


def _no_module(path: Path, error: ModuleNotFoundError) -> str:
    return (
        f"{path} holds parts of the module {error.name!r}, which is not found: install it, or run "
        f"edgeship where `python -m {error.name}` would find it"
    )


@contextmanager
def _releases_told(told: list[str]) -> Iterator[None]:
    """Add a warning for each other release of scikit-learn that parts of a model are of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", InconsistentVersionWarning)
        yield
    found = [w.message for w in caught if isinstance(w.message, InconsistentVersionWarning)]
    for release in sorted({message.original_sklearn_version for message in found}):
        told.append(
            f"the model was fitted with scikit-learn {release}, and {sklearn.__version__} is "
            "installed, whose answers every variant is held against: install the release that it "
            "was fitted with, or fit it again, where they differ"
        )
