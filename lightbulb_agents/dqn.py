"""The Q-learning sub-agent: Tianshou's DQN and QR-DQN over the actor-critic's networks.

Losses, n-step targets, the target network and its updates are Tianshou's own. What is ours: illegal
actions have the value -inf in the network itself, so no maximum takes one, in acting and in targets
alike; exploration and replay draw from the run's own generators; and the replay holds whole
episodes, whose articles are kept and encoded once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
import torch
from numpy.typing import NDArray
from tianshou.algorithm.modelfree.dqn import DQN, DiscreteQLearningPolicy
from tianshou.algorithm.modelfree.qrdqn import QRDQN, QRDQNPolicy
from tianshou.utils.torch_utils import policy_within_training_step
from torch import Tensor, nn

from lightbulb_agents.articles import Articles, Drafts
from lightbulb_agents.collector import EpisodeCollector, Moment, joined_drafts
from lightbulb_agents.network import QNetwork
from lightbulb_agents.optimizer import Optimizer, adam
from lightbulb_agents.replay import ArticleStore, EpisodeReplay, PrioritizedEpisodeReplay
from lightbulb_agents.writing import article_shape
from lightbulb_backbones.runs.checkpoint import decode_bytes, encode_bytes
from lightbulb_backbones.runs.limits import check_least, check_most
from lightbulb_envs.engines.engine import Engine

_PREFILL = 5_000


@dataclass(frozen=True)
class QConfig:
    """How Q-learning learns. Its step size falls linearly to zero over the budget."""

    learning_rate: float = 1e-3
    """Adam's step size at the start."""
    minibatch: int = 256
    """Steps of a gradient step, about."""
    replay_size: int = 100_000
    """Steps that are kept."""
    replay_ratio: float = 2.0
    """How often a step is learnt from, on average."""
    prefill: int | None = None
    """Steps at random, each among the legal actions, before any learning. Default: 5,000, or a
    tenth of the budget where that is less."""
    epsilon: float = 0.02
    """Chance of a random legal action once exploration has come to its end; it begins at 1."""
    exploration: float = 0.3
    """Share of the budget after which it has."""
    n_step: int = 1
    """Rewards of a target before the value that it is completed with."""
    target_every: int = 200
    """Gradient steps after which the target network takes on the weights."""
    double: bool = True
    """Whether the network chooses the action and the target network values it (van Hasselt et al.
    2016); otherwise the target network does both."""
    dueling: bool = True
    """Whether an action's value is a state's value and an advantage (Wang et al. 2016)."""
    quantiles: int = 51
    """Quantiles of the distribution of returns that QR-DQN learns (Dabney et al. 2018)."""
    prioritized: bool = False
    """Whether steps are drawn by their errors (Schaul et al. 2016). Steps of an article are not
    drawn together then, and each encodes its own: a gradient step costs several times as much."""
    alpha: float = 0.6
    """How much errors matter then."""
    beta: float = 0.4
    """How much of the bias is weighed away at the start; it rises to 1."""
    max_grad_norm: float = 10.0
    """Gradients longer than this are shortened to it."""
    weight_decay: float = 0.0
    """What every step takes from the weights, as a share of them and of the step size."""

    def __post_init__(self) -> None:
        check_least(
            self,
            learning_rate=0,
            minibatch=1,
            replay_size=1,
            replay_ratio=0,
            epsilon=0,
            exploration=0,
            n_step=1,
            target_every=1,
            quantiles=2,
            beta=0,
            max_grad_norm=0,
            weight_decay=0,
        )
        if self.prefill is not None:
            check_least(self, prefill=0)
        if not self.alpha > 0:
            raise ValueError(
                f"alpha must be more than 0, got {self.alpha}: with 0 nothing is drawn "
                "by its error; leave prioritized out"
            )
        check_most(self, epsilon=1, exploration=1, beta=1, quantiles=1000, replay_size=10_000_000)


class QTrunk(nn.Module):
    """The network on Tianshou observations, which name articles by number.

    A copy of it, such as a target network, reads the same articles.
    """

    def __init__(self, network: QNetwork, articles: ArticleStore, *, is_distribution: bool):
        super().__init__()
        self.network = network
        self._articles = articles
        self._is_distribution = is_distribution

    def forward(self, observation: Any, state: Any = None, info: Any = None) -> tuple[Tensor, Any]:
        """Returns values (n, A), or quantiles (n, A, quantiles), -inf where illegal.

        Where nothing is legal, which is after the end, all are 0.
        """
        numbers, place = np.unique(observation.article, return_inverse=True)
        encoded = self.network.encode(torch.from_numpy(self._articles.take(numbers)))
        drafts = Drafts(
            article=torch.from_numpy(place),
            picks=torch.from_numpy(observation.picks),
            vectors=torch.from_numpy(observation.vectors),
            action_mask=torch.from_numpy(observation.action_mask),
            features=torch.from_numpy(observation.features),
            seen=torch.from_numpy(observation.seen),
        )
        values = self.network.quantiles(encoded, drafts)
        is_legal = drafts.action_mask
        is_out = ~is_legal & is_legal.any(dim=1, keepdim=True)
        values = values.masked_fill(is_out.unsqueeze(2), -torch.inf)
        return (values if self._is_distribution else values.mean(dim=2)), state


class _Clipped:
    """Shortens gradients, which Tianshou's Q-learning does not ask for."""

    Optimizer = Optimizer

    def __init__(self, *, max_grad_norm: float, **settings: Any):
        self._max_grad_norm = max_grad_norm
        super().__init__(**settings)

    def _create_policy_optimizer(self, optim: Any) -> Any:
        return self._create_optimizer(  # type: ignore[attr-defined] # of Tianshou's Algorithm
            self.policy,  # type: ignore[attr-defined]
            optim,
            max_grad_norm=self._max_grad_norm,
        )


class ArticleDQN(_Clipped, DQN[Any]):
    """Deep Q-learning (Mnih et al. 2015)."""


class ArticleQRDQN(_Clipped, QRDQN[Any]):
    """Deep Q-learning of the quantiles of returns (Dabney et al. 2018)."""


def make_dqn(
    name: str, trunk: QTrunk, action_space: gymnasium.Space[Any], config: QConfig
) -> ArticleDQN | ArticleQRDQN:
    """Returns the algorithm and, in it, the policy."""
    shared: dict[str, Any] = {
        "optim": adam(config.learning_rate, config.weight_decay),
        "gamma": 1.0,
        "n_step_return_horizon": config.n_step,
        "target_update_freq": config.target_every,
        "max_grad_norm": config.max_grad_norm,
    }
    if name == "qrdqn":
        policy = QRDQNPolicy(model=trunk, action_space=action_space)
        return ArticleQRDQN(policy=policy, num_quantiles=config.quantiles, **shared)
    if name == "dqn":
        plain = DiscreteQLearningPolicy(model=trunk, action_space=action_space)
        return ArticleDQN(policy=plain, is_double=config.double, **shared)
    raise ValueError(f'Q-learning is called "dqn" or "qrdqn", got {name!r}')


class ReplayCollector(EpisodeCollector):
    """Plays episodes epsilon-greedily, and puts them into a replay.

    A random action is uniform over the legal ones, and drawn from the run's own generator.
    """

    epsilon = 1.0

    def _choose(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        is_legal = logits.isfinite()
        random = torch.multinomial(is_legal.float(), 1, generator=self._generator).squeeze(1)
        explores = torch.rand(len(logits), generator=self._generator) < self.epsilon
        return torch.where(explores, random, logits.argmax(dim=1)), torch.zeros(len(logits))

    def _store(self, moments: list[Moment], encoded: Articles, tokens: NDArray[np.int32]) -> int:
        row = np.concatenate([moment.rows for moment in moments])
        order = np.argsort(row, kind="stable")
        row = row[order]
        seen = _ordered(joined_drafts([moment.drafts for moment in moments]), order)
        terminated = np.concatenate([moment.terminated for moment in moments])[order]
        truncated = np.concatenate([moment.truncated for moment in moments])[order]
        ends = terminated | truncated
        following = np.where(ends, np.arange(len(row)), np.arange(len(row)) + 1)
        after = {name: value[following] for name, value in seen.items()}
        for moment in moments:
            if moment.left is not None:
                places = np.searchsorted(row, moment.cut, side="right") - 1
                after = _with_drafts(after, places, moment.left)
        both = np.stack((seen["article"], after["article"]))
        fresh, numbers = np.unique(both, return_inverse=True)
        replay: Any = self.buffer
        start = replay.articles.add(tokens[fresh])
        seen["article"], after["article"] = start + numbers.reshape(both.shape)
        steps = {
            "obs": seen,
            "act": np.concatenate([moment.action.numpy() for moment in moments])[order],
            "rew": np.concatenate([moment.reward for moment in moments])[order],
            "terminated": terminated,
            "truncated": truncated,
            "done": ends,
            "obs_next": after,
        }
        replay.store(steps, row // self._rollouts)
        return len(row)


def _ordered(drafts: Mapping[str, Tensor], order: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    return {name: value.numpy()[order] for name, value in drafts.items()}


def _with_drafts(
    drafts: dict[str, NDArray[Any]], places: NDArray[np.int64], left: Drafts
) -> dict[str, NDArray[Any]]:
    """Returns drafts with others in some places."""
    found = {}
    for name, value in drafts.items():
        own = getattr(left, name).numpy()
        if name == "picks":
            width = max(own.shape[1], value.shape[1])
            value, own = (
                np.pad(one, ((0, 0), (0, width - one.shape[1])), constant_values=-1)
                for one in (value, own)
            )
        found[name] = value.copy()
        found[name][places] = own
    return found


class QLearner:
    """Everything that Q-learning needs to take its next step, and to be saved between two.

    Args:
        name: "dqn" or "qrdqn".
        steps: the budget.
        seed: of exploration and of the replay.
    """

    save_every = 100
    """Rare, for the replay is written down too, which may be a hundred megabytes."""

    def __init__(
        self,
        name: str,
        network: QNetwork,
        engine: Engine,
        config: QConfig,
        rollouts: int,
        steps: int,
        seed: int,
    ):
        self.config = config
        self._total = steps
        self._prefill = min(_PREFILL, steps // 10) if config.prefill is None else config.prefill
        if self._prefill >= steps:
            raise ValueError(
                f"prefill={self._prefill:,} leaves nothing of a budget of {steps:,} steps to learn "
                "from: lower --q.prefill, or raise --budget"
            )
        self.generator = torch.Generator()
        self.generator.manual_seed(seed)
        self.sampler = np.random.default_rng(seed)
        articles = ArticleStore(*article_shape(engine.observation_space, network.layout))
        self.replay: EpisodeReplay | PrioritizedEpisodeReplay
        if config.prioritized:
            self.replay = PrioritizedEpisodeReplay(
                config.replay_size, articles, self.sampler, config.alpha, config.beta
            )
        else:
            self.replay = EpisodeReplay(config.replay_size, articles, self.sampler)
        trunk = QTrunk(network, articles, is_distribution=name == "qrdqn")
        self.algorithm: Any = make_dqn(name, trunk, engine.action_space, config)
        self.collector = ReplayCollector(
            self.algorithm.policy,
            trunk,  # type: ignore[arg-type] # whose network is asked, and nothing else
            engine,
            rollouts,
            self.generator,
            self.sampler,
            self.replay,
        )
        self.collector.stream.seed(seed)
        self._owed = 0.0
        """Gradient steps that are due."""

    @property
    def optimizer(self) -> torch.optim.Optimizer:
        """The optimizer, whose state is saved."""
        optimizer: torch.optim.Optimizer = self.algorithm.optim._optim
        return optimizer

    def update(self, steps: int) -> dict[str, float]:
        """Plays one episode a row after so many steps, and learns; returns what it measured."""
        config, done = self.config, steps / self._total
        self._set_progress(done, is_filling=steps < self._prefill)
        with policy_within_training_step(self.algorithm.policy):
            collected = self.collector.collect(n_episode=self.collector.env_num)
            count = collected.n_collected_steps
            measured = {
                "steps": count,
                "episodes": collected.n_collected_episodes,
                "training_return": float(collected.returns.mean()),
                "episode_length": float(collected.lens.mean()),
                "epsilon": self.collector.epsilon,
                "learning_rate": self.optimizer.param_groups[0]["lr"],
            }
            if steps + count < self._prefill:
                return measured
            self._owed += config.replay_ratio * count / config.minibatch
            losses = []
            while self._owed >= 1:
                self._owed -= 1
                learnt = self.algorithm.update(self.replay, config.minibatch)
                losses.append(learnt.get_loss_stats_dict()["loss"])
        return measured | ({"value_loss": float(np.mean(losses))} if losses else {})

    def _set_progress(self, done: float, *, is_filling: bool) -> None:
        """Sets what changes over the budget."""
        config = self.config
        explored = min(done / config.exploration, 1.0) if config.exploration else 1.0
        epsilon = 1.0 + explored * (config.epsilon - 1.0)
        self.collector.epsilon = 1.0 if is_filling else epsilon
        for group in self.optimizer.param_groups:
            group["lr"] = config.learning_rate * max(0.0, 1.0 - done)
        if isinstance(self.replay, PrioritizedEpisodeReplay):
            self.replay.set_beta(config.beta + (1.0 - config.beta) * min(done, 1.0))

    def state(self) -> dict[str, Any]:
        """Returns everything but tensors, as plain data."""
        return {
            "generator": encode_bytes(self.generator.get_state()),
            "sampler": self.sampler.bit_generator.state,
            "stream": self.collector.stream.state(),
            "owed": self._owed,
            "gradient_steps": self.algorithm._iter,
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Goes back to what `state` returned."""
        self.generator.set_state(decode_bytes(state["generator"]))
        self.sampler.bit_generator.state = state["sampler"]
        self.collector.stream.set_state(state["stream"])
        self._owed = state["owed"]
        self.algorithm._iter = state["gradient_steps"]

    def tensors(self) -> dict[str, Tensor]:
        """Returns the target network and the replay, by name."""
        target = self.algorithm.model_old.state_dict()
        own = {f"target.{name}": tensor for name, tensor in target.items()}
        return own | {f"replay.{name}": one for name, one in self.replay.arrays().items()}

    def set_tensors(self, tensors: Mapping[str, Tensor]) -> None:
        """Goes back to what `tensors` returned."""

        def under(prefix: str) -> dict[str, Tensor]:
            return {
                name.removeprefix(prefix): tensor
                for name, tensor in tensors.items()
                if name.startswith(prefix)
            }

        self.algorithm.model_old.load_state_dict(under("target."))
        self.replay.set_arrays(under("replay."))
