"""What the parts of the language expert did, as tables of the committed results."""

import json
from pathlib import Path

from benchmarks.markdown import NOT_MEASURED, RESULTS, span, table
from lightbulb_envs.score import seeds_interval

FOLDER = RESULTS / "backbones"
TASKS = ("selective_copying", "recall", "retrieval", "preferences", "routing", "search")
"""Modules of this folder; each has `run(seed)`, which returns numbers by name."""
SEEDS = (0, 1, 2)
_READ_BY = " read by "


def results_of(task: str, seed: int) -> Path:
    """Returns the file of what a task measured with a seed."""
    return FOLDER / f"{task}-{seed}.json"


def seeds_of(task: str) -> dict[str, list[float]]:
    """Returns every number of a task with each seed; none if a seed was not run."""
    paths = [results_of(task, seed) for seed in SEEDS]
    if not all(path.is_file() for path in paths):
        return {}
    told = [json.loads(path.read_text(encoding="utf-8"))["measured"] for path in paths]
    return {name: [one[name] for one in told] for name in told[0]}


def intervals_of(task: str) -> dict[str, dict[str, float]]:
    """Returns the mean of every number of a task, with an interval over seeds; none if not run."""
    return {name: vars(seeds_interval(seeds)) for name, seeds in seeds_of(task).items()}


def parts_table(task: str) -> str:
    """Returns what a task measured: a row a kind of network, or one row where there is one kind."""
    rows: dict[str, dict[str, str]] = {}
    for name, interval in intervals_of(task).items():
        kind, _, number = name.rpartition(": ")
        if _READ_BY not in number:
            rows.setdefault(kind, {})[number] = _cell(interval)
    columns = list(dict.fromkeys(number for row in rows.values() for number in row))
    cells = [[kind, *(row.get(number, "") for number in columns)] for kind, row in rows.items()]
    return table(["", *columns], cells) if cells else NOT_MEASURED


def readers_table() -> str:
    """Returns the shares of texts that every expert read with each seed, a row a family."""
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for name, seeds in seeds_of("routing").items():
        kind, _, number = name.rpartition(": ")
        family, is_share, expert = number.partition(_READ_BY)
        if is_share:
            rows.setdefault((kind, family), {})[expert] = " / ".join(f"{one:.2f}" for one in seeds)
    experts = list(dict.fromkeys(expert for row in rows.values() for expert in row))
    cells = [
        [f"{kind}: {family}", *(row.get(expert, "") for expert in experts)]
        for (kind, family), row in rows.items()
    ]
    return table(["texts", *experts], cells) if cells else NOT_MEASURED


def routing_gains_table() -> str:
    """Returns how the loss of the routed model differs from each other's with the same seed."""
    loss = ": loss"
    seeds = {
        name.removesuffix(loss): told
        for name, told in seeds_of("routing").items()
        if name.endswith(loss)
    }
    routed = seeds.pop("routed", [])
    cells = []
    for other, told in seeds.items():
        less = [own - its for own, its in zip(routed, told, strict=True)]
        shown, interval = span(vars(seeds_interval(less)), digits=3)
        cells.append([other, f"{shown} {interval}", " / ".join(f"{one:+.3f}" for one in less)])
    columns = ["loss of the routed model, less that of", "mean", "seeds"]
    return table(columns, cells) if cells else NOT_MEASURED


def _cell(interval: dict[str, float]) -> str:
    """Returns a mean with its interval; numbers that are counted have no digits."""
    if interval["mean"] >= 1000:
        return f"{interval['mean']:,.0f}"
    mean, told = span(interval, digits=2)
    return mean if interval["low"] == interval["high"] else f"{mean} {told}"
