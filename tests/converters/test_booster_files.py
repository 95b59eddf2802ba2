"""Boosters' own files: those that are not sound do not reach the libraries, which crash on many."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeship_converters.errors import SourceError
from edgeship_converters.sources.boosters import load_booster
from edgeship_converters.sources.ubjson import read_ubjson


def made() -> tuple[Any, Any]:
    """Rows of two numbers and a category, and what follows from them."""
    random = np.random.default_rng(0)
    rows = random.normal(size=(300, 3))
    rows[:, 2] = random.integers(0, 40, 300)
    return rows, ((rows[:, 0] > 0) ^ (rows[:, 2] % 3 == 0)).astype(int) + (rows[:, 1] > 1)


@pytest.fixture(scope="module")
def text() -> str:
    """A model of LightGBM, of three classes and with categories."""
    lightgbm = pytest.importorskip("lightgbm")
    options = {
        "objective": "multiclass", "num_class": 3, "verbose": -1, "min_data_per_group": 1,
        "cat_smooth": 1, "max_cat_to_onehot": 1,
    }  # fmt: skip
    data = lightgbm.Dataset(*made(), categorical_feature=[2])
    return str(lightgbm.train(options, data, 3).model_to_string())


@cache
def booster(kind: str = "gbtree") -> Any:
    """A model of XGBoost, of three classes, and with categories where it has trees."""
    xgboost = pytest.importorskip("xgboost")
    options: dict[str, Any] = {"objective": "multi:softprob", "num_class": 3, "booster": kind}
    rows, truth = made()
    names = {} if kind == "gblinear" else {"feature_types": ["q", "q", "c"]}
    data = xgboost.DMatrix(rows, truth, enable_categorical=True, **names)
    return xgboost.train({**options, "max_cat_to_onehot": 1}, data, 3)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """XGBoost warns of its linear boosters where an exception is lost."""
    with pytest.importorskip("xgboost").config_context(verbosity=0):
        yield


def loaded(name: str, content: str | bytes, folder: Path) -> Any:
    """The estimator that a file with this content is."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return load_booster(path)


def line(key: str, value: str) -> Callable[[str], str]:
    """Another value of a key, in the first tree that is more than a leaf."""
    return lambda text: re.sub(rf"(?m)^{key}=..*$", f"{key}={value}", text, count=1)


def first(key: str, word: str) -> Callable[[str], str]:
    """Another first word of a key's value."""
    return lambda text: re.sub(rf"(?m)^{key}=[^ \n]+", f"{key}={word}", text, count=1)


FORGED_TEXTS = {
    "no classes": first("num_class", "0"),
    "many classes": first("num_class", "2000000000"),
    "more classes than outputs": first("num_class", "4"),
    "no outputs": first("num_tree_per_iteration", "0"),
    "more outputs than trees": first("num_tree_per_iteration", "7"),
    "an objective of more classes": line("objective", "multiclass num_class:9"),
    "an objective that tells twice": line("objective", "multiclass num_class:3 num_class:9"),
    "an objective of no number of classes": line("objective", "multiclass"),
    "other columns": first("max_feature_idx", "2000000000"),
    "columns without names": line("feature_names", "a b"),
    "columns without ranges": line("feature_infos", "none none"),
    "a column's range of no numbers": line("feature_infos", "none none :"),
    "signs of too few columns": lambda text: text.replace(
        "feature_infos", "monotone_constraints=1\nfeature_infos", 1
    ),
    "a key twice": lambda text: text.replace("num_class", "num_class=3\nnum_class", 1),
    "many leaves": line("num_leaves", "2000000000"),
    "no leaves": line("num_leaves", "0"),
    "one leaf more": lambda text: re.sub(
        r"num_leaves=(\d+)", lambda found: f"num_leaves={int(found[1]) + 1}", text, count=1
    ),
    "sets of categories without an end": line("num_cat", "3000000"),
    "no sets of categories": line("num_cat", "0"),
    "a column beyond": first("split_feature", "3"),
    "a column before": first("split_feature", "-1"),
    "few columns": line("split_feature", "0"),
    "few thresholds": line("threshold", "0"),
    "no set of categories": lambda text: first("threshold", "77")(
        first("decision_type", "9")(text)
    ),
    "a broken set of categories": lambda text: first("threshold", "0.5")(
        first("decision_type", "9")(text)
    ),
    "words for thresholds": first("threshold", "zero"),
    "few kinds": line("decision_type", "2"),
    "another kind": first("decision_type", "14"),
    "a large kind": first("decision_type", "300"),
    "a child beyond": first("left_child", "90000000"),
    "a leaf beyond": first("left_child", "-90000000"),
    "a circle": first("left_child", "0"),
    "a shared child": first("left_child", "2"),
    "few children": line("right_child", "1"),
    "few leaves": line("leaf_value", "0.5"),
    "few counts": line("leaf_count", "3"),
    "a gap amid long numbers": line("internal_weight", "1234567 " * 30 + " 1"),
    "few gains": line("split_gain", "3"),
    "few weights": line("leaf_weight", "3"),
    "few inner counts": line("internal_count", "3"),
    "few inner values": line("internal_value", "3"),
    "few inner weights": line("internal_weight", "3"),
    "few ends of sets": line("cat_boundaries", "0"),
    "ends that turn back": first("cat_boundaries", "5"),
    "sets beyond their end": line("cat_threshold", "1"),
    "a set of too many bits": first("cat_threshold", "4294967296"),
    "linear leaves": line("is_linear", "1"),
    "a tree of no lines": lambda text: re.sub(r"Tree=0\n.*?\n\n", "Tree=0\n\n", text, flags=re.S),
    "an end amid a tree": lambda text: text[: text.index("left_child")],
    "categories of a data frame of no kind": lambda text: text + "\npandas_categorical:[3]\n",
    "a zero byte": lambda text: text.replace("num_leaves", "num_leaves\0", 1),
}


@pytest.mark.parametrize("forge", FORGED_TEXTS.values(), ids=FORGED_TEXTS.keys())
def test_a_forged_text_is_refused(forge: Callable[[str], str], text: str, tmp_path: Path) -> None:
    forged = forge(text)
    assert forged != text
    with pytest.raises(SourceError, match=r"model\.txt is not a model that lightgbm can read: "):
        loaded("model.txt", forged, tmp_path)


@pytest.mark.parametrize("sizes", ["1", "0 0 0 0 0 0 0 0 0", "9" * 19])
def test_the_sizes_that_a_text_claims_of_its_trees_are_not_believed(
    sizes: str, text: str, tmp_path: Path
) -> None:
    rows, _ = made()
    expected = loaded("model.txt", text, tmp_path).predict_proba(rows)
    forged = loaded("model.txt", line("tree_sizes", sizes)(text), tmp_path)
    assert (forged.predict_proba(rows) == expected).all()


def test_a_text_with_the_line_ends_of_windows_is_read(text: str, tmp_path: Path) -> None:
    assert loaded("model.txt", text.replace("\n", "\r\n"), tmp_path).n_features_in_ == 3


@pytest.mark.parametrize("how", ["binary", "rf", "dart", "goss", "cross_entropy", "lambdarank"])
def test_a_text_answers_as_its_booster(how: str, tmp_path: Path) -> None:
    lightgbm = pytest.importorskip("lightgbm")
    rows, truth = made()
    options: dict[str, Any] = {"verbose": -1, "bagging_freq": 1, "bagging_fraction": 0.5}
    options |= (
        {"boosting": how, "objective": "regression"}
        if how in ("rf", "dart")
        else {"objective": "binary", "data_sample_strategy": how, "bagging_freq": 0}
        if how == "goss"
        else {"objective": how}
    )
    data = lightgbm.Dataset(
        rows, truth.clip(0, 1), group=[100] * 3 if how == "lambdarank" else None
    )
    given = lightgbm.train(options, data, 10)
    path = tmp_path / "model.txt"
    given.save_model(path)
    rows[::7] = np.nan
    read = load_booster(path).booster_
    assert (read.predict(rows) == given.predict(rows)).all()
    assert read.dump_model() == given.dump_model()


def test_a_text_of_a_single_leaf_is_read(tmp_path: Path) -> None:
    lightgbm = pytest.importorskip("lightgbm")
    rows, _ = made()
    given = lightgbm.train({"verbose": -1}, lightgbm.Dataset(rows, np.full(300, 3.5)), 2)
    given.save_model(tmp_path / "model.txt")
    assert load_booster(tmp_path / "model.txt").predict(rows) == pytest.approx(3.5)


def at(*path: str | int, value: Any) -> Callable[[Any], None]:
    """Another value at a place of a model."""

    def forge(model: Any) -> None:
        for step in path[:-1]:
            model = model[step]
        model[path[-1]] = value

    return forge


TREES = ("learner", "gradient_booster", "model")
TREE = (*TREES, "trees", 0)
ABOUT = ("learner", "learner_model_param")
LISTS = (
    "left_children", "right_children", "parents", "split_indices", "split_conditions",
    "default_left", "base_weights", "loss_changes", "sum_hessian", "split_type",
    "categories_nodes", "categories_segments", "categories_sizes",
)  # fmt: skip
FORGED_MODELS = {
    **{f"few {name}": at(*TREE, name, value=[0]) for name in LISTS},
    **{f"no {name}": at(*TREE, name, value=None) for name in LISTS},
    **{f"words for {name}": at(*TREE, name, 0, value="7") for name in LISTS},
    "many nodes": at(*TREE, "tree_param", "num_nodes", value="2000000000"),
    "deleted nodes": at(*TREE, "tree_param", "num_deleted", value="1"),
    "columns of a tree": at(*TREE, "tree_param", "num_feature", value="2000000000"),
    "several outputs": at(*TREE, "tree_param", "size_leaf_vector", value="3"),
    "a left child beyond": at(*TREE, "left_children", 0, value=90_000_000),
    "a right child beyond": at(*TREE, "right_children", 0, value=90_000_000),
    "a child before": at(*TREE, "left_children", 0, value=-7),
    "one child": at(*TREE, "left_children", 0, value=-1),
    "a circle": at(*TREE, "left_children", 0, value=0),
    "a shared child": at(*TREE, "left_children", 1, value=2),
    "a parent beyond": at(*TREE, "parents", 1, value=90_000_000),
    "another parent": at(*TREE, "parents", 1, value=2),
    "a parent of the root": at(*TREE, "parents", 0, value=1),
    "a column beyond": at(*TREE, "split_indices", 0, value=3),
    "a column before": at(*TREE, "split_indices", 0, value=-1),
    "a broken column": at(*TREE, "split_indices", 0, value=0.5),
    "another kind of split": at(*TREE, "split_type", 0, value=7),
    "a large category": at(*TREE, "categories", 0, value=2_000_000_000),
    "a category before": at(*TREE, "categories", 0, value=-1),
    "a node of categories beyond": at(*TREE, "categories_nodes", 0, value=90_000_000),
    "categories beyond": at(*TREE, "categories_segments", 0, value=90_000_000),
    "more categories": at(*TREE, "categories_sizes", 0, value=90_000_000),
    "no categories": at(*TREE, "categories_sizes", 0, value=0),
    "no trees": at(*TREES, "trees", value=[]),
    "a tree twice": at(*TREES, "trees", 3, "id", value=0),
    "a tree beyond": at(*TREE, "id", value=90_000_000),
    "a tree that is none": at(*TREE, value=3),
    "more trees": at(*TREES, "gbtree_model_param", "num_trees", value="90000000"),
    "no trees at once": at(*TREES, "gbtree_model_param", "num_parallel_tree", value="0"),
    "a target beyond": at(*TREES, "tree_info", 0, value=7),
    "a target before": at(*TREES, "tree_info", 0, value=-1),
    "few targets": at(*TREES, "tree_info", value=[0]),
    "a round beyond": at(*TREES, "iteration_indptr", 1, value=90_000_000),
    "a round that turns back": at(*TREES, "iteration_indptr", 1, value=7),
    "no rounds": at(*TREES, "iteration_indptr", value=[]),
    "late rounds": at(*TREES, "iteration_indptr", 0, value=3),
    "another booster": at("learner", "gradient_booster", "name", value="gbdart"),
    "many columns": at(*ABOUT, "num_feature", value="2000000000"),
    "no columns": at(*ABOUT, "num_feature", value="0"),
    "many classes": at(*ABOUT, "num_class", value="2000000000"),
    "more classes": at(*ABOUT, "num_class", value="4"),
    "no classes": at(*ABOUT, "num_class", value="0"),
    "negative classes": at(*ABOUT, "num_class", value="-3"),
    "several targets of several classes": at(*ABOUT, "num_target", value="2"),
    "starts of others": at(*ABOUT, "base_score", value="[1,2]"),
    "a start of no number": at(*ABOUT, "base_score", value="[a]"),
    "an objective of more classes": at(
        "learner", "objective", "softmax_multiclass_param", "num_class", value="7"
    ),
    "an objective of no classes": at("learner", "objective", "softmax_multiclass_param", value={}),
    "an objective of no name": at("learner", "objective", "name", value=3),
    "a best round beyond": at("learner", "attributes", "best_iteration", value="999"),
    "a best round of no number": at("learner", "attributes", "best_iteration", value="zzz"),
    "an attribute of no word": at("learner", "attributes", "a", value=[]),
    "few names": at("learner", "feature_names", value=["a"]),
    "few types": at("learner", "feature_types", value=["q"]),
    "another version": at("version", value=[3]),
}


@pytest.mark.parametrize("forge", FORGED_MODELS.values(), ids=FORGED_MODELS.keys())
def test_a_forged_model_is_refused(forge: Callable[[Any], None], tmp_path: Path) -> None:
    model = json.loads(bytes(booster().save_raw("json")))
    forge(model)
    with pytest.raises(SourceError, match=r"model\.json is not a model that xgboost can read: "):
        loaded("model.json", json.dumps(model), tmp_path)


CATS = ("learner", "gradient_booster", "model", "cats")
FORGED_CATS = {
    "columns": at(*CATS, "enc", value=[{"type": 15, "values": [1]}]),
    "segments": at(*CATS, "feature_segments", 1, value=90_000_000),
    "order": at(*CATS, "sorted_idx", 0, value=90_000_000),
    "one twice": at(*CATS, "sorted_idx", 0, value=1),
    "ends": at(*CATS, "enc", 1, "offsets", 1, value=90_000_000),
    "ends that turn back": at(*CATS, "enc", 1, "offsets", 1, value=4),
    "a late start": at(*CATS, "enc", 1, "offsets", 0, value=1),
    "letters": at(*CATS, "enc", 1, "values", 0, value=9000),
    "kind": at(*CATS, "enc", 2, "type", value=900),
    "a large number": at(*CATS, "enc", 2, "values", 0, value=1 << 70),
}


@pytest.mark.parametrize("forge", FORGED_CATS.values(), ids=FORGED_CATS.keys())
def test_forged_categories_of_a_data_frame_are_refused(
    forge: Callable[[Any], None], tmp_path: Path
) -> None:
    xgboost = pytest.importorskip("xgboost")
    pandas = pytest.importorskip("pandas")
    rows, truth = made()
    frame = pandas.DataFrame(
        {
            "number": rows[:, 0],
            "word": pandas.Categorical(np.array(["a", "bb", "c"])[truth]),
            "size": pandas.Categorical(rows[:, 2].astype(int)),
        }
    )
    given = xgboost.XGBClassifier(n_estimators=2, enable_categorical=True).fit(frame, truth)
    model = json.loads(bytes(given.get_booster().save_raw("json")))
    assert loaded("model.json", json.dumps(model), tmp_path).n_features_in_ == 3
    forge(model)
    with pytest.raises(SourceError, match=r"model\.json is not a model that xgboost can read: "):
        loaded("model.json", json.dumps(model), tmp_path)


def drop_weights(model: Any) -> None:
    """One weight for all trees, wherever the release keeps them."""
    held = model["learner"]["gradient_booster"]
    place = held if "weight_drop" in held else held["model"]
    place["weight_drop"] = [0.5]


@pytest.mark.parametrize(
    ("kind", "forge"),
    [
        ("gblinear", at("learner", "gradient_booster", "model", "weights", value=[0.5])),
        ("dart", drop_weights),
    ],
)
def test_too_few_weights_are_refused(
    kind: str, forge: Callable[[Any], None], tmp_path: Path
) -> None:
    model = json.loads(bytes(booster(kind).save_raw("json")))
    assert loaded("model.json", json.dumps(model), tmp_path) is not None
    forge(model)
    with pytest.raises(SourceError, match=r"weight\w+: expected \d+ numbers, got 1"):
        loaded("model.json", json.dumps(model), tmp_path)


@pytest.mark.parametrize("suffix", ["json", "ubj"])
@pytest.mark.parametrize("kind", ["gbtree", "dart", "gblinear"])
def test_a_file_is_its_booster(kind: str, suffix: str, tmp_path: Path) -> None:
    given = booster(kind)
    given.save_model(tmp_path / f"model.{suffix}")
    read = load_booster(tmp_path / f"model.{suffix}").get_booster()
    got, expected = (
        json.loads(bytes(model.save_raw("json")))["learner"] for model in (read, given)
    )
    assert got["gradient_booster"] == expected["gradient_booster"]
    assert got["learner_model_param"] == expected["learner_model_param"]


def test_pruned_trees_are_read(tmp_path: Path) -> None:
    xgboost = pytest.importorskip("xgboost")
    rows, truth = made()
    options = {"gamma": 5, "tree_method": "exact"}
    given = xgboost.train(options, xgboost.DMatrix(rows, truth), 3)
    given.save_model(tmp_path / "model.json")
    trees = json.loads((tmp_path / "model.json").read_text())["learner"]["gradient_booster"]
    assert any(int(tree["tree_param"]["num_deleted"]) for tree in trees["model"]["trees"])
    assert (
        load_booster(tmp_path / "model.json").predict(rows) == given.inplace_predict(rows)
    ).all()


def test_ubjson_says_what_json_says() -> None:
    given = booster()
    expected = json.loads(bytes(given.save_raw("json")))
    got = read_ubjson(bytes(given.save_raw("ubj")))
    rounded = at(*TREE, "split_conditions", value=[])
    for model in (got, expected):
        for tree in model["learner"]["gradient_booster"]["model"]["trees"]:
            for name, values in tree.items():
                if values and isinstance(values, list) and isinstance(values[0], float):
                    tree[name] = np.array(values, np.float32).tolist()
        rounded(model)
    assert got == expected


UBJ = [
    b"[" * 100_000,
    b"[$d#L" + (1 << 60).to_bytes(8, "big"),
    b"[$d#L" + b"\xff" * 8,
    b"[#i\xff",
    b"[$Z#L" + (1 << 60).to_bytes(8, "big"),
    b"[#L" + (1 << 60).to_bytes(8, "big"),
    b"{i\x01ai\x01i\x01ai\x01}",
    b"{L" + (1 << 60).to_bytes(8, "big"),
    b"Si\x02\xff\xff",
    b"{}{}",
    b"N",
]


@pytest.mark.parametrize("content", UBJ)
def test_ubjson_that_is_none_is_refused(content: bytes, tmp_path: Path) -> None:
    pytest.importorskip("xgboost")
    with pytest.raises(ValueError, match=r"expected|decode"):
        read_ubjson(content)
    with pytest.raises(SourceError, match="is not a model that xgboost can read"):
        loaded("model.ubj", content, tmp_path)


def test_ubjson_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    whole = bytes(booster().save_raw("ubj"))
    for end in range(0, len(whole), 997):
        with pytest.raises(SourceError, match="is not a model that xgboost can read"):
            loaded("model.ubj", whole[:end], tmp_path)
