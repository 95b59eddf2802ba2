"""What was measured on: the machine, and the tools' releases."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import metadata
from platform import python_version

from edgeship_devices.detect import Machine


def releases(names: Iterable[str]) -> dict[str, str]:
    """Python's release, and those of the distributions that are installed, by name."""
    found = {"python": python_version()}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def in_words(machine: Machine) -> str:
    """A machine's processor, memory and load, for a page."""
    ram = "" if machine.ram_bytes is None else f", {machine.ram_bytes / 1e9:.0f} GB"
    load = ""
    if machine.load_average is not None:
        load = f", {machine.load_average[0]:.1f} tasks running as it began"
    return (
        f"{machine.cpu or 'unknown processor'}, {machine.cores or '?'} cores{ram}, "
        f"{machine.architecture or 'unknown architecture'}{load}"
    )
