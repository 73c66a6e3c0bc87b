"""The memory of a training run as a picture, drawn from results."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

PICTURE = Path(__file__).parents[2] / "docs" / "benchmarks" / "memory.png"


def draw_training(training: Mapping[str, Any], path: Path = PICTURE) -> Path:
    """Draws resident memory against time; returns the file."""
    samples = training["samples"]
    figure = Figure(figsize=(6.4, 3.4), layout="constrained")
    axes = figure.subplots()
    axes.plot(
        [seconds / 60 for seconds, _ in samples],
        [megabytes for _, megabytes in samples],
        linewidth=1.4,
    )
    settled = samples[len(samples) // 4][0] / 60
    axes.axvline(settled, color="grey", linewidth=0.8, linestyle=":")
    axes.annotate(
        f"{training['start']:,.0f} MB here, {training['end']:,.0f} MB at the end: "
        f"{training['growth_an_hour']:+.1f} MB an hour",
        (settled, 0),
        xytext=(6, 8),
        textcoords="offset points",
        fontsize=8,
    )
    axes.set_ylim(bottom=0)
    axes.set_xlim(left=0)
    axes.set_title("Training on NewsSummariser-v0", fontsize=10)
    axes.set_xlabel("minutes")
    axes.set_ylabel("resident memory, MB")
    axes.grid(alpha=0.3)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100)
    return path
