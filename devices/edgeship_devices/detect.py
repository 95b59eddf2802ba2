"""What the machine at hand can be seen to be, read from the files that Linux shows of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from edgeship_devices.profile import profiles
from edgeship_devices.tables import read_table

_ARM = "0x41"
# Raspberry Pi documentation, vcgencmd get_throttled: bits 0 to 3 tell of now (low voltage, clock
# capped, throttled, soft temperature limit), bits 16 to 19 of the time since boot.
_THROTTLED_NOW = 0xF
_GENERIC = {"x86_64": "generic-x86-64", "aarch64": "generic-aarch64"}


class Machine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One machine at one moment; what could not be read is None.

    Attributes:
        profile: name of the profile it matches.
        device_tree_model: what a board calls itself.
        cpu: the processor's name; where a machine has several kinds of core, all of them.
        cores: how many are online.
        ram_bytes: what the kernel manages.
        architecture: as `uname -m` says it.
        governor: what decides the clock of the cores, such as `ondemand` or `performance`.
        load_average: runnable tasks, averaged over 1, 5 and 15 minutes.
        throttled: whether the board holds its clock down now.
        temperature_celsius: of the processor.
    """

    profile: str | None
    device_tree_model: str | None
    cpu: str | None
    cores: int | None
    ram_bytes: int | None
    architecture: str | None
    governor: str | None
    load_average: tuple[float, float, float] | None
    throttled: bool | None
    temperature_celsius: float | None


def detect(root: Path = Path("/")) -> Machine:
    """Describe the machine whose `proc` and `sys` lie below `root`; never fails."""
    cpuinfo = _read(root / "proc/cpuinfo") or ""
    model = _read(root / "proc/device-tree/model")
    architecture = _architecture(root, cpuinfo)
    return Machine(
        profile=_matching_profile(model, architecture),
        device_tree_model=model,
        cpu=_cpu(cpuinfo),
        cores=_cores(root, cpuinfo),
        ram_bytes=_ram_bytes(root),
        architecture=architecture,
        governor=_governor(root),
        load_average=_load_average(root),
        throttled=_throttled(root),
        temperature_celsius=_temperature_celsius(root),
    )


def _matching_profile(model: str | None, architecture: str | None) -> str | None:
    for name, known in profiles().items():
        if model is not None and any(model.startswith(start) for start in known.device_tree_models):
            return name
    return _GENERIC.get(architecture or "")


def _architecture(root: Path, cpuinfo: str) -> str | None:
    # The kernel names it itself from release 6.1 on; a Jetson has an older one.
    stated = _read(root / "proc/sys/kernel/arch")
    if stated is not None:
        return stated
    if "lm" in " ".join(_values(cpuinfo, "flags")).split():
        return "x86_64"
    if "8" in _values(cpuinfo, "CPU architecture"):
        return "aarch64"
    return None


def _cpu(cpuinfo: str) -> str | None:
    # Only x86 gives the name itself; what Arm kernels write there names the instruction set.
    implementers = list(_values(cpuinfo, "CPU implementer"))
    if not implementers:
        names = list(_values(cpuinfo, "model name"))
    else:
        known = read_table("arm_cores.toml")
        parts = _values(cpuinfo, "CPU part")
        names = [
            str(known.get(part, f"Arm part {part}")) if maker == _ARM else f"{maker} part {part}"
            for maker, part in zip(implementers, parts, strict=False)
        ]
    return ", ".join(dict.fromkeys(names)) or None


def _cores(root: Path, cpuinfo: str) -> int | None:
    online = _read(root / "sys/devices/system/cpu/online")
    if online is not None:
        try:
            return sum(_span(part) for part in online.split(","))
        except ValueError:
            pass
    return len(list(_values(cpuinfo, "processor"))) or None


def _span(part: str) -> int:
    first, _, last = part.partition("-")
    return int(last or first) - int(first) + 1


def _ram_bytes(root: Path) -> int | None:
    for value in _values(_read(root / "proc/meminfo") or "", "MemTotal"):
        number = value.split()[0]
        return int(number) * 1024 if number.isdigit() else None
    return None


def _governor(root: Path) -> str | None:
    found = (root / "sys/devices/system/cpu").glob("cpu[0-9]*/cpufreq/scaling_governor")
    governors = sorted({text for path in found if (text := _read(path)) is not None})
    return ", ".join(governors) or None


def _load_average(root: Path) -> tuple[float, float, float] | None:
    try:
        one, five, fifteen, *_ = (_read(root / "proc/loadavg") or "").split()
        return float(one), float(five), float(fifteen)
    except ValueError:
        return None


def _throttled(root: Path) -> bool | None:
    # The folder is soc/soc:firmware, or soc@107c000000/... on a Pi 5.
    for path in sorted((root / "sys/devices/platform").glob("soc*/soc*firmware/get_throttled")):
        text = _read(path)
        if text is not None:
            try:
                return bool(int(text, 16) & _THROTTLED_NOW)
            except ValueError:
                return None
    return None


def _temperature_celsius(root: Path) -> float | None:
    found = []
    for zone in sorted((root / "sys/class/thermal").glob("thermal_zone*")):
        kind = (_read(zone / "type") or "").lower()
        reading = _read(zone / "temp")
        if ("cpu" in kind or kind == "x86_pkg_temp") and reading is not None:
            try:
                found.append(int(reading) / 1000)
            except ValueError:
                continue
    return max(found, default=None)


def _values(text: str, key: str) -> Iterator[str]:
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon and name.strip() == key and value.strip():
            yield value.strip()


def _read(path: Path) -> str | None:
    # Device-tree strings end in NUL; a sensor that sleeps may refuse to be read.
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip("\0 \t\r\n") or None
    except OSError:
        return None
