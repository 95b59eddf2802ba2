"""The classical cases that are measured, and the page that their figures become."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from classical.cases import CASES, Case, case
from classical.child import measure_case
from classical.forests import MILLION, SMALL
from classical.page import page
from classical.run import measure
from classical.tally import WAYS, Asked, CaseTally, Forest, Loading, Made, Tally, Way
from classical.targets import spread, verdicts
from classical.turns import in_turns
from edgeship_devices.detect import detect


def test_case_names_are_distinct_and_an_unknown_one_is_refused() -> None:
    assert len({given.name for given in CASES}) == len(CASES)
    with pytest.raises(ValueError, match="no case 'knn': it is one of forest, "):
        case("knn")


@pytest.mark.parametrize(
    "given", [case("svm"), case("boosting"), case("columns")], ids=lambda c: c.name
)
def test_rows_are_the_same_every_time_share_none_and_float32_holds_them(given: Case) -> None:
    first, again = given.data(), given.data()
    np.testing.assert_array_equal(first.judging.astype(str), again.judging.astype(str))
    both = [{str(row) for row in part.tolist()} for part in (first.training, first.judging)]
    assert not both[0] & both[1]
    if first.judging.dtype != object:
        assert (first.judging == first.judging.astype(np.float32)).all()


def test_a_case_is_asked_in_every_way_and_all_agree() -> None:
    found = measure_case(case("logistic"), rounds=2)
    assert found.ways.keys() == {"source", "skl2onnx", "edgeship", "runtime", "litert"}
    assert found.failed == {}
    assert {way.disagreements for way in found.ways.values()} == {0}
    assert all(len(way.round_p50_ns) == 2 for way in found.ways.values())
    assert found.ways["edgeship"].bytes == found.ways["runtime"].bytes > 64 * 10 * 4
    assert found.ways["litert"].bytes > 64 * 10 * 4


def test_trees_are_asked_as_compiled_c_too_and_all_agree() -> None:
    found = measure_case(case("boosting"), rounds=1)
    # Where there is no tl2cgen or no gcc, the page says so; nothing else changes.
    assert found.ways.keys() | found.failed.keys() == set(WAYS) - (
        {"tl2cgen, matrix made"} if "tl2cgen" in found.failed else set()
    )
    assert {way.disagreements for way in found.ways.values()} == {0}
    assert len(found.ratios("litert", "edgeship")) == 1


def test_columns_of_text_are_asked_too_and_what_skl2onnx_cannot_convert_is_noted() -> None:
    found = measure_case(case("columns"), rounds=1)
    assert found.ways.keys() == {"source", "edgeship", "runtime", "litert"}
    assert {way.disagreements for way in found.ways.values()} == {0}
    assert found.failed["skl2onnx"].startswith("NotImplementedError: ")
    assert found.ratios("skl2onnx") == []


def test_each_round_asks_every_way_and_another_begins() -> None:
    asked: list[str] = []

    times = in_turns({"a": lambda row: asked.append("a"), "b": lambda row: asked.append("b")}, 2)
    order = [name for place, name in enumerate(asked) if asked[place - 1] != name or place == 0]
    assert order == ["a", "b", "a"]
    assert [len(rounds) for rounds in times.values()] == [2, 2]


def test_a_case_whose_library_is_not_there_is_skipped_with_a_word(tmp_path: Path) -> None:
    given = Case("other", case("svm").build, case("svm").data, needs="no_such_library")
    tally = measure([given], tmp_path, rounds=1)
    assert tally.skipped == {"other": "no_such_library is not installed"}
    assert "| other | all | no_such_library is not installed |" in page(tally)


def way(*round_p50_ns: int, size: int = 1000, wrong: int = 0) -> Way:
    """A way that was asked 100 times in each round, which took so long each."""
    return Way(
        bytes=size,
        calls=100,
        p50_ns=round_p50_ns[0],
        p90_ns=None,
        round_p50_ns=list(round_p50_ns),
        disagreements=wrong,
    )


def tally_of(
    source: int,
    plain: int = 1000,
    *,
    litert: int = 1000,
    wrong: int = 0,
    seconds: float = 1,
    growth: int = 10,
    name: str = MILLION,
) -> Tally:
    """One case, whose ONNX form takes a microsecond and must be 15 times as fast, and a forest."""
    ways = {
        "source": way(source, source, size=10_000),
        "skl2onnx": way(plain, plain),
        "edgeship": way(1000, 1000),
        "litert": way(litert, litert, wrong=wrong),
        "tl2cgen": way(500, 500),
    }
    asked = Asked(edgeship=15, litert=7.5, trees=True, smaller_than={"source": 10})
    given = CaseTally(name="net", asked=asked, rows=100, ways=ways, failed={"runtime": "no | word"})
    loading = Loading(
        form="tflite-float32", load_seconds=1, growth_bytes=growth, p50_ns=1000, rows=9,
        disagreements=wrong,
    )  # fmt: skip
    forest = Forest(
        name=name,
        trees=100,
        nodes=2_000_000,
        pickle_bytes=100,
        made={"tflite-float32": Made(bytes=10, convert_seconds=seconds, convert_peak_bytes=10**9)},
        loaded={"LiteRT by path": loading},
    )
    return Tally(machine=detect(), tools={}, cases=[given], forests=[forest], skipped={})


@pytest.mark.parametrize(
    ("given", "missed"),
    [
        (tally_of(15_000, litert=2000, growth=30), []),
        (tally_of(14_999, 999), ["net: source ÷ edgeship", "net: skl2onnx ÷ edgeship"]),
        (
            tally_of(15_000, litert=2001),
            ["net: source ÷ litert", "net: litert ÷ edgeship", "net: litert ÷ tl2cgen"],
        ),
        (
            tally_of(15_000, wrong=1),
            ["net: labels that differ in litert", f"{MILLION}: labels that differ, LiteRT by path"],
        ),
        (
            tally_of(15_000, seconds=120, growth=31),
            [
                f"{MILLION}: tflite-float32 converted in",
                f"{MILLION}: memory ÷ file, LiteRT by path",
            ],
        ),
        (tally_of(15_000, seconds=120, growth=31, wrong=0, name=SMALL), []),
    ],
)
def test_targets_are_met_at_their_limits_and_a_small_forest_has_none(
    given: Tally, missed: list[str]
) -> None:
    judged = verdicts(given)
    assert [verdict.of for verdict in judged if not verdict.met] == missed
    assert len(judged) == 7 + (0 if given.forests[0].name == SMALL else 4)


def test_only_trees_are_held_to_other_engines_of_trees() -> None:
    ways = {"source": way(10), "edgeship": way(1), "litert": way(9)}
    given = CaseTally(name="net", asked=Asked(), rows=1, ways=ways)
    tally = Tally(machine=detect(), tools={}, cases=[given], forests=[], skipped={})
    assert [(verdict.of, verdict.met) for verdict in verdicts(tally)] == [
        ("net: source ÷ edgeship", True),
        ("net: skl2onnx ÷ edgeship", None),
        ("net: source ÷ litert", True),
    ]


def test_ratios_are_of_the_same_round() -> None:
    ways = {"source": way(10, 40, 90), "edgeship": way(10, 20, 30)}
    given = CaseTally(name="net", asked=Asked(), rows=1, ways=ways)
    assert given.ratios("source") == [1, 2, 3]
    assert spread(given.ratios("source")) == "2.00 (1.50–2.50)"


def test_the_page_states_targets_figures_and_what_was_left_out() -> None:
    text = page(tally_of(14_900, 1100, litert=1500, growth=25))
    assert "| net: source ÷ edgeship | ≥ 15 | 14.9 (14.9–14.9) | **missed** |" in text
    assert "| net: skl2onnx ÷ edgeship | ≥ 1 | 1.10 (1.10–1.10) | met |" in text
    assert "| net: bytes, source ÷ litert | ≥ 10 | 10.0 | met |" in text
    assert f"| {MILLION}: tflite-float32 converted in | < 120 s | 1.0 s | met |" in text
    assert f"| {MILLION}: memory ÷ file, LiteRT by path | ≤ 3 | 2.50 | met |" in text
    assert "| net | 14.9, – | 1.1, – | 1.0, – | – | 1.5, – | 0.5, – | – |" in text
    assert "| net | 10 000 | 1 000 | 1 000 | 1 000 | 0 of 100 | 0 of 100 | 0 of 100 |" in text
    assert f"| {MILLION} | LiteRT by path | tflite-float32 | 1.000 s |" in text
    assert "| net | runtime | no \\| word |" in text


def test_figures_survive_their_file() -> None:
    tally = tally_of(15_000, 1000)
    assert msgspec.json.decode(msgspec.json.encode(tally), type=Tally) == tally
