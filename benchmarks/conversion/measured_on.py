"""What was measured on: the machine, and the tools' releases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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


def told(machine: Machine, rounds: Iterable[int], tools: Mapping[str, str]) -> str:
    """The line of a page that says what it was measured on, how often, and with what."""
    counts = " or ".join(map(str, sorted(set(rounds)))) or "none"
    named = ", ".join(f"{name} {release}" for name, release in tools.items())
    return f"Machine: {in_words(machine)}. Rounds: {counts}. With {named}."


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
