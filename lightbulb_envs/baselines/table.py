"""The table of baselines by name, and how an engine names its own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lightbulb_envs.actor import Actor
from lightbulb_envs.baselines.centrality import Centrality
from lightbulb_envs.baselines.lead import Lead
from lightbulb_envs.baselines.privileged import Ceiling, Greedy, Oracle
from lightbulb_envs.baselines.random import Random
from lightbulb_envs.engines.engine import Engine, named_object


@dataclass(frozen=True)
class Baseline:
    """How a baseline is made for an engine, and whether it sees more than a reader can."""

    make: Callable[[Any], Actor]
    knows_truth: bool = False


BASELINES: dict[str, Baseline] = {
    "random": Baseline(lambda engine: Random(engine.action_space)),
    "lead-3": Baseline(lambda engine: Lead(3)),
    "centrality": Baseline(
        lambda engine: Centrality(engine.task.budget if engine.task.counts_sentences else 3)
    ),
    "greedy": Baseline(lambda engine: Greedy(engine.task), knows_truth=True),
    "ceiling": Baseline(lambda engine: Ceiling(engine.task), knows_truth=True),
    "oracle": Baseline(lambda engine: Oracle(engine.task), knows_truth=True),
}
"""The summariser's baselines."""


def baselines_of(engine: Engine) -> Mapping[str, Baseline]:
    """Returns the baselines that an engine names; "random" and "oracle" are among them."""
    table: Mapping[str, Baseline] = named_object("baselines", engine.baselines)
    return table


def heuristics_of(engine: Engine) -> tuple[str, ...]:
    """Returns the names of the baselines that any reader could act by, random apart."""
    table = baselines_of(engine)
    return tuple(name for name in table if not table[name].knows_truth and name != "random")


def make_baseline(name: str, engine: Engine) -> Actor:
    """Returns a baseline for an engine; `env.unwrapped.engine` is that of an environment.

    Raises:
        ValueError: no such baseline, or one that the engine's documents do not allow.
    """
    table = baselines_of(engine)
    if name not in table:
        raise ValueError(f"no baseline is called {name!r}: there are {', '.join(table)}")
    return table[name].make(engine)
