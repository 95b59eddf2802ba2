"""The one error of this layer, on the tree of `edgeship_runtime.errors`."""

from __future__ import annotations

from edgeship_runtime.errors import EdgeshipError


class BenchError(EdgeshipError):
    """A measurement that makes no sense, or a report that cannot be read or written."""
