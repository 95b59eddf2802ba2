"""Every error that edgeship raises on purpose, in one tree.

Each message says what was expected, what came instead and what to do about it. The command line
prints it as one line and leaves with `exit_code`: 2 where the call cannot be carried out as it
stands, 1 where a check was made and failed.

    EdgeshipError
    ├── BundleError             a bundle that cannot be trusted, or cannot be written
    ├── DataError               a data file, or arrays, that cannot be used
    │   └── InputError          an array that does not fit the model's contract
    ├── EngineError             an engine that cannot run a variant
    │   └── EngineMissingError  the engine's package is not installed
    ├── SelfTestError           a board that does not reproduce the goldens
    ├── SketchError             sketches or baselines that do not belong together
    └── ServeError              the daemon cannot start
"""

from __future__ import annotations


class EdgeshipError(Exception):
    """Base of all errors meant for people; `str()` of it is one line."""

    exit_code = 2


class BundleError(EdgeshipError):
    """A bundle that is damaged, hostile, of another schema, or cannot be written where asked."""

    exit_code = 1


class DataError(EdgeshipError):
    """A data file, or the arrays in it, that cannot be used."""


class InputError(DataError):
    """An input that does not fit the contract by name, dtype, shape or value."""


class EngineError(EdgeshipError):
    """An engine that refuses, or fails on, a variant."""


class EngineMissingError(EngineError):
    """The package that a variant's engine needs is not installed."""


class SelfTestError(EdgeshipError):
    """This machine's engine computes something else than the source model did."""

    exit_code = 1


class SketchError(EdgeshipError):
    """A sketch, or data, that does not belong to the baseline at hand."""


class ServeError(EdgeshipError):
    """The daemon cannot listen where it was asked to."""
