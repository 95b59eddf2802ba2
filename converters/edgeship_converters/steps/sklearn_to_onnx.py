"""scikit-learn → ONNX, with the contract's inputs and outputs; no ZipMap, nothing sparse."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, ValueInfoProto, helper
from sklearn.base import is_classifier

from edgeship_converters.artifact import Artifact, Task
from edgeship_converters.boundary import beside_boundary, boundary_evidence
from edgeship_converters.drawn_rows import drawn
from edgeship_converters.errors import SourceError, StepError
from edgeship_converters.parity import Judge
from edgeship_converters.sources.sklearn_model import SklearnSource
from edgeship_converters.steps.canonical_onnx import canonical_bytes
from edgeship_converters.steps.classical.answers import Answers
from edgeship_converters.steps.classical.dispatch import Dispatch
from edgeship_converters.steps.classical.estimators import ESTIMATORS
from edgeship_converters.steps.classical.graph import Graph
from edgeship_converters.steps.classical.rows import Block, Kind, Rows, joined
from edgeship_runtime import labels
from edgeship_runtime.arrays import Array, numpy_dtype
from edgeship_runtime.bundle import InputSpec, OutputSpec
from edgeship_runtime.engines.onnx_runtime import OnnxRuntime
from edgeship_runtime.errors import EngineError

_PROBED = 1000
# The operator of few bytes; the names of the older ones go on.
_TREES = "TreeEnsemble"
# A file of fewer bytes is better one that older runtimes read too.
_SMALL = 64 << 10
# By more than this the source's best score leads where it is no rounding that flips a label.
_SURE = 1e-3


def sklearn_to_onnx(source: SklearnSource, task: Task) -> Artifact:
    """Convert in float32 or, where that does not decide as the source does, in float64.

    Rows beside the boundary tell it from a form that only rounds: where float32 flips a label that
    the source is sure of, as behind a tree's threshold, it is not a last bit of a sum.

    Raises:
        StepError: where there is no converter for the model or a step of it.
    """
    single = Artifact.of_file(canonical_bytes(classical_model(source, task)))
    # Rows that the form is not judged on later.
    given = task.calibration or drawn(task.contract)
    probe = {name: array[:_PROBED] for name, array in given.items()}
    try:
        expected = source.predict(probe)
    except SourceError:
        # What is wrong with the rows is for the proof to say.
        return single
    judge = Judge(task.contract, probe, expected, None, "held-out")
    if _agrees(single, judge, source):
        return single
    double = Artifact.of_file(canonical_bytes(classical_model(source, task, precise=True)))
    return double if _agrees(double, judge) else single


def _agrees(artifact: Artifact, judge: Judge, source: SklearnSource | None = None) -> bool:
    """Whether a form answers as the source does, which is asked about more rows where it is given.

    What is wrong with a form that does not run, the proof says.
    """
    try:
        engine = OnnxRuntime(artifact.data)
        fault = judge.verdict(engine.run(judge.inputs), "float32")
        return fault is None and not (source and _sure_flips(engine, source, judge))
    except EngineError:
        return True


def _sure_flips(engine: OnnxRuntime, source: SklearnSource, judge: Judge) -> bool:
    """Whether a form flips a label beside the boundary where the source's scores lie apart.

    Only probabilities tell: a decision that counts votes leaps with each of them.
    """
    contract = judge.contract
    if labels.score_output(contract) is None:
        return False
    beside = beside_boundary(contract, source.predict, judge.inputs, judge.expected)
    if not beside:
        return False
    found = boundary_evidence(contract, source.predict(beside), engine.run(beside))
    return bool(found and found.widest_gap is not None and found.widest_gap > _SURE)


def classical_model(source: SklearnSource, task: Task, *, precise: bool = False) -> ModelProto:
    """The ONNX model of a source; with all reals between input and output float64 if `precise`.

    Large trees are in the operator that takes few bytes, where all of them can be.
    """
    model = _model(source, task, Graph(compact=True), precise=precise)
    trees = {n.op_type for n in model.graph.node if n.op_type.startswith(_TREES)}
    if _TREES not in trees or (trees == {_TREES} and model.ByteSize() >= _SMALL):
        return model
    return _model(source, task, Graph(), precise=precise)


def _model(source: SklearnSource, task: Task, graph: Graph, *, precise: bool) -> ModelProto:
    specs = task.contract.inputs
    graph.missing = any(spec.missing for spec in specs)
    graph.own = frozenset(source.converters)
    rows = Rows(
        tuple(_block(spec, graph) for spec in specs),
        specs[0].feature_names if len(specs) == 1 else tuple(spec.name for spec in specs),
    )
    dispatch = Dispatch({**ESTIMATORS, **source.converters}, graph, precise=precise)
    answers = dispatch.answer(source.estimator, rows)
    unused = sorted(graph.own - dispatch.met)
    if unused:
        raise StepError(
            f"no step of the model is a {unused[0]}, which a converter was given for",
            f"name one of {', '.join(sorted(dispatch.met))}",
            needed=True,
        )
    outputs = {}
    for spec in task.contract.outputs:
        try:
            value = _output(spec, answers, source.estimator, graph)
        except ValueError as error:
            name = type(source.estimator).__name__
            raise StepError(f"a {name} cannot become ONNX: {error}", needed=True) from error
        outputs[spec.name] = (value, _element(spec), spec.shape)
    return graph.model(task.name, [_input(spec) for spec in specs], outputs)


def _input(spec: InputSpec) -> ValueInfoProto:
    return helper.make_tensor_value_info(spec.name, _element(spec), spec.shape)


def _block(spec: InputSpec, graph: Graph) -> Block:
    value = spec.name
    if len(spec.shape) == 1:
        value = graph.Unsqueeze(value, [1])
    width = spec.shape[1] or 0 if len(spec.shape) == 2 else 1
    kind: Kind = spec.dtype  # type: ignore[assignment]
    return Block(value, width, kind)


def _element(spec: InputSpec | OutputSpec) -> int:
    if spec.dtype == "string":
        return TensorProto.STRING
    return helper.np_dtype_to_tensor_dtype(numpy_dtype(spec.dtype))


def _output(spec: OutputSpec, answers: Answers, estimator: Any, graph: Graph) -> str:
    """The value that is an output of the contract.

    Raises:
        ValueError: where the converter does not give it.
    """
    match spec.name:
        case "label":
            return _labels(spec, answers, estimator, graph)
        case "probabilities" if answers.several:
            return graph.Concat(*answers.several, axis=1)
        case "transformed":
            return _joined(spec, answers, graph)
    value = getattr(answers, spec.name)
    if value is None:
        raise ValueError(f"the converter gives no {spec.name}")
    return str(value)


def _labels(spec: OutputSpec, answers: Answers, estimator: Any, graph: Graph) -> str:
    if answers.index is None:
        raise ValueError("the converter gives no label")
    if not is_classifier(estimator):
        return graph.Gather(np.array([-1, 1]), answers.index, axis=0)
    classes = estimator.classes_
    if len(spec.shape) == 1:
        return _named(np.asarray(classes), answers.index, spec, graph)
    if not isinstance(classes, list):
        # An indicator for each label, 0 or 1.
        return answers.index
    columns = [
        _named(np.asarray(names), graph.Gather(answers.index, [place], axis=1), spec, graph)
        for place, names in enumerate(classes)
    ]
    return graph.Concat(*columns, axis=1)


def _named(classes: Array, index: str, spec: OutputSpec, graph: Graph) -> str:
    if spec.dtype == "float64":
        return graph.Gather(graph.exactly(classes.astype(np.float64)), index, axis=0)
    if classes.dtype.kind in "iu" and np.array_equal(classes, np.arange(len(classes))):
        return index
    return graph.Gather(classes, index, axis=0)


def _joined(spec: OutputSpec, answers: Answers, graph: Graph) -> str:
    rows = answers.transformed
    if rows is None:
        raise ValueError("the converter gives nothing transformed")
    kinds = {block.kind for block in rows.blocks}
    if kinds == {spec.dtype}:
        return joined([block.value for block in rows.blocks], graph)
    matrix = rows.matrix(graph)
    return matrix if spec.dtype == "float32" else graph.cast(matrix, numpy_dtype(spec.dtype))
