"""What runs on the board: bundles, engines, predictions, drift sketches and the daemon."""

from edgeship_runtime.bundle import Bundle
from edgeship_runtime.model import Model, load

__all__ = ["Bundle", "Model", "load"]
