"""Whether every part of the language expert does its job, over three seeds.

    python -m benchmarks.backbones [--only TASK ...] [--logs FOLDER] [--jobs 1]

runs what `TASKS` lists, one process a task and seed, each of which leaves a file in
`benchmarks/results/backbones` and is not repeated if that is there: the command can be stopped and
started at will.
"""

import argparse
import importlib
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch

from benchmarks.backbones.report import SEEDS, TASKS, intervals_of, results_of
from benchmarks.learning import machine, run_logged
from lightbulb_backbones.runs.checkpoint import write_json


def run_task(task: str, seed: int, steps: int | None = None) -> dict[str, Any]:
    """Returns what a task measures with a seed, on one thread, and how long it took."""
    torch.set_num_threads(1)
    start = time.process_time()
    run = importlib.import_module(f"benchmarks.backbones.{task}").run
    measured = run(seed) if steps is None else run(seed, steps)
    seconds = round(time.process_time() - start)
    return {"measured": measured, "processor_seconds": seconds, "machine": machine()}


def _run_apart(task: str, seed: int, logs: Path) -> dict[str, Any]:
    """Returns what a process of its own measures, or measured before."""
    path = results_of(task, seed)
    if not path.is_file():
        print(f"{task}, seed {seed}", flush=True)
        command = [sys.executable, "-m", "benchmarks.backbones", "--apart", task, str(seed)]
        run_logged(command, logs / f"{task}-{seed}.log")
    told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return told


def main() -> None:
    """Runs the tasks, and prints what they measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.backbones")
    parser.add_argument("--only", nargs="*", choices=TASKS)
    parser.add_argument("--logs", type=Path, default=Path("runs/backbones"))
    parser.add_argument("--jobs", type=int, default=1, help="tasks at the same time (1)")
    parser.add_argument("--apart", nargs=2, metavar=("TASK", "SEED"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.apart:
        task, seed = given.apart[0], int(given.apart[1])
        told = run_task(task, seed)
        results_of(task, seed).parent.mkdir(parents=True, exist_ok=True)
        write_json(results_of(task, seed), told)
        return
    chosen = given.only or TASKS
    with ThreadPoolExecutor(given.jobs) as pool:
        started = [
            pool.submit(_run_apart, task, seed, given.logs) for task in chosen for seed in SEEDS
        ]
    for future in started:
        future.result()
    for task in chosen:
        for name, one in intervals_of(task).items():
            print(f"{task}: {name}: {one['mean']:.3f} ({one['low']:.3f} to {one['high']:.3f})")


if __name__ == "__main__":
    main()
