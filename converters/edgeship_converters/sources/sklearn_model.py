"""scikit-learn models from `.skops` files, and from pickles where the user says so."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import is_classifier, is_regressor
from sklearn.exceptions import InconsistentVersionWarning, NotFittedError
from sklearn.utils.validation import check_is_fitted

from edgeship_converters.errors import SourceError, in_a_line
from edgeship_converters.sources.source import Kind
from edgeship_converters.sources.trees import TREE_TYPE, check_trees
from edgeship_runtime.arrays import Array, Arrays, dtype_name, numpy_dtype
from edgeship_runtime.bundle import Contract, InputSpec, OutputSpec


class SklearnSource:
    """A fitted classifier or regressor over one matrix of features, alone or as a Pipeline."""

    kind: Kind = "sklearn"

    def __init__(self, estimator: Any, sha256: str) -> None:
        self.estimator = estimator
        self.sha256 = sha256
        self.contract = _contract(estimator)

    def predict(self, inputs: Arrays) -> dict[str, Array]:
        """See `Source.predict`; rows go in as float64, the type that scikit-learn was fitted in."""
        rows = inputs["x"].astype(np.float64)
        outputs: dict[str, Array] = {}
        with warnings.catch_warnings():
            # A model fitted on named columns warns of a bare matrix; the contract keeps the order.
            warnings.filterwarnings("ignore", message="X does not have valid feature names")
            for spec in self.contract.outputs:
                scores = spec.role == "probabilities"
                predict = self.estimator.predict_proba if scores else self.estimator.predict
                try:
                    array = np.asarray(predict(rows))
                except Exception as error:
                    # Any step of a pipeline may refuse a row, in its own way.
                    line = in_a_line(error)
                    raise SourceError(
                        f"the model itself fails on these rows: {line}; give rows that it can "
                        "take with --data"
                    ) from error
                outputs[spec.name] = array.astype(numpy_dtype(spec.dtype))
        return outputs


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
    if not hasattr(estimator, "predict"):
        raise SourceError(
            f"{path} holds a {type(estimator).__name__}, expected a model that predicts"
        )
    try:
        check_is_fitted(estimator)
    except (NotFittedError, TypeError) as error:
        raise SourceError(f"{path} holds a model that is not fitted: fit it first") from error
    return SklearnSource(estimator, sha256)


def _load_skops(path: Path) -> Any:
    from skops import io

    try:
        untrusted = [name for name in io.get_untrusted_types(file=path) if name != TREE_TYPE]
        if not untrusted:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", InconsistentVersionWarning)
                estimator = io.load(path, trusted=[TREE_TYPE])
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


def _contract(estimator: Any) -> Contract:
    width = getattr(estimator, "n_features_in_", None)
    if width is None:
        raise SourceError(
            f"the {type(estimator).__name__} does not say how many features it takes "
            "(n_features_in_): fit it on a matrix"
        )
    names = getattr(estimator, "feature_names_in_", None)
    matrix = InputSpec(
        name="x",
        dtype="float32",
        shape=(None, int(width)),
        feature_names=tuple(str(name) for name in names) if names is not None else (),
    )
    if is_classifier(estimator):
        return _classifier_contract(estimator, matrix)
    if is_regressor(estimator):
        return Contract(task="regression", inputs=(matrix,), outputs=(_prediction(estimator),))
    raise SourceError(
        f"a {type(estimator).__name__} is neither a classifier nor a regressor: "
        "edgeship converts these two kinds of scikit-learn models"
    )


def _classifier_contract(estimator: Any, matrix: InputSpec) -> Contract:
    classes = estimator.classes_
    if isinstance(classes, list):
        raise SourceError(
            f"the {type(estimator).__name__} gives several labels a row: "
            "edgeship converts classifiers with one"
        )
    label = OutputSpec(name="label", dtype=dtype_name(classes.dtype), shape=(None,), role="label")
    if label.dtype.startswith(("int", "uint")):
        label = OutputSpec(name="label", dtype="int64", shape=(None,), role="label")
    outputs: tuple[OutputSpec, ...] = (label,)
    if hasattr(estimator, "predict_proba"):
        shape = (None, len(classes))
        outputs += (
            OutputSpec(name="probabilities", dtype="float32", shape=shape, role="probabilities"),
        )
    return Contract(
        task="classification", inputs=(matrix,), outputs=outputs, classes=tuple(classes.tolist())
    )


def _prediction(estimator: Any) -> OutputSpec:
    # Only a call tells: no attribute says how many values every regressor gives.
    row = np.ones((1, int(estimator.n_features_in_)))
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="X does not have valid feature names")
            shape = np.shape(estimator.predict(row))
    except Exception as error:
        # A pipeline may hold any step; what it says of a row of ones is for its author.
        line = in_a_line(error)
        raise SourceError(f"the model does not predict a row of ones: {line}") from error
    return OutputSpec(name="prediction", dtype="float32", shape=(None, *shape[1:]), role="value")
