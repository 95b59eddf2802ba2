"""Variants that hold places in lists of words take and give text all the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from edgeship_runtime.arrays import Array, Arrays
from edgeship_runtime.bundle import Bundle, BundleWriter, Goldens, InputSpec, OutputSpec, TextWords
from edgeship_runtime.errors import EngineError
from edgeship_runtime.model import Model, load
from edgeship_runtime.words import listed_words, places_of, to_places, to_texts
from tests import tiny

CITIES = ("", "Bonn", "Oslo", "São Paulo")


class Echo:
    """An engine that gives its input as its output, and keeps what it was given."""

    name = "echo 1"

    def __init__(self) -> None:
        self.given: list[Array] = []

    def run(self, inputs: Arrays) -> dict[str, Array]:
        self.given.append(inputs["city"])
        return {"again": inputs["city"]}


def written(target: Path, **changes: Any) -> Bundle:
    """The tiny bundle with other facts in its manifest, its variant's words among them."""
    manifest, files = tiny.manifest_and_files()
    words = changes.pop("words", TextWords())
    variant = msgspec.structs.replace(manifest.variants[0], words=words)
    writer = BundleWriter(target)
    for path, data in files.items():
        writer.add(path, data)
    return writer.write(msgspec.structs.replace(manifest, variants=(variant,), **changes))


def echoing(tmp_path: Path, columns: int | None = None) -> Model:
    """A model of one text input, and one text output that is the same."""
    shape = (None,) if columns is None else (None, columns)
    goldens = {"city": "goldens/input-0.npy"}, {"again": "goldens/output-0.npy"}
    bundle = written(
        tmp_path / "tiny",
        inputs=(InputSpec(name="city", dtype="string", shape=shape, missing=True),),
        outputs=(OutputSpec(name="again", dtype="string", shape=shape),),
        classes=None,
        goldens=Goldens(rows=4, inputs=goldens[0], outputs=goldens[1]),
        words=TextWords(inputs={"city": CITIES}, outputs={"again": CITIES}),
    )
    return Model(bundle, bundle.manifest.variants[0], Echo())


def naming(target: Path, name: str, *words: str) -> Bundle:
    """The tiny bundle, one of its outputs said to be places among words."""
    manifest, _ = tiny.manifest_and_files()
    outputs = tuple(
        msgspec.structs.replace(spec, dtype="string" if spec.name == name else spec.dtype)
        for spec in manifest.outputs
    )
    held = TextWords(outputs={name: words} if words else {})
    return written(target, outputs=outputs, words=held)


def test_a_text_is_its_place_among_the_words_and_any_other_is_minus_one() -> None:
    texts = np.array(["Oslo", "oslo", "", "São Paulo", "Oslo ", "Bonn"])
    places = to_places(texts, places_of(CITIES))
    assert places.dtype == np.int32
    assert places.tolist() == [2, -1, 0, 3, -1, 1]


def test_missing_text_is_unknown_where_it_is_no_word() -> None:
    assert to_places(np.array(["", "Bonn"]), places_of(["Bonn"])).tolist() == [-1, 0]


@pytest.mark.parametrize("rows", [1, 1000])
def test_the_engine_is_given_places_and_the_caller_text(rows: int, tmp_path: Path) -> None:
    model = echoing(tmp_path)
    texts = np.resize(np.array(CITIES), rows)
    got = model.predict({"city": texts})["again"]
    assert (got.dtype.kind, got.tolist()) == ("U", texts.tolist())
    (given,) = model.engine.given  # type: ignore[attr-defined]
    assert given.tolist() == np.resize([0, 1, 2, 3], rows).tolist()


def test_a_matrix_of_text_keeps_its_shape(tmp_path: Path) -> None:
    model = echoing(tmp_path, columns=2)
    texts = np.array([["Oslo", "Bonn"], ["Bonn", ""], ["", "São Paulo"]])
    # A transposed array lies otherwise in memory.
    for given in (texts, np.asfortranarray(texts), texts.tolist()):
        assert model.predict({"city": given})["again"].tolist() == texts.tolist()


def test_missing_values_and_no_rows_are_text_too(tmp_path: Path) -> None:
    model = echoing(tmp_path)
    assert model.predict({"city": ["Oslo", None, np.nan]})["again"].tolist() == ["Oslo", "", ""]
    assert model.predict({"city": np.empty(0, np.str_)})["again"].shape == (0,)


def test_what_the_caller_gave_is_left_as_it_was(tmp_path: Path) -> None:
    given = {"city": np.array(["Oslo"])}
    echoing(tmp_path).predict(given)
    assert given["city"].tolist() == ["Oslo"]


def test_a_text_that_the_variant_cannot_give_is_an_engine_error(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="'again': the place -1 came where one of 0 to 3"):
        echoing(tmp_path).predict({"city": ["Rome"]})


def test_places_beyond_the_words_are_an_engine_error(tmp_path: Path) -> None:
    model = load(naming(tmp_path / "tiny", "label", "only one"))
    with pytest.raises(EngineError, match="'label': the place 1 came where one of 0 to 0"):
        model.predict(tiny.ROWS)


def test_an_output_of_reals_is_no_place_among_words(tmp_path: Path) -> None:
    model = load(naming(tmp_path / "tiny", "probabilities", "no", "yes"))
    with pytest.raises(EngineError, match="'probabilities': float32 came where places"):
        model.predict(tiny.ROWS)


def test_numbers_without_words_do_not_become_text(tmp_path: Path) -> None:
    silent = load(naming(tmp_path / "tiny", "label"))
    with pytest.raises(EngineError, match="gives int64 in output 'label', expected string"):
        silent.predict(tiny.ROWS)


def test_one_long_word_does_not_make_room_for_itself_in_each_place() -> None:
    words = ("short", "x" * (1 << 20), *(str(number) for number in range(10_000)))
    texts = to_texts(np.array([0, 2], np.int32), listed_words(words))
    assert texts.dtype.itemsize == 20
