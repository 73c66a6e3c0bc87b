"""The table of baselines by name."""

from collections.abc import Callable

from lightbulb_envs.actor import Actor
from lightbulb_envs.baselines.centrality import Centrality
from lightbulb_envs.baselines.lead import Lead
from lightbulb_envs.baselines.privileged import Ceiling, Greedy, Oracle
from lightbulb_envs.baselines.random import Random
from lightbulb_envs.engines.summarise import SummariseTask

BASELINES: dict[str, Callable[[SummariseTask], Actor]] = {
    "random": lambda task: Random(),
    "lead-3": lambda task: Lead(3),
    "centrality": lambda task: Centrality(task.budget if task.counts_sentences else 3),
    "greedy": Greedy,
    "ceiling": Ceiling,
    "oracle": Oracle,
}
"""Baselines by name; each takes the task of an engine or environment (`engine.task`)."""


def make_baseline(name: str, task: SummariseTask) -> Actor:
    """Returns a baseline; ValueError names those there are."""
    if name not in BASELINES:
        raise ValueError(f"no baseline is called {name!r}: there are {', '.join(BASELINES)}")
    return BASELINES[name](task)
