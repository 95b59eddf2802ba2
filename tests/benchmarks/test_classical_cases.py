"""The classical cases that are measured, and the page that their figures become."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from classical import million
from classical.cases import CASES, Case, case
from classical.child import in_turns, measure_case
from classical.page import page
from classical.run import measure
from classical.tally import MILLION_NODES, WAYS, CaseTally, Million, Tally, Way, spread, verdicts
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
    assert found.ways.keys() == set(WAYS)
    assert found.failed == {}
    assert {way.disagreements for way in found.ways.values()} == {0}
    assert all(len(way.round_p50_ns) == 2 for way in found.ways.values())
    assert found.ways["edgeship"].bytes == found.ways["runtime"].bytes > 64 * 10 * 4


def test_columns_of_text_are_asked_too_and_what_skl2onnx_cannot_convert_is_noted() -> None:
    found = measure_case(case("columns"), rounds=1)
    assert found.ways.keys() == {"source", "edgeship", "runtime"}
    assert found.ways["edgeship"].disagreements == 0
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
    tally = measure([given], tmp_path, rounds=1, million=False)
    assert tally.skipped == {"other": "no_such_library is not installed"}
    assert "| other | all | no_such_library is not installed |" in page(tally)


def test_a_forest_is_fitted_converted_and_asked(tmp_path: Path) -> None:
    fitted = million.fit(tmp_path, trees=3, rows=200)
    converted = million.convert(tmp_path)
    loaded = million.load(tmp_path)
    assert fitted.nodes > 3 * 20
    assert converted.onnx_bytes > 0
    assert (loaded.rows, loaded.disagreements) == (1000, 0)
    assert min(converted.convert_peak_bytes, loaded.load_peak_bytes) > 0


def way(*round_p50_ns: int) -> Way:
    """A way that was asked 100 times in each round, which took so long each."""
    return Way(
        bytes=1000, calls=100, p50_ns=round_p50_ns[0], p90_ns=None, round_p50_ns=list(round_p50_ns)
    )


def tally_of(source: int, plain: int, nodes: int = MILLION_NODES, seconds: float = 1) -> Tally:
    """One case, whose form takes a microsecond and must be 15 times as fast, and a forest."""
    ways = {
        "source": way(source, source),
        "skl2onnx": way(plain, plain),
        "edgeship": way(1000, 1000),
    }
    forest = Million(
        trees=100,
        nodes=nodes,
        pickle_bytes=10**8,
        onnx_bytes=10**7,
        convert_seconds=seconds,
        convert_peak_bytes=10**9,
        load_seconds=1,
        load_peak_bytes=10**9,
        p50_ns=1000,
        rows=100,
        disagreements=0,
    )
    given = CaseTally(name="net", asked=15, rows=100, ways=ways, failed={"runtime": "no | word"})
    return Tally(machine=detect(), tools={}, cases=[given], million=forest, skipped={})


@pytest.mark.parametrize(
    ("given", "met"),
    [
        (tally_of(15_000, 1000), [True, True, True, True]),
        (tally_of(14_999, 999, seconds=120), [False, False, False, True]),
        (tally_of(15_000, 1000, nodes=MILLION_NODES - 1), [True, True]),
    ],
)
def test_targets_are_met_at_their_limits_and_a_small_forest_has_none(
    given: Tally, met: list[bool]
) -> None:
    assert [verdict.met for verdict in verdicts(given)] == met


def test_ratios_are_of_the_same_round() -> None:
    ways = {"source": way(10, 40, 90), "edgeship": way(10, 20, 30)}
    given = CaseTally(name="net", asked=1, rows=1, ways=ways)
    assert given.ratios("source") == [1, 2, 3]
    assert spread(given.ratios("source")) == "2.00 (1.50–2.50)"


def test_the_page_states_targets_figures_and_what_was_left_out() -> None:
    text = page(tally_of(14_900, 1100))
    assert "| net: source ÷ edgeship | ≥ 15 | 14.9 (14.9–14.9) | **missed** |" in text
    assert "| net: skl2onnx ÷ edgeship | ≥ 1 | 1.10 (1.10–1.10) | met |" in text
    assert "| million nodes: converted in | < 120 s | 1.0 s | met |" in text
    assert "| net | 14.9, – | 1.1, – | 1.0, – | – |" in text
    assert "| net | 1 000 | 1 000 | 1 000 | 0 of 100 | 0 of 100 |" in text
    assert "| net | runtime | no \\| word |" in text


def test_figures_survive_their_file() -> None:
    tally = tally_of(15_000, 1000)
    assert msgspec.json.decode(msgspec.json.encode(tally), type=Tally) == tally
