"""Write constraints.txt: what pip resolves for `.[all]` today, on every Python given.

    python .ci/constraints.py python3.10 python3.11 python3.12 python3.13

Run it from the repository's root, then run the whole test suite on each before committing.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path


def resolve(python: str) -> tuple[str, dict[str, str]]:
    """The Python's minor version, and the release of each distribution that pip would install."""
    script = "import sys; print('{}.{}'.format(*sys.version_info))"
    version = subprocess.run(
        [python, "-c", script], check=True, capture_output=True, text=True
    ).stdout.strip()
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([python, "-m", "venv", folder], check=True)
        report = Path(folder) / "report.json"
        pip = [str(Path(folder) / "bin" / "pip"), "install", "--quiet", "--dry-run"]
        subprocess.run([*pip, "--report", str(report), "--editable", ".[all]"], check=True)
        found = json.loads(report.read_text())["install"]
    releases = {item["metadata"]["name"].lower(): item["metadata"]["version"] for item in found}
    releases.pop("edgeship", None)
    return version, releases


def lines(resolved: dict[str, dict[str, str]]) -> list[str]:
    """One line for each release, with a marker where not every Python takes the same."""
    pythons: dict[tuple[str, str], list[str]] = defaultdict(list)
    for version, releases in resolved.items():
        for name, release in releases.items():
            pythons[name.replace("_", "-"), release].append(version)
    result = []
    for (name, release), versions in sorted(pythons.items()):
        alike = sum(1 for other, _ in pythons if other == name) == 1
        marker = " or ".join(f'python_version == "{version}"' for version in versions)
        result.append(f"{name}=={release}" + ("" if alike else f"; {marker}"))
    return result


if __name__ == "__main__":
    resolved = dict(resolve(python) for python in sys.argv[1:])
    head = f"# What was tested, on Python {', '.join(resolved)}; made by .ci/constraints.py.\n"
    Path("constraints.txt").write_text(head + "\n".join(lines(resolved)) + "\n")
