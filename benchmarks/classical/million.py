"""A forest of a million nodes, each step in a process: `python -m classical.million STEP FOLDER`.

`fit` keeps forest and rows in the folder, `convert` makes the bundle there, `load` asks the form.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import msgspec

from classical.tally import Million
from conversion.process import resident, run_module

FOREST, EVAL, LABELS, BUNDLE = "forest.joblib", "eval.npz", "labels.npy", "forest.edgeship"
_SEED = 0
_FEATURES = 10
_JUDGING = 1000
_CALLS = 500


class Fitted(msgspec.Struct, frozen=True):
    """What `fit` hands on."""

    trees: int
    nodes: int
    pickle_bytes: int


class Converted(msgspec.Struct, frozen=True):
    """What `convert` hands on."""

    onnx_bytes: int
    convert_seconds: float
    convert_peak_bytes: int


class Loaded(msgspec.Struct, frozen=True):
    """What `load` hands on."""

    load_seconds: float
    load_peak_bytes: int
    p50_ns: int
    rows: int
    disagreements: int


def main() -> None:
    """Carry out one step, and write what was found as JSON beside its files."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("step", choices=("fit", "convert", "load"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--trees", type=int, default=100)
    parser.add_argument("--rows", type=int, default=100_000)
    given = parser.parse_args()
    found: Fitted | Converted | Loaded
    match given.step:
        case "fit":
            found = fit(given.folder, given.trees, given.rows)
        case "convert":
            found = convert(given.folder)
        case _:
            found = load(given.folder)
    (given.folder / f"{given.step}.json").write_bytes(msgspec.json.encode(found))


def measure_million(folder: Path, *, trees: int = 100, rows: int = 100_000) -> Million:
    """Fit the forest where the folder holds none yet, then convert it and ask its form.

    Raises:
        ChildError: where a step fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "fit.json").is_file():
        sizes = ("--trees", str(trees), "--rows", str(rows))
        run_module("classical.million", "fit", str(folder), *sizes)
    for step in ("convert", "load"):
        run_module("classical.million", step, str(folder))
    parts = [
        msgspec.structs.asdict(msgspec.json.decode((folder / f"{step}.json").read_bytes(), type=of))
        for step, of in (("fit", Fitted), ("convert", Converted), ("load", Loaded))
    ]
    return Million(**parts[0], **parts[1], **parts[2])


def fit(folder: Path, trees: int, rows: int) -> Fitted:
    """A forest on drawn rows whose labels hang by them and by chance, so that trees grow large."""
    import joblib
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
    judging = drawn[rows:]
    np.save(folder / LABELS, forest.predict(judging))
    np.savez(folder / EVAL, x=judging, y=truth[rows:])
    joblib.dump(forest, folder / FOREST)
    nodes = sum(tree.tree_.node_count for tree in forest.estimators_)
    return Fitted(trees, nodes, (folder / FOREST).stat().st_size)


def convert(folder: Path) -> Converted:
    """Convert the kept forest to ONNX alone; imports count, as they do on the command line."""
    began = time.perf_counter()
    import edgeship

    bundle = edgeship.convert(
        folder / FOREST,
        folder / BUNDLE,
        eval_data=folder / EVAL,
        variants=["onnx-float32"],
        allow_pickle=True,
        cache=False,
    )
    seconds = time.perf_counter() - began
    (spec,) = bundle.manifest.variants
    return Converted(spec.bytes, seconds, resident("VmHWM"))


def load(folder: Path) -> Loaded:
    """Start a session on the form, and ask it row by row."""
    import numpy as np

    from classical.session import session
    from edgeship_runtime.bundle import Bundle

    bundle = Bundle.open(folder / BUNDLE)
    model = bundle.artifact(bundle.manifest.variants[0])
    began = time.perf_counter()
    form = session(model)
    seconds = time.perf_counter() - began
    with np.load(folder / EVAL) as kept:
        rows = kept["x"]
    times: list[int] = []
    for place in range(_CALLS):
        row = {"x": rows[place : place + 1]}
        started = time.perf_counter_ns()
        form.run(None, row)
        times.append(time.perf_counter_ns() - started)
    wrong = int((form.run(None, {"x": rows})[0] != np.load(folder / LABELS)).sum())
    p50_ns = round(statistics.median(times))
    return Loaded(seconds, resident("VmHWM"), p50_ns, len(rows), wrong)


if __name__ == "__main__":
    main()
