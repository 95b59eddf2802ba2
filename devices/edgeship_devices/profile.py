"""Device profiles: the facts about one kind of board, one TOML file each.

A new board is one file in `profiles/`; the source of each figure stands beside it there.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Annotated, Literal

import msgspec

from edgeship_devices.errors import DeviceError
from edgeship_devices.tables import read_table

Architecture = Literal["x86_64", "aarch64"]
Count = Annotated[int, msgspec.Meta(gt=0)]
Figure = Annotated[float, msgspec.Meta(gt=0)]


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known of one kind of board; a figure that is not known is None.

    Cache sizes are what one core can reach: its own, or its share of a cluster's cache whole.

    Attributes:
        name: what commands call it, and the name of its file.
        title: what people call it.
        architecture: as `uname -m` says it.
        device_tree_models: how the device-tree model of such a board begins.
        simd_bits: width of a vector register that all of its cores have.
        extensions: instructions beyond the architecture's first release that engines make use of.
        peak_float32_gflops: all cores at `clock_hz`, derived from the core's vector units.
        memcpy_mb_per_s: 10⁶ bytes copied in a second by one core.
        memset_mb_per_s: 10⁶ bytes written in a second by one core.
        throttle_celsius: where the board begins to lower its clock.
        limit_celsius: where it lowers it as far as it must.
    """

    name: str
    title: str
    architecture: Architecture
    device_tree_models: tuple[str, ...] = ()
    simd_bits: Count
    extensions: tuple[str, ...] = ()
    core: str | None = None
    cores: Count | None = None
    clock_hz: Count | None = None
    l1d_bytes: Count | None = None
    l2_bytes: Count | None = None
    l3_bytes: Count | None = None
    peak_float32_gflops: Figure | None = None
    memcpy_mb_per_s: Figure | None = None
    memset_mb_per_s: Figure | None = None
    throttle_celsius: Figure | None = None
    limit_celsius: Figure | None = None


def profiles() -> dict[str, Profile]:
    """All profiles by name, in alphabetical order.

    >>> "raspberry-pi-4" in profiles()
    True

    Raises:
        DeviceError: where a profile's file is not valid.
    """
    folder = files("edgeship_devices") / "profiles"
    named = sorted(file.name for file in folder.iterdir() if file.name.endswith(".toml"))
    return {name.removesuffix(".toml"): _read(name) for name in named}


def profile(name: str) -> Profile:
    """The profile called `name`.

    Raises:
        DeviceError: where there is none; the message lists those there are.
    """
    known = profiles()
    if name not in known:
        raise DeviceError(f"there is no device {name!r}: choose one of {', '.join(known)}")
    return known[name]


def _read(file_name: str) -> Profile:
    table = read_table(f"profiles/{file_name}")
    try:
        read = msgspec.convert(table, Profile)
    except msgspec.ValidationError as error:
        raise DeviceError(f"the profile {file_name} is not valid: {error}") from error
    if f"{read.name}.toml" != file_name:
        raise DeviceError(f"the profile {file_name} is named {read.name!r}: expected its file name")
    return read
