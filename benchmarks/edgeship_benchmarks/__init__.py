"""How large, how fast and how good each variant of a bundle is on this machine."""

from edgeship_benchmarks.measure import bench
from edgeship_benchmarks.report import Report, decode, encode
from edgeship_benchmarks.table import cells
from edgeship_benchmarks.writing import write

__all__ = ["Report", "bench", "cells", "decode", "encode", "write"]
