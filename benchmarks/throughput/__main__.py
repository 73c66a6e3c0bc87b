"""`python -m benchmarks.throughput` races ours and the peers, and writes the result file.

One process, one thread; contestants take turns, and what they cost is processor time. The peers are
those of the extra `bench`; a race that is run with `--only` needs its own peers alone.
"""

import argparse
from importlib import import_module
from pathlib import Path
from typing import Any

import torch

from benchmarks.learning import machine
from benchmarks.throughput.workloads import DOCUMENTS, NEWSROOM, WIDE, measured, texts
from lightbulb_backbones.runs.checkpoint import write_json
from lightbulb_envs.kernel import kernel_info
from lightbulb_envs.record import versions

RESULTS = Path(__file__).parents[1] / "results" / "throughput.json"
RACES = {
    "kernel": "kernel:race_kernels",
    "strings": "strings:race_strings",
    "environments": "environments:race_environments",
    "words": "words:race_words",
    "training": "training:race_training",
    "others": "others:race_others",
}


def main() -> None:
    """Runs all races, or those that are named, and writes the results of all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.throughput")
    parser.add_argument("--repeats", type=int, default=15, help="turns that each contestant takes")
    parser.add_argument("--only", nargs="+", choices=list(RACES), help="run these kinds of races")
    parser.add_argument(
        "--results",
        type=Path,
        help=f"where to write ({RESULTS.name} beside the others; with --only, nowhere)",
    )
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(kernel_info(), flush=True)
    results = {name: _run(name, arguments.repeats) for name in arguments.only or RACES}
    path = arguments.results or (None if arguments.only else RESULTS)
    if path is None:
        return
    workloads = {name: measured(texts(name, DOCUMENTS)) for name in (*WIDE, NEWSROOM)}
    setting = {"repeats": arguments.repeats, "workloads": workloads, "kernel": str(kernel_info())}
    write_json(path, {**setting, **results, "machine": machine(), "versions": versions()})


def _run(name: str, repeats: int) -> dict[str, Any]:
    module, _, race = RACES[name].partition(":")
    told: dict[str, Any] = getattr(import_module(f"benchmarks.throughput.{module}"), race)(repeats)
    return told


if __name__ == "__main__":
    main()
