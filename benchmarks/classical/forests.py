"""Forests fitted and converted, each step in a process: `python -m classical.forests STEP FOLDER`.

`digits` and `large` fit a forest and keep it with rows in the folder, beside a tiny one that warms
engines up; a form's name converts it to that form there.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from classical.tally import Forest, Loading, Made
from conversion.process import resident, run_module

DIGITS, MILLION = FORESTS = ("digits forest", "million nodes")
# The large one, where a quick look is enough.
SMALL = "small forest"
FORMS = {"onnx-float32": "onnx", "tflite-float32": "tflite"}
FOREST, EVAL, LABELS = "forest.joblib", "eval.npz", "labels.npy"
WHOLE, TINY = "whole", "tiny"
_SEED = 0
_FEATURES = 10
_JUDGING = 1000

_Struct = TypeVar("_Struct", bound=msgspec.Struct)


class Fitted(msgspec.Struct, frozen=True):
    """What fitting hands on."""

    trees: int
    nodes: int
    pickle_bytes: int


def main() -> None:
    """Carry out one step, and write what was found as JSON beside its files."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("step", choices=("digits", "large", *FORMS))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--trees", type=int, default=100)
    parser.add_argument("--rows", type=int, default=100_000)
    given = parser.parse_args()
    match given.step:
        case "digits":
            _write(given.folder / "fit.json", fit_digits(given.folder))
        case "large":
            _write(given.folder / "fit.json", fit_large(given.folder, given.trees, given.rows))
        case form:
            _write(given.folder / f"{form}.json", convert(given.folder, form))


def measure_forest(name: str, folder: Path, *options: str) -> Forest:
    """Fit a forest where the folder holds none yet, then convert, load and ask it.

    Args:
        name: one of `FORESTS`, or `SMALL`.
        folder: where it is kept.
        options: of the large one, `--trees` and `--rows`.

    Raises:
        ChildError: where a step fails.
    """
    from classical.loading import LOADINGS

    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "fit.json").is_file():
        step = "digits" if name == DIGITS else "large"
        run_module("classical.forests", step, str(folder), *options)
    for form in FORMS:
        run_module("classical.forests", form, str(folder))
    for place, way in enumerate(LOADINGS):
        target = str(folder / f"loading-{place}.json")
        run_module("classical.loading", way, str(folder), "--json", target)
    fitted = _read(folder / "fit.json", Fitted)
    return Forest(
        name=name,
        trees=fitted.trees,
        nodes=fitted.nodes,
        pickle_bytes=fitted.pickle_bytes,
        made={form: _read(folder / f"{form}.json", Made) for form in FORMS},
        loaded={
            way: _read(folder / f"loading-{place}.json", Loading)
            for place, way in enumerate(LOADINGS)
        },
    )


def fit_digits(folder: Path) -> Fitted:
    """The forest of the case `forest`."""
    from classical.cases import case

    chosen = case("forest")
    data = chosen.data()
    forest = chosen.build().fit(data.training, data.training_truth)
    return _kept(folder, forest, data.judging, data.judging_truth)


def fit_large(folder: Path, trees: int, rows: int) -> Fitted:
    """A forest on drawn rows whose labels hang by them and by chance, so that trees grow large."""
    import numpy as np
    from sklearn.ensemble import RandomForestClassifier

    random = np.random.default_rng(_SEED)
    drawn = random.normal(size=(rows + _JUDGING, _FEATURES)).astype(np.float32)
    score = drawn[:, 0] * drawn[:, 1] + drawn[:, 2]
    truth = (score + random.normal(0, 1, len(drawn)) > 0).astype(np.int64)
    forest = RandomForestClassifier(trees, random_state=_SEED, n_jobs=-1)
    forest.fit(drawn[:rows], truth[:rows])
    # Kept as one would ship it: asked row by row, by one process.
    forest.set_params(n_jobs=None)
    return _kept(folder, forest, drawn[rows:], truth[rows:])


def convert(folder: Path, form: str) -> Made:
    """Convert the kept forest to one form alone; imports count, as they do on the command line."""
    began = time.perf_counter()
    import edgeship

    bundle = edgeship.convert(
        folder / FOREST,
        bundle_of(folder, WHOLE, form),
        eval_data=folder / EVAL,
        variants=[form],
        allow_pickle=True,
        cache=False,
    )
    seconds = time.perf_counter() - began
    (spec,) = bundle.manifest.variants
    peak = resident("VmHWM")
    file_of(folder, WHOLE, form).write_bytes(bundle.artifact(spec))
    return Made(bytes=spec.bytes, convert_seconds=seconds, convert_peak_bytes=peak)


def bundle_of(folder: Path, which: str, form: str) -> Path:
    """Where the bundle of the whole or of the tiny forest in a form is kept."""
    return folder / f"{which}.{FORMS[form]}.edgeship"


def file_of(folder: Path, which: str, form: str) -> Path:
    """Where the model's file alone is kept."""
    return folder / f"{which}.{FORMS[form]}"


def _kept(folder: Path, forest: Any, rows: Any, truth: Any) -> Fitted:
    import joblib
    import numpy as np
    from sklearn.base import clone

    import edgeship

    np.save(folder / LABELS, forest.predict(rows))
    np.savez(folder / EVAL, x=rows.astype(np.float32), y=truth)
    joblib.dump(forest, folder / FOREST)
    tiny = clone(forest).set_params(n_estimators=2, max_depth=4).fit(rows, truth)
    for form in FORMS:
        target = bundle_of(folder, TINY, form)
        given = {"x": rows.astype(np.float32), "y": truth}
        bundle = edgeship.convert(tiny, target, eval_data=given, variants=[form], cache=False)
        file_of(folder, TINY, form).write_bytes(bundle.artifact(bundle.manifest.variants[0]))
    nodes = sum(tree.tree_.node_count for tree in forest.estimators_)
    return Fitted(len(forest.estimators_), nodes, (folder / FOREST).stat().st_size)


def _write(path: Path, found: msgspec.Struct) -> None:
    path.write_bytes(msgspec.json.encode(found))


def _read(path: Path, of: type[_Struct]) -> _Struct:
    return msgspec.json.decode(path.read_bytes(), type=of)


if __name__ == "__main__":
    main()
