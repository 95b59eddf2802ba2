"""The releases of the tools that take part: for the manifest, and for what may be cached."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterable
from functools import cache
from importlib import metadata
from pathlib import Path
from platform import python_version

import edgeship_runtime
from edgeship_converters.plan import STEPS, Step

# What the tools stand on, and what opens models before a step sees them.
_BESIDES = (
    *("flatbuffers", "h5py", "lightgbm", "numpy", "protobuf", "scipy", "tf-keras", "xgboost"),
    "xgboost-cpu",
)


def tools_of(steps: Iterable[Step], opened_by: Iterable[str] = ()) -> dict[str, str]:
    """The release of every distribution that took part, numpy, Python and edgeship included."""
    took_part = {"edgeship", "numpy", *opened_by, *(tool for step in steps for tool in step.tools)}
    return {"python": python_version(), **releases(took_part)}


def releases(distributions: Iterable[str]) -> dict[str, str]:
    """The release of each distribution, by its name, sorted."""
    return {name: _release(name) for name in sorted(distributions)}


@cache
def making_depends_on() -> tuple[object, ...]:
    """All that decides what a step makes, besides what it is given.

    Every tool of every step: one that another step uses may take part in this one too, as
    onnxruntime's histograms do in TFLite's calibration.
    """
    tools = {tool for step in STEPS for tool in step.tools}
    return releases({*tools, *_BESIDES}), machine(), own_code()


@cache
def own_code() -> str:
    """The SHA-256 of our own source: an edited step makes what it made before stale."""
    sha = hashlib.sha256()
    for package in (Path(__file__).parent, Path(edgeship_runtime.__file__).parent):
        for path in sorted(package.rglob("*")):
            if path.suffix in (".py", ".toml", ".json"):
                sha.update(path.relative_to(package).as_posix().encode() + b"\0")
                sha.update(path.read_bytes())
    return sha.hexdigest()


def machine() -> tuple[str, ...]:
    """What else decides how numbers round: the processor's kind, Python and numpy."""
    return (platform.machine(), platform.processor(), python_version(), _release("numpy"))


@cache
def _release(distribution: str) -> str:
    for name in (distribution, f"{distribution}-cpu"):
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return "unknown"
