"""LightGBM's and XGBoost's own models, given the methods that their scikit-learn wrappers have."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from edgeship_converters.errors import SourceError, in_a_line
from edgeship_converters.sources.lightgbm_file import checked_lightgbm
from edgeship_converters.sources.xgboost_file import checked_xgboost

LIBRARIES = {".txt": "lightgbm", ".json": "xgboost", ".ubj": "xgboost"}
_LIGHTGBM_CLASSES = ("binary", "multiclass", "multiclassova")


def is_booster(model: Any) -> bool:
    """Whether a model in memory is one of the libraries' own, without their wrappers."""
    kinds = {(kind.__module__.split(".")[0], kind.__name__) for kind in type(model).__mro__}
    return bool(kinds & {("lightgbm", "Booster"), ("xgboost", "Booster")})


def load_booster(path: Path) -> Any:
    """An estimator of the file that `Booster.save_model` wrote.

    Raises:
        SourceError: where the library is not installed, or the file is not sound.
    """
    library = LIBRARIES[path.suffix.lower()]
    wrong = f"{path} is not a model that {library} can read"
    with path.open("rb") as file:
        if library == "lightgbm" and file.read(4) != b"tree":
            raise SourceError(f"{wrong}: expected what Booster.save_model('model.txt') writes")
    try:
        if library == "lightgbm":
            import lightgbm

            booster: Any = lightgbm.Booster(model_str=checked_lightgbm(path))
        else:
            import xgboost

            booster = xgboost.Booster()
            booster.load_model(checked_xgboost(path))
        return as_estimator(booster)
    except ModuleNotFoundError as error:
        raise SourceError(
            f"{path} is read by {error.name}, which is not installed: "
            "pip install 'edgeship[convert,boosting]'"
        ) from error
    except SourceError:
        raise
    except Exception as error:
        # A damaged file fails in whatever way its content suggests.
        raise SourceError(f"{wrong}: {in_a_line(error)}") from error


def as_estimator(booster: Any) -> Any:
    """The classifier, regressor or ranker that a booster's objective makes it.

    A classifier's labels are 0, 1 …: boosters know no others.
    """
    if type(booster).__module__.startswith("lightgbm"):
        return _of_lightgbm(booster)
    return _of_xgboost(booster)


def categories_of(model: Any) -> dict[int, list[Any]]:
    """The categories that a model met in columns of pandas's category dtype, by the column's place.

    A wrapper of either library that was fitted on a data frame keeps them, and codes rows by them.

    Raises:
        SourceError: where the model does not tell which column has which.
    """
    package = type(model).__module__.split(".")[0]
    if package == "lightgbm" and hasattr(model, "booster_"):
        return _categories_of_lightgbm(model.booster_)
    if package == "xgboost" and hasattr(model, "get_booster"):
        return _categories_of_xgboost(model.get_booster())
    return {}


def _categories_of_lightgbm(booster: Any) -> dict[int, list[Any]]:
    known = booster.pandas_categorical or []
    if not known:
        return {}
    # The parameters stand at the end of the model's own text form.
    lines = re.findall(r"^\[categorical_feature: (.*)\]$", booster.model_to_string(), re.MULTILINE)
    line = lines[-1] if lines else ""
    places = [int(place) for place in line.split(",") if place]
    dump = booster.dump_model(num_iteration=1)
    met = [dump["feature_infos"].get(dump["feature_names"][place], {}) for place in sorted(places)]
    fitting = len(places) == len(known) and all(
        set(info.get("values", ())) <= {-1, *range(len(categories))}
        for info, categories in zip(met, known, strict=True)
    )
    if not fitting:
        raise SourceError(
            f"the model has categories of {len(known)} columns of its data frame, and splits by "
            f"category in {len(places)}, so that it does not tell which they are: fit it without "
            "ordered categories, and without categorical_feature"
        )
    return dict(zip(sorted(places), known, strict=True))


def trees_of_xgboost(gradient: dict[str, Any]) -> dict[str, Any]:
    """Where a gradient booster's JSON keeps its trees; one of dropped trees had another inside."""
    held: dict[str, Any] = gradient.get("gbtree", gradient).get("model", {})
    return held


def _categories_of_xgboost(booster: Any) -> dict[int, list[Any]]:
    gradient = json.loads(bytes(booster.save_raw("json")))["learner"]["gradient_booster"]
    encoded = trees_of_xgboost(gradient).get("cats", {}).get("enc", [])
    found = {place: _decoded(column) for place, column in enumerate(encoded)}
    return {place: known for place, known in found.items() if known}


def _decoded(column: dict[str, Any]) -> list[Any]:
    """One column's categories: numbers as they are, or words by where each ends.

    XGBoost 3.2 counts letters for bytes there, and so cuts off words that are not ASCII.
    """
    if "offsets" not in column:
        return list(column["values"])
    letters = bytes(value % 256 for value in column["values"])
    ends = column["offsets"]
    if not letters.isascii():
        raise SourceError(
            "XGBoost keeps no more than a part of categories that are not plain ASCII: spell them "
            "so, and fit the model again"
        )
    return [letters[start:end].decode() for start, end in pairwise(ends)]


def _of_lightgbm(booster: Any) -> Any:
    import lightgbm
    from sklearn.preprocessing import LabelEncoder

    objective = str(booster.dump_model(num_iteration=1).get("objective", "none")).split()[0]
    classifies = objective in _LIGHTGBM_CLASSES
    model: Any = lightgbm.LGBMClassifier() if classifies else lightgbm.LGBMRegressor()
    # What fit() sets; the library has no other way from a booster to its wrapper.
    model._Booster = booster
    model._n_features = model._n_features_in = booster.num_feature()
    model._objective = objective
    model._best_iteration = booster.best_iteration
    # What it is called where the fit met no names.
    unnamed = [f"Column_{place}" for place in range(booster.num_feature())]
    model._fitted_with_feature_names = booster.feature_name() != unnamed
    model.fitted_ = True
    if classifies:
        model._n_classes = max(2, booster.num_model_per_iteration())
        model._classes = np.arange(model._n_classes)
        model._le = LabelEncoder().fit(model._classes)
        model._class_map = {int(label): int(label) for label in model._classes}
    return model


def _of_xgboost(booster: Any) -> Any:
    import xgboost

    objective = json.loads(booster.save_config())["learner"]["objective"]["name"]
    model: Any
    if objective.startswith(("binary:", "multi:")):
        model = xgboost.XGBClassifier()
    elif objective.startswith("rank:"):
        model = xgboost.XGBRanker(objective=objective)
    else:
        model = xgboost.XGBRegressor()
    whole = booster.copy()
    # The booster itself asks all its trees, where the wrapper stops at the best iteration.
    whole.set_attr(best_iteration=None, best_score=None)
    # The wrapper reads what it needs from the model's own configuration.
    model.load_model(whole.save_raw("ubj"))
    return model
