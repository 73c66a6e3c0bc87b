"""Whether every part of the language expert does its job, over three seeds.

    python -m benchmarks.backbones [--only TASK ...] [--runs FOLDER] [--jobs 1]

runs what `TASKS` lists, one process a task and seed, and writes
`benchmarks/results/backbones.json`. What is finished is not repeated, so the command can be stopped
and started at will.
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

from benchmarks.learning import machine, run_logged
from lightbulb_backbones.runs.checkpoint import write_json
from lightbulb_envs.score import seeds_interval

RESULTS = Path(__file__).parent.parent / "results" / "backbones.json"
TASKS = ("selective_copying", "recall", "retrieval", "preferences", "routing", "search")
"""Modules of this folder; each has `run(seed)`, which returns numbers by name."""
SEEDS = (0, 1, 2)


def run_task(task: str, seed: int, steps: int | None = None) -> dict[str, Any]:
    """Returns what a task measures with a seed, on one thread, and how long it took."""
    torch.set_num_threads(1)
    start = time.process_time()
    run = importlib.import_module(f"benchmarks.backbones.{task}").run
    measured = run(seed) if steps is None else run(seed, steps)
    return {"measured": measured, "processor_seconds": round(time.process_time() - start)}


def summarise(told: list[dict[str, Any]]) -> dict[str, Any]:
    """Returns every number of a task by seed, and its mean with an interval over seeds."""
    found = {}
    for name in told[0]["measured"]:
        values = [one["measured"][name] for one in told]
        interval = seeds_interval(values)
        found[name] = {
            "values": values,
            "mean": interval.mean,
            "low": interval.low,
            "high": interval.high,
        }
    return {"measured": found, "processor_seconds": [one["processor_seconds"] for one in told]}


def _run_apart(task: str, seed: int, folder: Path) -> dict[str, Any]:
    """Returns what a process of its own measures, or measured before."""
    path = folder / f"{task}-{seed}.json"
    if not path.is_file():
        print(f"{task}, seed {seed}", flush=True)
        command = [sys.executable, "-m", "benchmarks.backbones", "--apart", task, str(seed)]
        run_logged([*command, "--runs", str(folder)], path.with_suffix(".log"))
    told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return told


def main() -> None:
    """Runs the tasks and writes what they measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.backbones")
    parser.add_argument("--only", nargs="*", choices=TASKS)
    parser.add_argument("--runs", type=Path, default=Path("runs/backbones"))
    parser.add_argument("--jobs", type=int, default=1, help="tasks at the same time (1)")
    parser.add_argument("--apart", nargs=2, metavar=("TASK", "SEED"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    given.runs.mkdir(parents=True, exist_ok=True)
    if given.apart:
        task, seed = given.apart
        write_json(given.runs / f"{task}-{seed}.json", run_task(task, int(seed)))
        return
    chosen = given.only or TASKS
    with ThreadPoolExecutor(given.jobs) as pool:
        started = {
            task: [pool.submit(_run_apart, task, seed, given.runs) for seed in SEEDS]
            for task in chosen
        }
    known = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    for task, futures in started.items():
        known[task] = summarise([future.result() for future in futures])
    write_json(RESULTS, {**known, "seeds": list(SEEDS), "machine": machine()})
    for task in chosen:
        for name, one in known[task]["measured"].items():
            print(f"{task}: {name}: {one['mean']:.3f} ({one['low']:.3f} to {one['high']:.3f})")


if __name__ == "__main__":
    main()
