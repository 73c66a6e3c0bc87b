"""Stable-Baselines3's PPO and MaskablePPO with our network, over our own vector environment.

The policies run the network once for logits and value, on observations as they come. Buffers and
minibatches are Stable-Baselines3's own: a step holds its article, which is encoded for each step.
The network masks illegal actions itself, so PPO too draws legal ones only.
"""

from collections.abc import Iterable
from typing import Any, Literal

import gymnasium
import numpy as np
import torch
from numpy.typing import NDArray
from sb3_contrib import MaskablePPO
from sb3_contrib.common.maskable.policies import MaskableActorCriticPolicy
from stable_baselines3 import PPO
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.vec_env import VecEnv
from torch import Tensor

from lightbulb_agents.articles import read_drafts
from lightbulb_agents.config import TrainConfig
from lightbulb_agents.layout import Layout
from lightbulb_agents.network import ActorCriticNetwork, NetworkConfig
from lightbulb_envs.registry import find_row

ROWS, STEPS = 64, 16
"""Rows, and their steps between updates: about the steps of our rollout, which are about 1,000."""


class StableVecEnv(VecEnv):
    """A Gymnasium vector environment that resets in the same step, for Stable-Baselines3."""

    def __init__(self, env: gymnasium.vector.VectorEnv[Any, Any, Any]):
        self._env = env
        self._seen: dict[str, NDArray[Any]] = {}
        self._actions: NDArray[Any] = np.zeros(0)
        super().__init__(env.num_envs, env.single_observation_space, env.single_action_space)

    def reset(self) -> Any:
        """Returns the first observations, of the seed that `seed` was given."""
        # Not a seed a row: they would be neighbours, and runs of neighbouring seeds share them.
        self._seen, _ = self._env.reset(seed=self._seeds[0])
        self._reset_seeds()
        return self._seen

    def step_async(self, actions: NDArray[Any]) -> None:
        self._actions = actions

    def step_wait(self) -> Any:
        """Returns observations, rewards, ends, and an info a row."""
        self._seen, reward, terminated, truncated, told = self._env.step(self._actions)
        done = terminated | truncated
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for row in np.flatnonzero(done).tolist():
            infos[row]["terminal_observation"] = told["final_obs"][row]
            infos[row]["TimeLimit.truncated"] = bool(truncated[row] and not terminated[row])
        return self._seen, reward, done, infos

    def action_masks(self) -> NDArray[np.bool_]:
        """Returns which actions of every row are legal."""
        masks: NDArray[np.bool_] = self._seen["action_mask"].astype(bool)
        return masks

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **settings: Any) -> Any:
        """Returns what a method says of the rows; there is but `action_masks`."""
        if method_name != "action_masks":
            raise AttributeError(f"rows have no method {method_name!r}, only action_masks")
        return self.action_masks()[self._rows(indices)]

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """Returns an attribute, one and the same for all rows."""
        owner = self if attr_name == "action_masks" else self._env
        return [getattr(owner, attr_name)] * len(self._rows(indices))

    def _rows(self, indices: Any) -> list[int]:
        rows: Iterable[int] = self._get_indices(indices)
        return list(rows)

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        raise NotImplementedError("the rows are one environment: set its attributes on it")

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        return [False] * len(self._rows(indices))

    def close(self) -> None:
        self._env.close()


class _NetworkPolicy:
    """What both policies do: whatever Stable-Baselines3 asks is one run of our network."""

    def __init__(self, *spaces: Any, network: NetworkConfig, head: str, **settings: Any):
        self._config, self._head = network, head  # first: the parent's constructor builds
        super().__init__(*spaces, **settings)

    def _build(self: Any, lr_schedule: Any) -> None:
        layout = Layout.of(self.observation_space, self.action_space)
        vocabulary = int(self.observation_space["tokens"].high.max()) + 1
        self.network = ActorCriticNetwork(vocabulary, self._head, layout, self._config)
        self.optimizer = self.optimizer_class(
            self.parameters(), lr=lr_schedule(1), **self.optimizer_kwargs
        )

    def run(self: Any, observation: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Returns logits (n, A), -inf where illegal, and values (n,)."""
        seen = {name: part.numpy() for name, part in observation.items()}
        drafts = read_drafts(seen, np.arange(len(seen["tokens"])), self.network.layout)
        # Not made int64: embeddings are looked up by int32 as well.
        decided: tuple[Tensor, Tensor] = self.network.decide(
            self.network.encode(observation["tokens"]), drafts
        )
        return decided

    def _choices(self: Any, logits: Tensor, action_masks: Any) -> Any:
        distribution = self.action_dist.proba_distribution(action_logits=logits)
        if action_masks is not None:
            distribution.apply_masking(action_masks)
        return distribution

    def forward(
        self, obs: Any, deterministic: bool = False, action_masks: Any = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Returns actions, values and log-probabilities."""
        logits, value = self.run(obs)
        distribution = self._choices(logits, action_masks)
        action = distribution.get_actions(deterministic=deterministic)
        return action, value, distribution.log_prob(action)

    def evaluate_actions(
        self, obs: Any, actions: Tensor, action_masks: Any = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Returns values, log-probabilities and entropies."""
        logits, value = self.run(obs)
        distribution = self._choices(logits, action_masks)
        return value, distribution.log_prob(actions), distribution.entropy()

    def predict_values(self, obs: Any) -> Tensor:
        """Returns values."""
        return self.run(obs)[1]

    def get_distribution(self, obs: Any, action_masks: Any = None) -> Any:
        """Returns the distribution over actions."""
        return self._choices(self.run(obs)[0], action_masks)


class NetworkPolicy(_NetworkPolicy, ActorCriticPolicy):
    """The policy of PPO."""


class MaskableNetworkPolicy(_NetworkPolicy, MaskableActorCriticPolicy):
    """The policy of MaskablePPO."""


class StableBaselines:
    """A Stable-Baselines3 model that learns update by update, on the schedules of our training."""

    def __init__(self, name: Literal["PPO", "MaskablePPO"], config: TrainConfig):
        torch.set_num_threads(config.threads)
        learning = config.learning
        self.config = config
        self._left = 1.0
        is_maskable = name == "MaskablePPO"
        algorithm: Any = MaskablePPO if is_maskable else PPO
        env = gymnasium.make_vec(
            config.env, num_envs=ROWS, autoreset_mode="SAME_STEP", split="train"
        )
        self.model: Any = algorithm(
            MaskableNetworkPolicy if is_maskable else NetworkPolicy,
            StableVecEnv(env),
            learning_rate=lambda _: learning.learning_rate * self._left,
            n_steps=STEPS,
            batch_size=learning.minibatch,
            n_epochs=learning.epochs,
            gamma=1.0,
            gae_lambda=learning.gae_lambda,
            clip_range=learning.clip,
            vf_coef=learning.value_loss,
            max_grad_norm=learning.max_grad_norm,
            policy_kwargs={
                "network": config.network(),
                "head": find_row(config.env).head,
                "optimizer_kwargs": {"eps": 1e-5, "fused": True},
            },
            seed=config.seed,
            device="cpu",
        )
        self.model.set_logger(Logger(None, []))

    @property
    def network(self) -> ActorCriticNetwork:
        """The network that learns."""
        network: ActorCriticNetwork = self.model.policy.network
        return network

    @property
    def steps(self) -> int:
        """Environment steps so far."""
        return int(self.model.num_timesteps)

    def update(self) -> dict[str, float]:
        """Collects one rollout and learns from it; returns what it measured."""
        self._left = max(0.0, 1.0 - self.steps / self.config.steps())
        self.model.ent_coef = self.config.learning.entropy_of("pointer") * self._left
        self.model.learn(ROWS * STEPS, reset_num_timesteps=False, log_interval=None)
        return {"steps": self.steps, "mean_reward": float(self.model.rollout_buffer.rewards.mean())}
