"""Costs against sizes: races of one contestant at many sizes, and the curves that come of them."""

from collections.abc import Mapping

from benchmarks.throughput.race import Contestant, race

TURN = 0.2
"""Seconds of processor time that a contestant's turn takes at least."""
Curves = dict[str, list[dict[str, float]]]
"""Name of a curve → its points: the size as `at`, and `median`, `least` and `most` there."""


def race_sizes(
    contestants: Mapping[str, Mapping[int, Contestant]], repeats: int, seconds: float = TURN
) -> Curves:
    """Returns a curve a name: the microseconds that a unit costs at every size.

    All names at all sizes take turns, so that a busy minute of the machine bends no curve.
    """
    everyone = {
        f"{name}; {size}": run for name, runs in contestants.items() for size, run in runs.items()
    }
    costs = race(everyone, repeats, seconds)
    return {
        name: [point(size, costs[f"{name}; {size}"]) for size in runs]
        for name, runs in contestants.items()
    }


def point(size: int, spread: Mapping[str, float]) -> dict[str, float]:
    """Returns one point of a curve."""
    return {"at": size, **spread}
