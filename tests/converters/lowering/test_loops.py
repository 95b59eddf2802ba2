"""Graphs inside of an operator."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgeship_converters.steps.lowering.values import NotLoweredError
from tests.converters.lowering.cases import Case, Drawn, near

_POINTS = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)


def _turn(*, carries: bool = False) -> Any:
    """The squared distances of all rows from one point, as skl2onnx has it; or a running sum."""
    rows, point = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (("rows_in", None), ("point", [3]))
    )
    passed = helper.make_node(
        "Add" if carries else "Identity", ["rows_in", "point"][: 1 + carries], ["rows_out"]
    )
    nodes = [
        passed,
        helper.make_node("Sub", ["rows_in", "point"], ["apart"]),
        helper.make_node("ReduceSumSquare", ["apart", "axes"], ["squares"], keepdims=0),
    ]
    ends = [
        helper.make_tensor_value_info("rows_out", TensorProto.FLOAT, None),
        helper.make_tensor_value_info("squares", TensorProto.FLOAT, None),
    ]
    axes = numpy_helper.from_array(np.array([1]), "axes")
    return helper.make_graph(nodes, "turn", [rows, point], ends, [axes])


def _case(*, carries: bool = False, **more: Any) -> Case:
    attributes = {"body": _turn(carries=carries), "num_scan_inputs": 1, **more}
    rows = Drawn(values=near(10.0))
    # In TFLite an output that is an input has no name to tell it by; tests/converters/
    # test_onnx_source.py runs a whole file there.
    return Case("Scan", (rows, _POINTS), attributes, outputs=2, narrow=False, rtol=1e-4)


CASES = (_case(),)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_turns_that_carry_nothing_on_are_taken_at_once(case: Case) -> None:
    case.check()


def test_turns_that_wait_for_each_other_are_refused() -> None:
    with pytest.raises(NotLoweredError, match=r"Scan has no lowering here: a turn needs what the"):
        _case(carries=True).check()
    with pytest.raises(NotLoweredError, match=r"Scan has no lowering here: it has scan_input_dir"):
        _case(scan_input_directions=[1]).check()
