"""scikit-learn models from `.skops` files, and from pickles where the user says so."""

from __future__ import annotations

import hashlib
import io
import warnings
from pathlib import Path
from typing import Any

from sklearn.exceptions import InconsistentVersionWarning, NotFittedError
from sklearn.utils.validation import check_is_fitted

from edgeship_converters.errors import SourceError, in_a_line
from edgeship_converters.sources.sklearn_answers import answer, interface
from edgeship_converters.sources.sklearn_inputs import finite, inputs_of
from edgeship_converters.sources.source import Kind
from edgeship_converters.sources.trees import TREE_TYPE, check_trees
from edgeship_runtime.arrays import Array, Arrays
from edgeship_runtime.bundle import Contract


class SklearnSource:
    """A fitted estimator, or a Pipeline of them; its rows are one matrix, or columns by name."""

    kind: Kind = "sklearn"

    def __init__(self, estimator: Any, sha256: str) -> None:
        self.estimator = estimator
        self.sha256 = sha256
        self.inputs = inputs_of(estimator)
        self._interface = interface(estimator, self.inputs.rows(self.inputs.example()))
        self.inputs = self.inputs.with_missing(self._answers)
        self.contract = Contract(
            task=self._interface.task,
            inputs=self.inputs.specs,
            outputs=tuple(self._interface.outputs.values()),
            classes=self._interface.classes,
        )

    def predict(self, inputs: Arrays) -> dict[str, Array]:
        """See `Source.predict`; rows go in as float64, the type that scikit-learn was fitted in."""
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


def load_sklearn(path: Path, sha256: str, *, allow_pickle: bool) -> SklearnSource:
    """Load a `.skops` file, or with `allow_pickle` a pickle.

    Raises:
        SourceError: where it cannot be opened safely, is not fitted, or is of a kind that is not
            covered.
    """
    if path.suffix.lower() == ".skops":
        estimator = _load_skops(path)
    elif allow_pickle:
        estimator = _load_pickle(path)
    else:
        raise SourceError(
            f"{path} is a pickle, and opening a pickle can run any code that it holds: save the "
            "model with skops.io.dump, or add --allow-pickle if you trust where it came from"
        )
    if not hasattr(estimator, "fit"):
        raise SourceError(
            f"{path} holds a {type(estimator).__name__}, expected a scikit-learn model"
        )
    _check_fitted(estimator, f"{path} holds a model that")
    return SklearnSource(estimator, sha256)


def in_memory(estimator: Any) -> SklearnSource:
    """A fitted estimator as its author has it; its hash is that of its pickled parts.

    Raises:
        SourceError: where it is not fitted.
    """
    import joblib

    _check_fitted(estimator, f"the {type(estimator).__name__}")
    parts = io.BytesIO()
    joblib.dump(estimator, parts)
    return SklearnSource(estimator, hashlib.sha256(parts.getvalue()).hexdigest())


def _check_fitted(estimator: Any, what: str) -> None:
    try:
        check_is_fitted(estimator)
    except (NotFittedError, TypeError) as error:
        raise SourceError(f"{what} is not fitted: fit it first") from error


def _load_skops(path: Path) -> Any:
    from skops import io as skops

    try:
        untrusted = [name for name in skops.get_untrusted_types(file=path) if name != TREE_TYPE]
        if not untrusted:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", InconsistentVersionWarning)
                estimator = skops.load(path, trusted=[TREE_TYPE])
    except Exception as error:
        # A damaged file fails in whatever way its content suggests; it is not trusted.
        line = in_a_line(error)
        raise SourceError(f"{path} is not a skops file that can be loaded: {line}") from error
    if untrusted:
        raise SourceError(
            f"{path} holds types that skops does not trust ({', '.join(untrusted[:5])}): "
            "if you trust where it came from, save it with joblib and add --allow-pickle"
        )
    check_trees(estimator)
    return estimator


def _load_pickle(path: Path) -> Any:
    import joblib

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", InconsistentVersionWarning)
            return joblib.load(path)
    except Exception as error:
        # Unpickling fails in whatever way the file's content suggests.
        line = in_a_line(error)
        raise SourceError(f"{path} is not a pickle that can be loaded: {line}") from error
