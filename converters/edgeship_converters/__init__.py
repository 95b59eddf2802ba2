"""Converters: a trained model in, a bundle of proven variants out; for workstations only."""

from edgeship_converters.convert import convert

__all__ = ["convert"]
