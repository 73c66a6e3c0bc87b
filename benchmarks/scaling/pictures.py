"""The curves as pictures, a PNG an axis, drawn from results."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

PICTURES = Path(__file__).parents[2] / "docs" / "benchmarks"
NEAR = 1.2
"""Sizes nearer than this ratio would have labels on top of one another."""
_COST = "µs of processor time a step"
_A_TOKEN, _A_DECISION = "µs of processor time a token", "µs of processor time a decision"


@dataclass(frozen=True)
class Picture:
    """How an axis is drawn."""

    title: str
    across: str
    up: str
    curves: str = ""
    """What the names of the curves that are drawn begin with."""
    is_log: bool = True


AXES = {
    "environments": Picture(
        "Stepping NewsSummariser-v0", "environments stepped in one call", _COST
    ),
    "sentences": Picture(
        "Stepping 256 environments over synthetic articles", "sentences of an article", _COST
    ),
    "words": Picture(
        "Scoring a draft that grows by a sentence, 64 drafts a call",
        "words of a sentence",
        "µs of processor time a sentence",
    ),
    "reference": Picture(
        "Scoring a draft that grows by a sentence of 21 words, 64 drafts a call",
        "words of the reference",
        "µs of processor time a sentence",
    ),
    "processes": Picture(
        "Training on NewsSummariser-v0, one thread a process",
        "processes side by side",
        "environment steps a second, all together",
        curves="steps",
        is_log=False,
    ),
    "scan": Picture(
        "Selective scans and their gradients: 4 texts, 256 channels, 16 numbers a state",
        "tokens of a text",
        "µs of processor time",
    ),
    "decoding": Picture(
        "The next token of a text: two layers of width 256", "tokens before it", _A_TOKEN
    ),
    "attention": Picture(
        "Attention and its gradient: 4 heads of width 64", "tokens", "µs of processor time"
    ),
    "memory": Picture(
        "Attention and its gradient: 4 heads of width 64", "tokens", "MB that a process grows by"
    ),
    "acting": Picture(
        "An agent's decision about an article", "sentences of the article", _A_DECISION
    ),
}


def draw(name: str, curves: Mapping[str, list[dict[str, float]]], folder: Path) -> Path:
    """Draws the curves of one axis, with whiskers from the least to the most; returns the file."""
    picture = AXES[name]
    figure = Figure(figsize=(6.4, 3.8), layout="constrained")
    axes = figure.subplots()
    drawn = {one: points for one, points in curves.items() if one.startswith(picture.curves)}
    for curve, points in drawn.items():
        _draw_curve(axes, curve, points)
    sizes = sorted({point["at"] for points in drawn.values() for point in points})
    if picture.is_log:
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    else:
        axes.set_ylim(bottom=0)
        axes.margins(x=0.2)
    axes.set_xticks(sizes, _labels(sizes))
    axes.minorticks_off()
    axes.yaxis.set_major_formatter("{x:,.10g}")
    axes.set_title(picture.title, fontsize=10)
    axes.set_xlabel(picture.across)
    axes.set_ylabel(picture.up)
    axes.grid(alpha=0.3)
    if len(drawn) > 1:
        axes.legend(fontsize=8)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"scaling_{name}.png"
    figure.savefig(path, dpi=100)
    return path


def _labels(sizes: Sequence[float]) -> list[str]:
    """Returns the labels of sizes in order; one that is too near the last is left out."""
    labels, last = [], 0.0
    for size in sizes:
        is_apart = size >= last * NEAR
        labels.append(f"{size:,.0f}" if is_apart else "")
        last = size if is_apart else last
    return labels


def _draw_curve(axes: Any, name: str, points: list[dict[str, float]]) -> None:
    median = [point["median"] for point in points]
    below = [point["median"] - point["least"] for point in points]
    above = [point["most"] - point["median"] for point in points]
    axes.errorbar(
        [point["at"] for point in points],
        median,
        yerr=[below, above],
        label=name,
        marker="o",
        markersize=4,
        capsize=3,
        linewidth=1.4,
    )


def draw_all(results: Mapping[str, Any], folder: Path = PICTURES) -> list[Path]:
    """Draws every axis that there are results of; returns the files."""
    return [draw(name, results[name]["curves"], folder) for name in AXES if name in results]
