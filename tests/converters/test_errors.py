"""What a user is told of a variant that fails, and of one that was left out for it."""

from __future__ import annotations

from edgeship_converters.errors import Fault, StepError


def test_a_fault_ends_with_what_to_do() -> None:
    assert str(Fault("too far off")) == "too far off: leave it out with --variants"
    assert str(Fault("too far off", ("give --data",))) == (
        "too far off: give --data, or leave it out with --variants"
    )


def test_nobody_is_told_to_leave_out_what_was_left_out() -> None:
    assert Fault("too far off").of_left_out == "too far off"
    assert Fault("too far off", ("give --data",)).of_left_out == "too far off: give --data"


def test_nobody_is_told_to_leave_out_what_all_else_is_made_of() -> None:
    error = StepError("cannot become a SavedModel", needed=True)
    assert str(error) == "cannot become a SavedModel"
    error = StepError("cannot become a SavedModel", "fix it", "use another", needed=True)
    assert str(error) == "cannot become a SavedModel: fix it, or use another"


def test_several_ways_are_a_list_with_one_or() -> None:
    said = str(Fault("loses 3%", ("give more rows", "raise --max-drop")))
    assert said == "loses 3%: give more rows, raise --max-drop, or leave it out with --variants"
