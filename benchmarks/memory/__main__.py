"""`python -m benchmarks.memory` measures, in processes of their own, what is held in memory.

    python -m benchmarks.memory [--only pool] [--minutes 60] [--every 10]

"pool" is a batch of 1,024 environments over 10,000 documents; "training" is a long run. Megabytes
are resident memory, 10^6 bytes each.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.learning import machine
from benchmarks.memory.picture import draw_training
from benchmarks.memory.training import watch_training
from lightbulb_backbones.runs.checkpoint import write_json
from lightbulb_envs.kernel import kernel_info
from lightbulb_envs.record import versions

RESULTS = Path(__file__).parents[1] / "results" / "memory.json"
PARTS = ("pool", "training")


def measure_pool() -> dict[str, Any]:
    """Returns the memory of a batch in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.memory.pool"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def measure_training(minutes: float, every: float) -> dict[str, Any]:
    """Returns the memory of a training run of so many minutes."""
    with tempfile.TemporaryDirectory() as folder:
        return watch_training(minutes * 60, every, Path(folder) / "run")


def main() -> None:
    """Measures both parts, or the one that is named, and writes the results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory")
    parser.add_argument("--only", choices=PARTS, help="measure this part anew, keep the other")
    parser.add_argument("--minutes", type=float, default=60.0, help="how long to train (60)")
    parser.add_argument("--every", type=float, default=10.0, help="seconds between samples (10)")
    parser.add_argument("--plot", action="store_true", help="draw the committed results again")
    arguments = parser.parse_args()
    known: dict[str, Any] = {}
    if (arguments.only or arguments.plot) and RESULTS.is_file():
        known = json.loads(RESULTS.read_text(encoding="utf-8"))
    if not arguments.plot:
        known |= _measure(arguments)
        in_order = {name: known[name] for name in PARTS if name in known}
        write_json(RESULTS, {**in_order, "machine": machine()})
    if "training" in known:
        print(draw_training(known["training"]))


def _measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Returns what was asked for, with the versions that it was measured with."""
    info = {"kernel": str(kernel_info()), "versions": versions() | {"torch": version("torch")}}
    measured = {}
    if arguments.only != "training":
        measured["pool"] = {**measure_pool(), **info}
        print("pool", measured["pool"]["megabytes"], "added:", measured["pool"]["added"])
    if arguments.only != "pool":
        training = measure_training(arguments.minutes, arguments.every)
        measured["training"] = {**training, **info}
        told = {name: training[name] for name in ("start", "end", "most", "growth_an_hour")}
        print("training", told)
    return measured


if __name__ == "__main__":
    main()
