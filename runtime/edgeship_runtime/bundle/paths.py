"""Which paths a bundle may hold: plain, relative, and the same file on every filesystem."""

from __future__ import annotations

import re

from edgeship_runtime.errors import BundleError

_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_MAX_LENGTH = 512


def check_path(path: str) -> str:
    """Return `path` if a bundle may hold a file of that name.

    Parts are ASCII letters, digits, `.`, `_` and `-`, joined by `/`; none begins with a dot, so
    neither `..` nor a hidden file nor a drive letter can be written.

    Raises:
        BundleError: for any other path.
    """
    parts = path.split("/")
    if len(path) > _MAX_LENGTH or not all(_PART.fullmatch(part) for part in parts):
        raise BundleError(
            f"the bundle names the path {path[:80]!r}: expected relative parts of ASCII letters, "
            "digits, '.', '_' and '-'; do not use this bundle"
        )
    return path


def check_distinct(paths: list[str]) -> None:
    """Refuse paths that no folder could hold together, on a case-insensitive filesystem as well.

    Raises:
        BundleError: naming the first that is there twice, or that is a file and a folder at once.
    """
    seen: set[str] = set()
    for path in paths:
        folded = path.casefold()
        if folded in seen:
            raise BundleError(f"the bundle holds {path!r} twice: do not use this bundle")
        seen.add(folded)
    for path in paths:
        parts = path.casefold().split("/")
        for depth in range(1, len(parts)):
            if "/".join(parts[:depth]) in seen:
                raise BundleError(
                    f"the bundle holds {path!r} inside of what is a file: do not use this bundle"
                )
