"""The whole way of two models, each command printed as a user would type it: `make demo`."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
OUT = HERE / "out"
EDGESHIP = str(Path(sys.executable).parent / "edgeship")
# name: (source, data for converting, test data, options of convert)
MODELS = {
    "digits": ("digits.keras", "digits-train.npz", "digits-test.npz", []),
    "cancer": (
        "cancer.skops",
        "cancer-train.csv",
        "cancer-test.csv",
        ["--label-column", "diagnosis"],
    ),
}


def main() -> None:
    """Train both models, run every command on both, and say where everything lies."""
    began = time.monotonic()
    OUT.mkdir(exist_ok=True)
    for name in MODELS:
        run(sys.executable, str(HERE / f"train_{name}.py"), str(OUT), show="python")
    for name, (source, train, test, options) in MODELS.items():
        bundle = path(f"{name}.edgeship")
        print(f"\n===== {name} =====", flush=True)
        edgeship(
            *("convert", path(source), "-o", bundle, "--data", path(train)),
            *("--eval-data", path(test), *options),
        )
        edgeship("inspect", bundle)
        edgeship("verify", bundle)
        edgeship("bench", bundle, "--data", path(test), "-o", path(f"{name}-bench"))
        edgeship("predict", bundle, "--data", path(test), "-o", path(f"{name}-predictions.csv"))
        edgeship("drift", bundle, "--data", path(test))
    print("\n===== digits, in half the light =====", flush=True)
    edgeship("drift", path("digits.edgeship"), "--data", path("digits-dim.npz"))
    print("\n===== the daemon =====", flush=True)
    ask_daemon(path("cancer.edgeship"))
    print("\n===== all variants, side by side =====")
    for name in MODELS:
        report = (OUT / f"{name}-bench" / "report.md").read_text()
        print(f"\n{name}\n")
        print("\n".join(line for line in report.splitlines() if line.startswith("|")))
    print("\nmade:")
    for made in sorted(OUT.iterdir()):
        print(f"  {relative(made)}")
    print(f"done in {time.monotonic() - began:.0f} s")


def edgeship(*arguments: str) -> None:
    """Run an `edgeship` command."""
    run(EDGESHIP, *arguments, show="edgeship")


def run(program: str, *arguments: str, show: str) -> None:
    """Print a command, run it, and stop the demo if it fails."""
    print(f"\n$ {shlex.join([show, *(relative(Path(a)) for a in arguments)])}", flush=True)
    subprocess.run([program, *arguments], check=True, env={**os.environ, "CI": "1"})


def ask_daemon(bundle: str) -> None:
    """Start the daemon on a free port, ask it for one prediction over HTTP, and stop it."""
    print(f"\n$ edgeship serve {relative(Path(bundle))} --port 0 &", flush=True)
    daemon = subprocess.Popen(
        [EDGESHIP, "serve", bundle, "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    assert daemon.stdout is not None
    try:
        ready = daemon.stdout.readline().strip()
        print(ready)
        url = ready.rsplit(" ", 1)[-1] + "/v2/models/cancer/infer"
        row = (OUT / "cancer-test.csv").read_text().splitlines()[1].split(",")[:-1]
        tensor = {"name": "x", "shape": [1, len(row)], "datatype": "FP32"}
        body = json.dumps({"inputs": [{**tensor, "data": [float(cell) for cell in row]}]})
        print(f"\n$ curl -s {url} -d '{body[:90]}…'", flush=True)
        request = urllib.request.Request(
            url, body.encode(), {"Content-Type": "application/json"}, method="POST"
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            print(response.read().decode())
    finally:
        daemon.terminate()
        code = daemon.wait(timeout=30)
    print(f"\n$ kill %1   # the daemon left with {code}", flush=True)
    if code != 0:
        sys.exit(f"the daemon left with {code}, expected 0")


def path(name: str) -> str:
    """A file below the demo's output folder."""
    return str(OUT / name)


def relative(file: Path) -> str:
    """A path as a user would type it from the repository's root."""
    root = HERE.parent
    return str(file.relative_to(root)) if file.is_relative_to(root) else str(file)


if __name__ == "__main__":
    main()
