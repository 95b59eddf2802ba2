"""That each operator of the table is tested alone."""

from __future__ import annotations

from edgeship_converters.steps.lowering.operators import OPERATORS
from tests.converters.lowering import (
    test_encoders,
    test_entrywise,
    test_linear_models,
    test_loops,
    test_matrices,
    test_moving,
    test_reductions,
    test_scaling,
    test_trees,
)

_MODULES = (
    test_encoders,
    test_entrywise,
    test_linear_models,
    test_loops,
    test_matrices,
    test_moving,
    test_reductions,
    test_scaling,
    test_trees,
)


def test_each_operator_of_the_table_is_tested_alone() -> None:
    tested = {(case.domain, case.kind) for module in _MODULES for case in module.CASES}
    assert tested == set(OPERATORS)
