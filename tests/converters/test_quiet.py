"""The tools' chatter stays out of the terminal, and is kept where it explains a failure."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from edgeship_converters.errors import SourceError
from edgeship_runtime.quiet import quiet


def test_nothing_shows_and_no_file_stays_after_success() -> None:
    script = (
        "import os, sys; from edgeship_runtime.quiet import quiet\n"
        "with quiet():\n"
        "    print('python'); os.write(1, b'native'); os.write(2, b'native')\n"
        "print('after')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr, done.returncode) == ("after\n", "", 0)


def test_a_failure_names_the_log_that_holds_the_chatter() -> None:
    with pytest.raises(SourceError) as caught, quiet():
        os.write(2, b"the tool's own words")
        raise SourceError("it failed") from ValueError("the tool's error")
    found = re.search(r"it failed \(log: (.+)\)", str(caught.value))
    assert found is not None
    log = Path(found[1])
    assert log.read_text() == "the tool's own words"
    log.unlink()


def test_a_failure_that_no_tool_caused_names_no_log() -> None:
    with pytest.raises(SourceError, match=r"^it says all$"), quiet():
        os.write(2, b"chatter")
        raise SourceError("it says all")


def test_a_failure_without_chatter_names_no_log() -> None:
    with pytest.raises(SourceError, match=r"^it failed$"), quiet():
        raise SourceError("it failed")
