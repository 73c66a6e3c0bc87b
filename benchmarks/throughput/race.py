"""Contestants that take turns, and what a unit of each one's work costs."""

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

Contestant = Callable[[], int]
"""Does a share of its work; returns how many units that was."""


def race(
    contestants: Mapping[str, Contestant], repeats: int, seconds: float = 0.2
) -> dict[str, dict[str, float]]:
    """Returns the microseconds of processor time that a unit costs each contestant.

    All run once to warm up. Then they take turns, `repeats` times, each for `seconds` or longer.
    """
    for run in contestants.values():
        run()
    costs: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(repeats):
        for name, run in contestants.items():
            gc.collect()
            units, start = 0, time.process_time()
            while True:
                units += run()
                passed = time.process_time() - start
                if passed >= seconds:
                    break
            costs[name].append(passed / units * 1e6)
    return {name: spread(values) for name, values in costs.items()}


def spread(values: list[float]) -> dict[str, float]:
    """Returns median, least and most, to four digits."""
    return {
        "median": digits(statistics.median(values)),
        "least": digits(min(values)),
        "most": digits(max(values)),
    }


def ratios(costs: Mapping[str, Mapping[str, float]], ours: str) -> dict[str, float]:
    """Returns how many times the cost of `ours` every other contestant's is, by medians."""
    own = costs[ours]["median"]
    return {name: digits(cost["median"] / own) for name, cost in costs.items() if name != ours}


def digits(value: float) -> float:
    """Returns a number to four digits."""
    return float(f"{value:.4g}")


def told(title: str, costs: Mapping[str, Mapping[str, float]], ours: str) -> dict[str, Any]:
    """Prints a race and returns it as a result."""
    times = ratios(costs, ours)
    listed = ", ".join(f"{name} {times[name]:g}x" for name in times)
    print(f"{title}: {costs[ours]['median']:g} us; {listed}", flush=True)
    return {"microseconds": dict(costs), "times": times}
