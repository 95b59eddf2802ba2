"""Features whose products approximate a kernel: random waves, sketches, and chi-squared's own."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeship_converters.steps.classical.answers import Answers
from edgeship_converters.steps.classical.graph import Graph
from edgeship_converters.steps.classical.linear import linear
from edgeship_converters.steps.classical.rows import Rows, joined

# In onnxruntime a cosine of float64 is none; a sine a quarter further on is the same.
_QUARTER = np.pi / 2


def fourier(model: Any, rows: Rows, graph: Graph) -> Answers:
    """RBFSampler: cosines of random projections (Rahimi and Recht, 2007)."""
    return _waves(rows.matrix(graph), model, graph)


def skewed(model: Any, rows: Rows, graph: Graph) -> Answers:
    """SkewedChi2Sampler: the same of logarithms (Li, Ionescu and Sminchisescu, 2010)."""
    return _waves(graph.Log(graph.Add(rows.matrix(graph), float(model.skewedness))), model, graph)


def additive(model: Any, rows: Rows, graph: Graph) -> Answers:
    """AdditiveChi2Sampler: roots, and waves of logarithms (Vedaldi and Zisserman, 2012)."""
    steps, width = int(model.sample_steps), rows.width
    # The article's own choices, its figure 2c.
    given = model.sample_interval
    interval = {1: 0.8, 2: 0.5, 3: 0.4}[steps] if given is None else float(given)
    values = rows.matrix(graph)
    parts = [graph.Sqrt(graph.Mul(values, interval))]
    # Of 0 the root is 0, whatever its wave is.
    waved = graph.Log(graph.Where(graph.Equal(values, 0.0), 1.0, values))
    for step in range(1, steps):
        root = graph.Sqrt(graph.Mul(values, 2 * interval / np.cosh(np.pi * step * interval)))
        angle = graph.Mul(waved, step * interval)
        parts.append(graph.Mul(root, graph.Sin(graph.Add(angle, _QUARTER))))
        parts.append(graph.Mul(root, graph.Sin(angle)))
    return Answers(transformed=Rows.of(joined(parts, graph), len(parts) * width, graph))


def tensor_sketch(model: Any, rows: Rows, graph: Graph) -> Answers:
    """PolynomialCountSketch: count sketches, convolved in a circle (Pham and Pagh, 2013).

    There the convolution is a product of discrete Fourier transforms. Counting and transforming
    are both linear, so they are one matrix here, and the way back is another.
    """
    places, signs = np.asarray(model.indexHash_), np.asarray(model.bitHash_)
    degree, columns = places.shape
    count = int(model.n_components)
    values = rows.matrix(graph)
    scales = np.full(columns, np.sqrt(float(model.gamma)))
    if model.coef0 != 0:
        scales[-1] = np.sqrt(float(model.coef0))
        values = graph.Pad(values, [0, 0, 0, 1], 1.0)
    angles = 2 * np.pi / count * np.outer(np.arange(count), np.arange(count // 2 + 1))
    waves = np.exp(-1j * angles)
    spectra = [
        graph.MatMul(values, _both((signs[k] * scales)[:, None] * waves[places[k]]))
        for k in range(degree)
    ]
    width = waves.shape[1]
    real, imaginary = _halves(spectra[0], width, graph)
    for spectrum in spectra[1:]:
        more, turned = _halves(spectrum, width, graph)
        real, imaginary = (
            graph.Sub(graph.Mul(real, more), graph.Mul(imaginary, turned)),
            graph.Add(graph.Mul(real, turned), graph.Mul(imaginary, more)),
        )
    # Of real numbers the second half of the spectrum mirrors the first one.
    doubled = np.full(width, 2.0)
    doubled[0] = 1.0
    if count % 2 == 0:
        doubled[-1] = 1.0
    back = np.concatenate([np.cos(angles), -np.sin(angles)], axis=1).T / count
    back *= np.tile(doubled, 2)[:, None]
    sketch = graph.MatMul(graph.Concat(real, imaginary, axis=1), back)
    return Answers(transformed=Rows.of(sketch, count, graph))


def _waves(values: str, model: Any, graph: Graph) -> Answers:
    weights = np.asarray(model.random_weights_, np.float64)
    angles = linear(values, weights, np.asarray(model.random_offset_) + _QUARTER, graph)
    count = weights.shape[1]
    waves = graph.Mul(graph.Sin(angles), float(np.sqrt(2.0 / count)))
    return Answers(transformed=Rows.of(waves, count, graph))


def _both(spectrum: Any) -> Any:
    """Real and imaginary parts side by side."""
    return np.concatenate([spectrum.real, spectrum.imag], axis=1)


def _halves(spectrum: str, width: int, graph: Graph) -> tuple[str, str]:
    first = graph.Slice(spectrum, [0], [width], [1])
    return first, graph.Slice(spectrum, [width], [2 * width], [1])
