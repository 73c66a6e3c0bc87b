"""`python -m benchmarks.throughput` races ours and the peers, and writes the result file.

One process, one thread; contestants take turns, and what they cost is processor time. The peers are
those of the extra `bench`.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from benchmarks.learning import machine
from benchmarks.throughput import environments, kernel, others, strings, training
from benchmarks.throughput.workloads import NEWSROOM, WIDE, measured, texts
from lightbulb_agents.checkpoint import write_json
from lightbulb_envs.kernel import kernel_info
from lightbulb_envs.record import versions

RESULTS = Path(__file__).parents[1] / "results" / "throughput.json"
RACES: dict[str, Callable[[int], dict[str, Any]]] = {
    "kernel": kernel.race_kernels,
    "strings": strings.race_strings,
    "environments": environments.race_environments,
    "training": training.race_training,
    "others": others.race_others,
}


def main() -> None:
    """Runs all races, or those that are named, and writes the results of all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.throughput")
    parser.add_argument("--repeats", type=int, default=15, help="turns that each contestant takes")
    parser.add_argument("--only", choices=list(RACES), help="run one kind of race; write nothing")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(kernel_info(), flush=True)
    if arguments.only:
        RACES[arguments.only](arguments.repeats)
        return
    results = {name: run(arguments.repeats) for name, run in RACES.items()}
    workloads = {name: measured(texts(name, kernel.DOCUMENTS)) for name in (*WIDE, NEWSROOM)}
    setting = {"repeats": arguments.repeats, "workloads": workloads, "kernel": str(kernel_info())}
    write_json(RESULTS, {**setting, **results, "machine": machine(), "versions": versions()})


if __name__ == "__main__":
    main()
