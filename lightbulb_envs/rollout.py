"""Rolling an actor out over given instances."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.actions import to_plain
from lightbulb_envs.actor import Actor
from lightbulb_envs.engines.engine import Engine, ended_metrics
from lightbulb_envs.engines.refusals import step_or_refuse
from lightbulb_envs.summation import add_in_order


@dataclass(frozen=True)
class Episode:
    """One finished episode."""

    instance: int
    actions: tuple[Any, ...]
    """Plain data: ints, or lists of ints; None for an answer that stood for no action."""
    rewards: tuple[float, ...]
    truncated: bool
    metrics: dict[str, float] = field(default_factory=dict)
    """What the engine measured besides, if the episode terminated; see `lightbulb_envs.metrics`."""

    @property
    def refused(self) -> int:
        """How many answers stood for no action."""
        return sum(action is None for action in self.actions)

    @property
    def episode_return(self) -> float:
        """The sum of the rewards."""
        return add_in_order(self.rewards)


def roll_out(
    actor: Actor, engine: Engine, instances: NDArray[np.int64], seed: int | None = None
) -> list[Episode]:
    """Plays one episode an instance, as many at once as the engine has rows; in the order given."""
    actor.reset(seed)
    episodes: list[Episode] = []
    for start in range(0, len(instances), engine.num_envs):
        block = np.asarray(instances[start : start + engine.num_envs])
        episodes += _play(actor, engine, block, start)
    return episodes


def _play(actor: Actor, engine: Engine, instances: NDArray[np.int64], first: int) -> list[Episode]:
    """Plays one episode a row; `first` is the number of the first of them."""
    rows = np.arange(len(instances))
    engine.reset(rows, instances)
    actions: list[list[Any]] = [[] for _ in rows]
    rewards: list[list[float]] = [[] for _ in rows]
    metrics: list[dict[str, float]] = [{} for _ in rows]
    truncated = np.zeros(len(rows), dtype=bool)
    active, number = rows, 0
    while len(active):
        number += 1
        info: dict[str, Any] = {"instance": engine.instance(active), "episode": first + active}
        chosen = actor.act(engine.observe(active), info)
        step = step_or_refuse(engine, active, chosen, number)
        for position, row in enumerate(active.tolist()):
            actions[row].append(to_plain(chosen[position]))
            rewards[row].append(float(step.reward[position]))
        truncated[active] = step.truncated
        terminated = active[step.terminated]
        for name, values in ended_metrics(engine, terminated).items():
            for row, value in zip(terminated.tolist(), values.tolist(), strict=True):
                metrics[row][name] = value
        active = active[~(step.terminated | step.truncated)]
    return [
        Episode(
            int(instance),
            tuple(actions[row]),
            tuple(rewards[row]),
            bool(truncated[row]),
            metrics[row],
        )
        for row, instance in enumerate(instances.tolist())
    ]
