"""LightGBM's and XGBoost's own models, given the methods that their scikit-learn wrappers have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from edgeship_converters.errors import SourceError, in_a_line

LIBRARIES = {".txt": "lightgbm", ".json": "xgboost", ".ubj": "xgboost"}
_LIGHTGBM_CLASSES = ("binary", "multiclass", "multiclassova")


def is_booster(model: Any) -> bool:
    """Whether a model in memory is one of the libraries' own, without their wrappers."""
    kinds = {(kind.__module__.split(".")[0], kind.__name__) for kind in type(model).__mro__}
    return bool(kinds & {("lightgbm", "Booster"), ("xgboost", "Booster")})


def load_booster(path: Path) -> Any:
    """An estimator of the file that `Booster.save_model` wrote.

    Raises:
        SourceError: where the library is not installed, or cannot read the file.
    """
    library = LIBRARIES[path.suffix.lower()]
    wrong = f"{path} is not a model that {library} can read"
    if library == "lightgbm" and not path.read_bytes()[:5].startswith(b"tree"):
        raise SourceError(f"{wrong}: expected what Booster.save_model('model.txt') writes")
    try:
        if library == "lightgbm":
            import lightgbm

            booster: Any = lightgbm.Booster(model_file=path)
        else:
            import xgboost

            booster = xgboost.Booster()
            booster.load_model(path)
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
    # The wrapper reads what it needs from the model's own configuration.
    model.load_model(booster.save_raw("ubj"))
    return model
