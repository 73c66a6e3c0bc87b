"""The actor-critic sub-agent: Tianshou's PPO and A2C over one trunk.

Losses, clipping and optimisation are Tianshou's own. What is ours: returns and old
log-probabilities come from the collector, which knew them, and minibatches hold whole articles.
"""

from dataclasses import dataclass
from typing import Any, Literal

import gymnasium
import numpy as np
import torch
from tianshou.algorithm.algorithm_base import Algorithm
from tianshou.algorithm.modelfree.a2c import A2C
from tianshou.algorithm.modelfree.ppo import PPO
from tianshou.algorithm.modelfree.reinforce import (
    DiscreteActorPolicy,
    ProbabilisticActorPolicy,
)
from tianshou.algorithm.optim import TorchOptimizerFactory
from tianshou.data import Batch, ReplayBuffer
from torch import Tensor

from lightbulb_agents.limits import check_least
from lightbulb_agents.trunk import Actor, Critic, Trunk


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
    entropy: float = 0.01
    """Weight of the entropy bonus at the start."""
    value_loss: float = 0.5
    """Weight of the value loss."""
    max_grad_norm: float = 0.5
    """Gradients longer than this are shortened to it."""

    def __post_init__(self) -> None:
        # An advantage is measured by the spread of its minibatch, and one step has none.
        check_least(
            self,
            learning_rate=0,
            epochs=1,
            minibatch=2,
            clip=0,
            gae_lambda=0,
            entropy=0,
            value_loss=0,
            max_grad_norm=0,
        )
        if self.gae_lambda > 1:
            raise ValueError(f"gae_lambda must be in [0, 1], got {self.gae_lambda}")


class _Optimizer(Algorithm.Optimizer):
    """Tianshou's, but the weights are looked for once, and not at every step."""

    def __init__(
        self,
        optim: torch.optim.Optimizer,
        module: torch.nn.Module,
        max_grad_norm: float | None = None,
    ):
        super().__init__(optim, module, max_grad_norm)
        self._weights = list(module.parameters())

    def step(
        self, loss: Tensor, retain_graph: bool | None = None, create_graph: bool = False
    ) -> None:
        self._optim.zero_grad()
        loss.backward(retain_graph=retain_graph, create_graph=create_graph)
        if self._max_grad_norm is not None:
            torch.nn.utils.clip_grad_norm_(self._weights, self._max_grad_norm)
        self._optim.step()


class _FromRollout:
    """Takes returns and advantages from a rollout whose values the collector wrote down."""

    Optimizer = _Optimizer

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
        "optim": TorchOptimizerFactory(
            torch.optim.Adam, lr=config.learning_rate, eps=1e-5, fused=True
        ),
        "vf_coef": config.value_loss,
        "ent_coef": config.entropy,
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
    algorithm: ArticlePPO | ArticleA2C, config: ActorCriticConfig, done: float
) -> None:
    """Sets the learning rate and the entropy bonus for the share of the budget that is done."""
    left = float(np.clip(1.0 - done, 0.0, 1.0))
    algorithm.ent_coef = config.entropy * left
    for group in algorithm.optim._optim.param_groups:
        group["lr"] = config.learning_rate * left
