"""What the agents' tests share: a small network, its trunk, and rollouts."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import lightbulb_envs
from lightbulb_agents.actor_critic import ActorCriticConfig, make_actor_critic
from lightbulb_agents.collector import EpisodeCollector
from lightbulb_agents.layout import Layout
from lightbulb_agents.network import ActorCriticNetwork, NetworkConfig
from lightbulb_agents.trunk import Trunk
from lightbulb_backbones import BackboneConfig

ID = "Lightbulb/NewsSummariser-v0"
SMALL = NetworkConfig(BackboneConfig("bag", width=16, heads=2))


class Learner:
    """An algorithm, its collector and what they share."""

    def __init__(self, name: str = "ppo", rows: int = 16, seed: int = 0, **settings: Any):
        torch.manual_seed(seed)
        limit = settings.pop("max_steps", None)
        self.engine = lightbulb_envs.make_engine(ID, rows, **settings)
        if limit is not None:
            self.engine = type(self.engine)(self.engine.config, rows, limit)
        self.network = ActorCriticNetwork(
            self.engine.source.vocabulary.size,
            "pointer",
            Layout.of(self.engine.observation_space, self.engine.action_space),
            SMALL,
        )
        self.trunk = Trunk(self.network)
        self.config = ActorCriticConfig()
        self.algorithm = make_actor_critic(name, self.trunk, self.engine.action_space, self.config)
        generator = torch.Generator()
        generator.manual_seed(seed)
        self.collector = EpisodeCollector(
            self.algorithm.policy,
            self.trunk,
            self.engine,
            2,
            generator,
            np.random.default_rng(seed),
        )
        self.collector.stream.seed(seed)

    def collect(self) -> Any:
        """Plays one rollout and returns its batch."""
        self.collector.collect(n_episode=self.engine.num_envs)
        return self.collector.buffer.sample(0)[0]


@pytest.fixture
def make_learner() -> Callable[..., Learner]:
    """Makes learners."""
    return Learner
