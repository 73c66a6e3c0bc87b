"""`python -m benchmarks.scaling` measures how costs grow, and writes the results and pictures.

Costs are processor time, one process, one thread; what is told of processes is by the clock.
"""

import argparse
import json
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.learning import machine
from benchmarks.scaling import backbones, environments, kernel, processes
from benchmarks.scaling.pictures import draw_all
from benchmarks.scaling.series import Curves
from lightbulb_backbones.runs.checkpoint import write_json
from lightbulb_envs.kernel import kernel_info
from lightbulb_envs.record import versions

RESULTS = Path(__file__).parents[1] / "results" / "scaling.json"
MEASURES: dict[str, Callable[[int], Curves]] = {
    "environments": environments.by_count,
    "sentences": environments.by_sentences,
    "words": kernel.by_words,
    "reference": kernel.by_reference,
    "processes": processes.by_processes,
    "scan": backbones.by_length_of_scan,
    "decoding": backbones.by_place,
    "attention": backbones.by_length_of_attention,
    "memory": backbones.by_length_in_memory,
    "acting": backbones.by_article,
}


def main() -> None:
    """Measures all axes, or those that are named, and draws what there are results of."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling")
    parser.add_argument("--repeats", type=int, default=15, help="turns that each size takes")
    parser.add_argument("--only", nargs="*", choices=list(MEASURES), help="measure these anew")
    parser.add_argument("--plot", action="store_true", help="draw the committed results again")
    arguments = parser.parse_args()
    known: dict[str, Any] = {}
    if (arguments.only or arguments.plot) and RESULTS.is_file():
        known = json.loads(RESULTS.read_text(encoding="utf-8"))
    if not arguments.plot:
        for name in arguments.only or MEASURES:
            known[name] = measure(name, arguments.repeats)
            in_order = {one: known[one] for one in MEASURES if one in known}
            write_json(RESULTS, in_order)
    for path in draw_all(known):
        print(path)


def measure(name: str, repeats: int) -> dict[str, Any]:
    """Measures and prints one axis; returns its results."""
    curves = MEASURES[name](repeats)
    for curve, points in curves.items():
        told = ", ".join(f"{point['at']:g}: {point['median']:g}" for point in points)
        print(f"{name}; {curve}: {told}", flush=True)
    return {
        "repeats": repeats,
        "curves": curves,
        "machine": machine(),
        "kernel": str(kernel_info()),
        "versions": versions() | {"torch": version("torch")},
    }


if __name__ == "__main__":
    main()
