"""Every estimator of scikit-learn converts with parity, or the table says why it does not."""

from __future__ import annotations

from pathlib import Path

import pytest
import sklearn
from sklearn.utils import all_estimators

from tests.converters.estimators import CASES
from tests.converters.estimators.case import Case
from tests.converters.estimators.outcome import Outcome, outcome
from tests.converters.estimators.page import errors, page, stopped
from tests.converters.estimators.reasons import NOT_CONVERTED, REFUSED
from tests.converters.lowered import FORMS

DOCS = Path(__file__).parents[2] / "docs" / "estimators.md"
PAGE = DOCS.read_text(encoding="utf-8")
# Of another release the page says nothing.
STOPPED = stopped(PAGE)
SHOWN = errors(PAGE) if f"scikit-learn {sklearn.__version__}," in PAGE else {}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_an_estimator_converts_with_parity_or_is_refused(case: Case) -> None:
    found = outcome(case)
    reason = REFUSED.get(case.id)
    assert found.status == ("converted" if reason is None else "refused"), found.reason
    assert (reason or "") in found.reason
    if SHOWN:
        # Other processors sum in other orders.
        assert found.error <= 4 * SHOWN[case.estimator] + 1e-6, "worse than the page says"


FIRST = {case.estimator: case for case in reversed(CASES) if case.id not in REFUSED}
# A bounded share: of half of the estimators.
SHARE = list(FIRST.values())[::2]
OTHERS = [case for case in CASES if case not in SHARE and case.id not in REFUSED]


# How the lowering and TFLite's converter refuse; whatever else stops them is a fault.
TOLD = ("has no lowering", "which TFLite does not have", "which TFLite cannot hold")


def _check_lowered(case: Case) -> None:
    forms = outcome(case, lower=True).lowered
    assert set(forms) == set(FORMS)
    for variant, form in forms.items():
        # Of another release the page does not tell which cases stop, but those are few.
        first = case is FIRST[case.estimator] and variant == "savedmodel-float32"
        _check_form((case.id, variant), form, needed=bool(SHOWN) or first)


def _check_form(which: tuple[str, str], form: Outcome, *, needed: bool) -> None:
    told = f"{which[1]}: {form.reason}"
    assert form.status != "refused" or any(words in form.reason for words in TOLD), told
    if which in STOPPED:
        assert form.status != "refused", told
    elif needed:
        assert form.status == "converted", told


@pytest.mark.parametrize(
    "words", ["'Parts' object has no attribute 'dtype'", "Traceback (most recent", "loc(fused[..."]
)
def test_a_fault_of_the_lowering_is_no_refusal_on_any_release(words: str) -> None:
    form = Outcome("refused", reason=f"model cannot become TFLite: {words}: leave it out")
    with pytest.raises(AssertionError, match="tflite-float32"):
        _check_form(("Ridge", "tflite-float32"), form, needed=False)


def test_a_case_that_the_gate_stops_is_not_refused_instead() -> None:
    form = Outcome("refused", reason="the operator Einsum has no lowering here: it takes three")
    _check_form(("Ridge", "tflite-float32"), form, needed=False)
    for which in STOPPED:
        with pytest.raises(AssertionError):
            _check_form(which, form, needed=False)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", SHARE, ids=[case.id for case in SHARE])
def test_every_other_estimators_first_case_becomes_savedmodel_and_tflite(case: Case) -> None:
    _check_lowered(case)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", OTHERS, ids=[case.id for case in OTHERS])
def test_all_other_cases_become_savedmodel_and_tflite(case: Case) -> None:
    _check_lowered(case)


def test_every_estimator_has_a_case_or_a_reason_for_none() -> None:
    offered = {name for name, _ in all_estimators()}
    tried = {case.estimator for case in CASES}
    missing = offered - tried - set(NOT_CONVERTED)
    assert not missing, f"write cases for {missing}, or say why there are none"
    assert not tried & set(NOT_CONVERTED)


def test_cases_have_names_of_their_own() -> None:
    names = [case.id for case in CASES]
    assert len(set(names)) == len(names)
    assert set(REFUSED) <= set(names)


def test_the_page_lists_what_the_table_holds() -> None:
    if not SHOWN:
        pytest.skip(f"the page is not of scikit-learn {sklearn.__version__}")
    for name in {case.estimator for case in CASES} | set(NOT_CONVERTED):
        assert f"| {name} |" in PAGE, "run python -m tests.converters.estimators"
    refused = [line for line in page({}).splitlines() if line.startswith("| ")]
    assert all(line in PAGE for line in refused), "run python -m tests.converters.estimators"
