"""The one error of this layer, which imports none of the others."""

from __future__ import annotations


class DeviceError(Exception):
    """A device that is not known, or a profile that is not valid; `str()` of it is one line."""
