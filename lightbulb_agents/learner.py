"""What every learner offers the training loop, and the one place that makes them by name."""

from collections.abc import Mapping
from typing import Any, Protocol, cast

import torch
from torch import Tensor

from lightbulb_agents.actor_critic import ActorCriticLearner
from lightbulb_agents.config import TrainConfig
from lightbulb_agents.dqn import QLearner
from lightbulb_agents.network import ActorCriticNetwork, ArticleNetwork, QNetwork
from lightbulb_envs.engines.engine import Engine


class Learner(Protocol):
    """Plays in an engine and learns from it, one round after the other."""

    algorithm: Any
    """Of Tianshou."""
    collector: Any
    """An `EpisodeCollector`."""
    save_every: int
    """Rounds between checkpoints."""

    @property
    def optimizer(self) -> torch.optim.Optimizer:
        """The optimizer, whose state is saved."""

    def update(self, steps: int) -> dict[str, float]:
        """Plays one episode a row after so many steps, and learns.

        Returns what it measured, by the names of `training.COLUMNS`: "steps" and "episodes" of this
        round, "training_return", "episode_length", and what it has of the others.
        """

    def state(self) -> dict[str, Any]:
        """Returns everything but tensors that the next round depends on, as plain data."""

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Goes back to what `state` returned."""

    def tensors(self) -> dict[str, Tensor]:
        """Returns what the next round depends on besides, by name."""

    def set_tensors(self, tensors: Mapping[str, Tensor]) -> None:
        """Goes back to what `tensors` returned."""


def make_learner(config: TrainConfig, network: ArticleNetwork, engine: Engine) -> Learner:
    """Returns the learner of the algorithm that a config names."""
    name = config.algorithm()
    shared = (config.rollouts, config.steps(), config.seed)
    if name == "ppo" or name == "a2c":
        policy = cast("ActorCriticNetwork", network)
        return ActorCriticLearner(name, policy, engine, config.learning, *shared)
    if config.learning.imitate is not None:
        raise ValueError(
            f"learning.imitate is for actor-critics, and {config.env} is learnt by {name!r}: leave "
            "it out, or take --agent ppo"
        )
    return QLearner(name, cast("QNetwork", network), engine, config.q, *shared)
