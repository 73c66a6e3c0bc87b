"""The table of baselines by name."""

from collections.abc import Callable

from lightbulb_envs.actor import Actor
from lightbulb_envs.baselines.centrality import Centrality
from lightbulb_envs.baselines.lead import Lead
from lightbulb_envs.baselines.privileged import Ceiling, Greedy, Oracle
from lightbulb_envs.baselines.random import Random
from lightbulb_envs.engines.engine import Engine
from lightbulb_envs.engines.summarise import SummariseEngine, SummariseTask

BASELINES: dict[str, Callable[[SummariseTask], Actor]] = {
    "random": lambda task: Random(),
    "lead-3": lambda task: Lead(3),
    "centrality": lambda task: Centrality(task.budget if task.counts_sentences else 3),
    "greedy": Greedy,
    "ceiling": Ceiling,
    "oracle": Oracle,
}
"""Baselines by name; each takes the task of an engine."""


def make_baseline(name: str, engine: Engine) -> Actor:
    """Returns a baseline for an engine; `env.unwrapped.engine` is that of an environment.

    Raises:
        ValueError: no such baseline, or one that the engine's documents do not allow.
        TypeError: an engine of another kind.
    """
    if name not in BASELINES:
        raise ValueError(f"no baseline is called {name!r}: there are {', '.join(BASELINES)}")
    if not isinstance(engine, SummariseEngine):
        raise TypeError(f"the baselines summarise, and {type(engine).__name__} does not")
    return BASELINES[name](engine.task)
