"""scikit-learn → ONNX, by our own converters or skl2onnx; the contract's names, no ZipMap."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from onnx import GraphProto, helper, numpy_helper
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from skl2onnx.common.exceptions import MissingConverter, MissingShapeCalculator

from edgeship_converters.artifact import Artifact, Task
from edgeship_converters.errors import StepError, in_a_line
from edgeship_converters.sources.sklearn_model import SklearnSource
from edgeship_converters.steps.canonical_onnx import canonical_bytes
from edgeship_converters.steps.exact_trees import with_exact_thresholds
from edgeship_converters.steps.forest_to_onnx import FORESTS, forest_to_onnx
from edgeship_runtime.bundle import OutputSpec

# As for Keras models; the classical operators are those of ai.onnx.ml up to version 3.
OPSETS = {"": 15, "ai.onnx.ml": 3}


def sklearn_to_onnx(source: SklearnSource, task: Task) -> Artifact:
    """Convert, and give the outputs the contract's names.

    Raises:
        StepError: where skl2onnx has no converter for the model or a step of it.
    """
    width = task.contract.inputs[0].shape[1]
    scores = any(spec.role == "probabilities" for spec in task.contract.outputs)
    estimator = with_exact_thresholds(source.estimator)
    if type(estimator) in FORESTS:
        return Artifact.of_file(canonical_bytes(forest_to_onnx(estimator, task.name, OPSETS)))
    try:
        model = convert_sklearn(
            estimator,
            name=task.name,
            initial_types=[("x", FloatTensorType([None, width]))],
            options={id(estimator): {"zipmap": False}} if scores else None,
            target_opset=OPSETS,
        )
    except (MissingConverter, MissingShapeCalculator) as error:
        line = in_a_line(error)
        raise StepError(f"{task.name} cannot become ONNX: {line}", needed=True) from error
    except Exception as error:
        # A converter that meets a model that it does not foresee raises anything.
        line = in_a_line(error)
        raise StepError(
            f"{task.name} cannot become ONNX: {type(error).__name__}: {line}", needed=True
        ) from error
    _fit_outputs(model.graph, task.contract.outputs)
    return Artifact.of_file(canonical_bytes(model))


def _fit_outputs(graph: GraphProto, specs: Sequence[OutputSpec]) -> None:
    """Keep as many outputs as the contract has, by its names and shapes; skl2onnx fixes the order.

    skl2onnx gives one prediction a row as a column, scikit-learn as a number.
    """
    kept = list(graph.output)[: len(specs)]
    del graph.output[:]
    for old, spec in zip(kept, specs, strict=True):
        column = spec.role == "value" and len(spec.shape) == 1
        raw = f"{spec.name}_column" if column else spec.name
        for node in graph.node:
            node.input[:] = [raw if name == old.name else name for name in node.input]
            node.output[:] = [raw if name == old.name else name for name in node.output]
        if column:
            # Not Squeeze: its form hangs on the opset, which skl2onnx lowers as it likes.
            flat = numpy_helper.from_array(np.array([-1], np.int64), f"{spec.name}_shape")
            graph.initializer.append(flat)
            graph.node.append(helper.make_node("Reshape", [raw, flat.name], [spec.name]))
        shape = [None, *spec.shape[1:]]
        kind = old.type.tensor_type.elem_type
        graph.output.append(helper.make_tensor_value_info(spec.name, kind, shape))
