"""Reading the TOML files that lie in this package."""

from __future__ import annotations

import sys
from importlib.resources import files
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def read_table(path: str) -> dict[str, Any]:
    """The content of one TOML file, by its path within the package."""
    return tomllib.loads((files("edgeship_devices") / path).read_text(encoding="utf-8"))
