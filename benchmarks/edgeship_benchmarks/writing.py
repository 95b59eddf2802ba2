"""Writing a report: whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from edgeship_benchmarks.errors import BenchError
from edgeship_benchmarks.page import markdown
from edgeship_benchmarks.report import Report, encode
from edgeship_runtime.durable import sync_folder, write_synced

JSON = "report.json"
PAGE = "report.md"


def write(report: Report, folder: str | os.PathLike[str]) -> tuple[Path, Path]:
    """Write `report.json` and `report.md` to a folder, which is made if it is not there.

    Both are on the disk before the first of them replaces an older one.

    Returns:
        The two paths, in that order.

    Raises:
        BenchError: where the folder or the files cannot be written; nothing half-written stays.
    """
    where = Path(folder)
    files = {JSON: encode(report), PAGE: markdown(report).encode()}
    try:
        where.mkdir(parents=True, exist_ok=True)
        for name in files:
            if (where / name).is_dir():
                raise BenchError(f"{where / name} is a folder: choose another folder")
        work = Path(tempfile.mkdtemp(prefix=".edgeship-", dir=where))
        try:
            for name, data in files.items():
                write_synced(work / name, data)
            for name in files:
                (work / name).replace(where / name)
        finally:
            shutil.rmtree(work, ignore_errors=True)
        sync_folder(where)
    except OSError as error:
        raise BenchError(
            f"cannot write the report to {where} ({error.strerror or error}): choose another folder"
        ) from error
    return where / JSON, where / PAGE
