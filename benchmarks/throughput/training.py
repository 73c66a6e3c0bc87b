"""Training: ours, ours where the environment does nothing, one file by hand, Stable-Baselines3.

Same network, same hyperparameters, rollouts of about the same size. A unit is an environment step,
with what is collected and learnt of it. The learning rate is 0: that saves no work, and keeps the
episodes of all contestants as long as they are at the start, however long they race.
"""

from typing import Any, Protocol

from benchmarks.throughput.do_nothing import does_nothing
from benchmarks.throughput.race import Contestant, race, told
from benchmarks.throughput.single_file_ppo import SingleFilePPO
from benchmarks.throughput.stable_baselines import StableBaselines
from lightbulb_agents.actor_critic import ActorCriticConfig
from lightbulb_agents.config import TrainConfig
from lightbulb_agents.training import Training

RECORDED = 8
"""Rollouts that the environment that does nothing repeats."""


class Learner(Protocol):
    """What learns rollout by rollout."""

    @property
    def steps(self) -> int:
        """Environment steps so far."""

    def update(self) -> dict[str, float]:
        """Collects one rollout and learns from it."""


def race_training(repeats: int) -> dict[str, Any]:
    """Returns what an environment step of training costs each contestant."""
    config = TrainConfig(learning=ActorCriticConfig(learning_rate=0.0))
    learners: dict[str, Learner] = {
        "ours": Training(config, {}),
        "ours, an environment that does nothing": does_nothing(Training(config, {}), RECORDED),
        "single-file PPO": SingleFilePPO(config),
        "Stable-Baselines3 PPO": StableBaselines("PPO", config),
        "sb3-contrib MaskablePPO": StableBaselines("MaskablePPO", config),
    }
    costs = race({name: updating(learner) for name, learner in learners.items()}, repeats)
    return {"NewsSummariser-v0, PPO": told("training", costs, "ours")}


def updating(learner: Learner) -> Contestant:
    """Returns a learner at work, one rollout a run."""

    def run() -> int:
        before = learner.steps
        learner.update()
        return learner.steps - before

    return run
