"""Classical models → ONNX: one table from estimator to converter, and what converters are made of.

A converter is a function `(model, rows, graph) -> Answers`. It adds ONNX nodes to the graph that
compute, from `rows`, everything that the fitted model answers; what no output needs in the end is
dropped. A new estimator is one function in the file of its family, one line in `estimators.py`
and one line in the estimator matrix of the tests.

What a converter is written with, here and in docs/own-converters.md:
"""

from edgeship_converters.steps.classical.answers import Answers
from edgeship_converters.steps.classical.graph import Graph
from edgeship_converters.steps.classical.rows import Block, Rows

__all__ = ["Answers", "Block", "Graph", "Rows"]
