"""The actor-critic sub-agent: Tianshou's PPO and A2C over one trunk.

Losses, clipping and optimisation are Tianshou's own. What is ours: returns and old
log-probabilities come from the collector, which knew them, and minibatches hold whole articles.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import gymnasium
import numpy as np
import torch
from tianshou.algorithm.modelfree.a2c import A2C
from tianshou.algorithm.modelfree.ppo import PPO
from tianshou.algorithm.modelfree.reinforce import (
    DiscreteActorPolicy,
    ProbabilisticActorPolicy,
)
from tianshou.data import Batch, ReplayBuffer
from tianshou.utils.torch_utils import policy_within_training_step
from torch import Tensor
from torch.nn import functional

from lightbulb_agents.collector import EpisodeCollector
from lightbulb_agents.network import ActorCriticNetwork
from lightbulb_agents.optimizer import Optimizer, adam
from lightbulb_agents.trunk import Actor, Critic, Trunk
from lightbulb_backbones.runs.checkpoint import decode_bytes, encode_bytes
from lightbulb_backbones.runs.limits import check_least, check_most
from lightbulb_envs.actor import Actor as EnvActor
from lightbulb_envs.baselines import make_baseline
from lightbulb_envs.engines.engine import Engine

_ENTROPY = 0.01
ENTROPY = {"categorical": 0.2, "words": 0.001}
"""Head of a network → weight of the entropy bonus, where it is not the usual one."""


@dataclass(frozen=True)
class ActorCriticConfig:
    """How the actor-critic learns. Rates fall linearly to zero over the budget."""

    learning_rate: float = 1e-3
    """Adam's step size at the start."""
    epochs: int = 2
    """Passes over a rollout (PPO; A2C makes one)."""
    minibatch: int = 256
    """Steps of a gradient step."""
    clip: float = 0.2
    """PPO's bound on the change of a probability's ratio."""
    gae_lambda: float = 0.95
    """Lambda of generalised advantage estimation."""
    entropy: float | None = None
    """Weight of the entropy bonus at the start. Default: 0.01; 0.2 where a few actions are chosen
    from, for what an action is worth shows late there, and a policy that has stopped exploring by
    then never learns it; 0.001 where words are written, each of which is worth little."""
    value_loss: float = 0.5
    """Weight of the value loss."""
    max_grad_norm: float = 0.5
    """Gradients longer than this are shortened to it."""
    weight_decay: float = 0.0
    """What every step takes from the weights, as a share of them and of the step size: against
    learning few documents by heart."""

    imitate: str | None = None
    """Baseline of the environment that is imitated first, such as "oracle", which knows the
    references of training documents. Default: none."""
    imitation: float = 0.3
    """Share of the budget for which it is."""

    def entropy_of(self, head: str) -> float:
        """Returns the weight of the entropy bonus at the start, for a kind of head."""
        return ENTROPY.get(head, _ENTROPY) if self.entropy is None else self.entropy

    def __post_init__(self) -> None:
        # An advantage is measured by the spread of its minibatch, and one step has none.
        check_least(
            self,
            learning_rate=0,
            epochs=1,
            minibatch=2,
            clip=0,
            gae_lambda=0,
            value_loss=0,
            max_grad_norm=0,
            weight_decay=0,
            imitation=0,
        )
        check_most(self, imitation=1)
        if self.entropy is not None:
            check_least(self, entropy=0)
        if self.gae_lambda > 1:
            raise ValueError(f"gae_lambda must be in [0, 1], got {self.gae_lambda}")


class _FromRollout:
    """Takes returns and advantages from a rollout whose values the collector wrote down."""

    Optimizer = Optimizer

    def _preprocess_batch(self, batch: Any, buffer: ReplayBuffer, indices: Any) -> Any:
        returns, advantages = PPO.compute_episodic_return(
            batch,
            buffer,
            indices,
            v_s_=batch.v_next,
            v_s=batch.v_s,
            gamma=1.0,
            gae_lambda=self.gae_lambda,  # type: ignore[attr-defined]
        )
        batch.returns = torch.from_numpy(returns).float()
        batch.adv = torch.from_numpy(advantages).float()
        return batch


class _Learning:
    """A policy that draws no action where it learns: nobody would take it."""

    def forward(self, batch: Any, state: Any = None) -> Any:
        if not torch.is_grad_enabled():
            return super().forward(batch, state)  # type: ignore[misc]
        logits, _ = self.actor(batch.obs)  # type: ignore[attr-defined]
        return Batch(logits=logits, dist=self.dist_fn(logits))  # type: ignore[attr-defined]


class _DiscretePolicy(_Learning, DiscreteActorPolicy):
    """Of one action."""


class _Policy(_Learning, ProbabilisticActorPolicy):
    """Of slates and subsets."""


class ArticlePPO(_FromRollout, PPO):
    """Proximal policy optimisation (Schulman et al. 2017)."""


class ArticleA2C(_FromRollout, A2C):
    """Synchronous advantage actor-critic (Mnih et al. 2016)."""


def make_actor_critic(
    name: Literal["ppo", "a2c"],
    trunk: Trunk,
    action_space: gymnasium.Space[Any],
    config: ActorCriticConfig,
) -> ArticlePPO | ArticleA2C:
    """Returns the algorithm and, in it, the policy."""
    actor = Actor(trunk, trunk.network.layout.actions)
    policy: ProbabilisticActorPolicy
    if isinstance(action_space, gymnasium.spaces.Discrete):
        policy = _DiscretePolicy(
            actor=actor,
            dist_fn=trunk.network.choice,  # type: ignore[arg-type] # these are Distributions
            action_space=action_space,
        )
    else:
        policy = _Policy(
            actor=actor,
            dist_fn=trunk.network.choice,  # type: ignore[arg-type] # these are Distributions
            action_space=action_space,
            action_scaling=False,
            action_bound_method=None,
        )
    shared: dict[str, Any] = {
        "policy": policy,
        "critic": Critic(trunk),
        "optim": adam(config.learning_rate, config.weight_decay),
        "vf_coef": config.value_loss,
        "ent_coef": config.entropy_of(trunk.network.kind),
        "max_grad_norm": config.max_grad_norm,
        "gae_lambda": config.gae_lambda,
        "gamma": 1.0,
    }
    if name == "ppo":
        return ArticlePPO(**shared, eps_clip=config.clip)
    if name == "a2c":
        return ArticleA2C(**shared)
    raise ValueError(f'an actor-critic is called "ppo" or "a2c", got {name!r}')


def set_progress(
    algorithm: ArticlePPO | ArticleA2C, config: ActorCriticConfig, head: str, done: float
) -> None:
    """Sets the learning rate and the entropy bonus for the share of the budget that is done."""
    left = float(np.clip(1.0 - done, 0.0, 1.0))
    algorithm.ent_coef = config.entropy_of(head) * left
    for group in algorithm.optim._optim.param_groups:
        group["lr"] = config.learning_rate * left


class ActorCriticLearner:
    """Everything that an actor-critic needs to take its next step, and to be saved between two.

    Args:
        name: "ppo" or "a2c".
        steps: the budget.
        seed: of actions and of minibatches.
    """

    save_every = 25

    def __init__(
        self,
        name: Literal["ppo", "a2c"],
        network: ActorCriticNetwork,
        engine: Engine,
        config: ActorCriticConfig,
        rollouts: int,
        steps: int,
        seed: int,
    ):
        self.config = config
        self._total = steps
        self._head = network.kind
        self._epochs = config.epochs if name == "ppo" else 1
        trunk = self._trunk = Trunk(network)
        self.algorithm = make_actor_critic(name, trunk, engine.action_space, config)
        self.generator = torch.Generator()
        self.generator.manual_seed(seed)
        self.shuffler = np.random.default_rng(seed)
        self.collector = EpisodeCollector(
            self.algorithm.policy, trunk, engine, rollouts, self.generator, self.shuffler
        )
        self.collector.stream.seed(seed)
        self._seed = seed
        self._demonstrator: EnvActor | None = None
        if config.imitate is not None:
            self._demonstrator = make_baseline(config.imitate, engine)

    @property
    def optimizer(self) -> torch.optim.Optimizer:
        """The optimizer, whose state is saved."""
        return self.algorithm.optim._optim

    def update(self, steps: int) -> dict[str, float]:
        """Plays one episode a row after so many steps, and learns; returns what it measured."""
        set_progress(self.algorithm, self.config, self._head, steps / self._total)
        if self._demonstrator is not None and steps < self.config.imitation * self._total:
            return self._imitate(self._demonstrator, steps)
        with policy_within_training_step(self.algorithm.policy):
            collected = self.collector.collect(n_episode=self.collector.env_num)
            learnt = self.algorithm.update(
                self.collector.buffer, batch_size=self.config.minibatch, repeat=self._epochs
            )
        losses = learnt.get_loss_stats_dict()
        return {
            "steps": collected.n_collected_steps,
            "episodes": collected.n_collected_episodes,
            "training_return": float(collected.returns.mean()),
            "episode_length": float(collected.lens.mean()),
            "actor_loss": losses["actor_loss"],
            "value_loss": losses["vf_loss"],
            "entropy": losses["ent_loss"],
            "learning_rate": self.optimizer.param_groups[0]["lr"],
        }

    def _imitate(self, demonstrator: EnvActor, steps: int) -> dict[str, float]:
        """Plays one episode a document as shown, and learns what was done and what it was worth.

        Behavioural cloning (Pomerleau 1991): the loss is the mean -log pi(a | s) of what was shown.
        """
        demonstrator.reset(self._seed + steps)  # a run that is resumed here sees the same
        self.collector.demonstrator = demonstrator
        try:
            with policy_within_training_step(self.algorithm.policy):
                collected = self.collector.collect(n_episode=self.collector.env_num)
        finally:
            self.collector.demonstrator = None
        batch, indices = self.collector.buffer.sample(0)
        batch = self.algorithm._preprocess_batch(batch, self.collector.buffer, indices)
        losses = []
        for _ in range(self._epochs):
            for part in batch.split(self.config.minibatch, merge_last=True):
                logits, value = self._trunk(part.obs)
                cloning = -self._trunk.network.choice(logits).log_prob(part.act).mean()
                error = functional.mse_loss(value, part.returns)
                self.algorithm.optim.step(cloning + self.config.value_loss * error)
                losses.append((cloning.item(), error.item()))
        cloning_loss, value_loss = np.mean(losses, axis=0).tolist()
        return {
            "steps": collected.n_collected_steps,
            "episodes": collected.n_collected_episodes,
            "training_return": float(collected.returns.mean()),
            "episode_length": float(collected.lens.mean()),
            "actor_loss": cloning_loss,
            "value_loss": value_loss,
            "learning_rate": self.optimizer.param_groups[0]["lr"],
        }

    def state(self) -> dict[str, Any]:
        """Returns everything but tensors, as plain data."""
        return {
            "generator": encode_bytes(self.generator.get_state()),
            "shuffler": self.shuffler.bit_generator.state,
            "stream": self.collector.stream.state(),
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Goes back to what `state` returned."""
        self.generator.set_state(decode_bytes(state["generator"]))
        self.shuffler.bit_generator.state = state["shuffler"]
        self.collector.stream.set_state(state["stream"])

    def tensors(self) -> dict[str, Tensor]:
        """Returns nothing: all is in the network, its optimizer and `state`."""
        return {}

    def set_tensors(self, tensors: Mapping[str, Tensor]) -> None:
        """Goes back to what `tensors` returned."""
