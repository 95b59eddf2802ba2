"""What can go wrong on the way from a source model to a bundle; see `edgeship_runtime.errors`."""

from __future__ import annotations

from edgeship_runtime.errors import EdgeshipError


class SourceError(EdgeshipError):
    """A source model that is missing, of another kind, unsafe to open, or not covered."""


class PlanError(EdgeshipError):
    """Variants asked for that cannot be made of this source, or not without data."""


class StepError(EdgeshipError):
    """A conversion step whose tool failed on this model."""

    exit_code = 1


class ParityError(EdgeshipError):
    """Variants that do not agree with the source model."""

    exit_code = 1
