"""Which function lowers which ONNX operator: the one table."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from edgeship_converters.steps.lowering import arithmetic, encoders, reductions, tensors, trees
from edgeship_converters.steps.lowering.arithmetic import compared, of_many, of_one, of_two
from edgeship_converters.steps.lowering.reductions import along_axes, arg_extreme

ML = "ai.onnx.ml"

OPERATORS: dict[tuple[str, str], Callable[..., Any]] = {
    # Moving values about.
    ("", "Cast"): tensors.casts,
    ("", "Concat"): tensors.concat,
    ("", "Constant"): tensors.constant,
    ("", "ConstantOfShape"): tensors.constant_of_shape,
    ("", "Expand"): tensors.expand,
    ("", "Flatten"): tensors.flatten,
    ("", "Gather"): tensors.gather,
    ("", "GatherElements"): tensors.gather_elements,
    ("", "Identity"): tensors.identity,
    ("", "OneHot"): tensors.one_hot,
    ("", "Pad"): tensors.pad,
    ("", "Range"): tensors.ranges,
    ("", "Reshape"): tensors.reshape,
    ("", "ScatterElements"): tensors.scatter_elements,
    ("", "Shape"): tensors.shape,
    ("", "Slice"): tensors.slices,
    ("", "Split"): tensors.split,
    ("", "Squeeze"): tensors.squeeze,
    ("", "Tile"): tensors.tile,
    ("", "Transpose"): tensors.transpose,
    ("", "Unsqueeze"): tensors.unsqueeze,
    ("", "Where"): tensors.where,
    # Each entry by itself.
    ("", "Abs"): of_one(tf.abs),
    ("", "Add"): of_two(operator.add),
    ("", "And"): of_two(tf.logical_and),
    ("", "Ceil"): of_one(tf.math.ceil),
    ("", "Clip"): arithmetic.clip,
    ("", "Cos"): of_one(tf.cos),
    ("", "Div"): arithmetic.divided,
    ("", "Elu"): arithmetic.elu,
    ("", "Equal"): of_two(tf.equal),
    ("", "Exp"): of_one(tf.exp),
    ("", "Floor"): of_one(tf.floor),
    ("", "Greater"): compared(tf.greater, up=False),
    ("", "GreaterOrEqual"): compared(tf.greater_equal, up=True),
    ("", "IsInf"): arithmetic.is_inf,
    ("", "IsNaN"): arithmetic.is_nan,
    ("", "LeakyRelu"): arithmetic.leaky_relu,
    ("", "Less"): compared(tf.less, up=True),
    ("", "LessOrEqual"): compared(tf.less_equal, up=False),
    ("", "Log"): of_one(tf.math.log),
    ("", "Max"): of_many(tf.maximum),
    ("", "Mean"): arithmetic.mean,
    ("", "Min"): of_many(tf.minimum),
    ("", "Mod"): arithmetic.modulo,
    ("", "Mul"): of_two(operator.mul),
    ("", "Neg"): of_one(operator.neg),
    ("", "Not"): of_one(tf.logical_not),
    ("", "Or"): of_two(tf.logical_or),
    ("", "Pow"): arithmetic.power,
    ("", "Reciprocal"): of_one(lambda x: 1 / x),
    ("", "Relu"): of_one(tf.nn.relu),
    ("", "Sigmoid"): of_one(tf.sigmoid),
    ("", "Sign"): arithmetic.sign,
    ("", "Sin"): of_one(tf.sin),
    ("", "Softplus"): arithmetic.softplus,
    ("", "Sqrt"): of_one(tf.sqrt),
    ("", "Sub"): arithmetic.subtracted,
    ("", "Sum"): of_many(operator.add),
    ("", "Tanh"): of_one(tf.tanh),
    ("", "Xor"): of_two(tf.not_equal),
    # Products of matrices.
    ("", "Gemm"): arithmetic.gemm,
    ("", "MatMul"): arithmetic.matmul,
    # Many entries to one.
    ("", "ArgMax"): arg_extreme(tf.argmax, tf.reduce_max),
    ("", "ArgMin"): arg_extreme(tf.argmin, tf.reduce_min),
    ("", "CumSum"): reductions.cumulative,
    ("", "LogSoftmax"): reductions.log_softmax,
    ("", "ReduceL1"): along_axes(reductions.sum_of_magnitudes),
    ("", "ReduceL2"): along_axes(reductions.length),
    ("", "ReduceLogSum"): along_axes(reductions.log_sum),
    ("", "ReduceLogSumExp"): along_axes(reductions.log_sum_exp),
    ("", "ReduceMax"): along_axes(tf.reduce_max),
    ("", "ReduceMean"): along_axes(tf.reduce_mean),
    ("", "ReduceMin"): along_axes(tf.reduce_min),
    ("", "ReduceProd"): along_axes(tf.reduce_prod),
    ("", "ReduceSum"): along_axes(tf.reduce_sum),
    ("", "ReduceSumSquare"): along_axes(reductions.sum_of_squares),
    ("", "Softmax"): reductions.softmax,
    ("", "TopK"): reductions.top_k,
    # Models.
    (ML, "LabelEncoder"): encoders.label_encoder,
    (ML, "TreeEnsembleClassifier"): trees.classifier,
    (ML, "TreeEnsembleRegressor"): trees.regressor,
}
