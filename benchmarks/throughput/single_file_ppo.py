"""PPO written by hand in one file, without Tianshou: the peer of our training loop.

Same network, same hyperparameters, same minibatches (whole articles, each encoded once in each),
and nothing between them that could be left out: rows are read where the engine writes them, a
rollout is a handful of tensors, Adam is torch's fused one. Shapes: E articles, S sentences, T
tokens, M steps of a rollout.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lightbulb_agents.articles import Drafts, read_drafts
from lightbulb_agents.config import TrainConfig
from lightbulb_agents.layout import Layout
from lightbulb_agents.network import ActorCriticNetwork
from lightbulb_envs.engines.engine import tell_upcoming
from lightbulb_envs.instances import InstanceStream
from lightbulb_envs.registry import find_row, make_engine


@dataclass(frozen=True)
class Rollout:
    """M steps of whole episodes, those of an article together."""

    tokens: Tensor  # (E, S, T)
    first: NDArray[np.int64]  # (E + 1,), where the steps of every article begin
    drafts: Drafts
    action: Tensor  # (M,)
    log_probability: Tensor  # (M,)
    advantage: Tensor  # (M,)
    returns: Tensor  # (M,)
    episode_return: float


@dataclass(frozen=True)
class Moment:
    """One step of the rows that are still playing."""

    rows: NDArray[np.int64]
    drafts: Drafts
    action: Tensor
    log_probability: Tensor
    value: Tensor
    reward: NDArray[np.float64]


class SingleFilePPO:
    """PPO on whole episodes; `update` collects a rollout and learns from it."""

    def __init__(self, config: TrainConfig):
        torch.set_num_threads(config.threads)
        torch.manual_seed(config.seed)
        self.config = config
        self.engine: Any = make_engine(config.env, config.rows, split="train")
        self.layout = Layout.of(self.engine.observation_space, self.engine.action_space)
        self.network = ActorCriticNetwork(
            self.engine.source.vocabulary.size,
            find_row(config.env).head,
            self.layout,
            config.network(),
        )
        self.weights = list(self.network.parameters())  # once: looking for them takes time
        self.optimizer = torch.optim.Adam(
            self.weights, lr=config.learning.learning_rate, eps=1e-5, fused=True
        )
        self.generator = torch.Generator()
        self.generator.manual_seed(config.seed)
        self.shuffler = np.random.default_rng(config.seed)
        self.stream = InstanceStream(config.rows // config.rollouts, self.engine.num_instances)
        self.stream.seed(config.seed)
        tell_upcoming(self.engine, self.stream.upcoming)
        self.steps = 0

    def update(self) -> dict[str, float]:
        """Collects one rollout and learns from it; returns what it measured."""
        learning = self.config.learning
        left = max(0.0, 1.0 - self.steps / self.config.steps())
        for group in self.optimizer.param_groups:
            group["lr"] = learning.learning_rate * left
        rollout = self.collect()
        losses = []
        for _ in range(learning.epochs):
            for articles in self.minibatches(rollout):
                loss, _ = self.loss(
                    rollout, articles, entropy=learning.entropy_of("pointer") * left
                )
                self.optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                torch.nn.utils.clip_grad_norm_(self.weights, learning.max_grad_norm)
                self.optimizer.step()
                losses.append(loss.item())
        self.steps += len(rollout.action)
        return {
            "steps": self.steps,
            "training_return": rollout.episode_return,
            "loss": float(np.mean(losses)),
        }

    @torch.no_grad()
    def collect(self) -> Rollout:
        """Returns a rollout of one episode a row; several rows play each document."""
        engine, each = self.engine, self.config.rollouts
        rows = np.arange(engine.num_envs)
        documents = rows[: engine.num_envs // each]
        engine.reset(rows, np.repeat(self.stream.draw(documents), each))
        seen = engine.views()
        tokens = torch.from_numpy(seen["tokens"][::each].astype(np.int64))
        articles = self.network.encode(tokens)
        article = rows // each
        moments: list[Moment] = []
        while len(rows):
            own = {name: seen[name][rows] for name in ("selected", "budget", "action_mask")}
            own["tokens"] = seen["tokens"][: len(rows)]  # only its shape is asked for
            drafts = read_drafts(own, article[rows], self.layout)
            logits, value = self.network.decide(articles, drafts)
            log_probability = logits.log_softmax(dim=1)
            action = torch.multinomial(log_probability.exp(), 1, generator=self.generator)
            step = engine.step(rows, action.squeeze(1).numpy())
            chosen = log_probability.gather(1, action).squeeze(1)
            moments.append(Moment(rows, drafts, action.squeeze(1), chosen, value, step.reward))
            if step.truncated.any():
                raise RuntimeError("an episode was cut off, and values are not read there")
            rows = rows[~step.terminated]
        return self._assembled(tokens, moments)

    def _assembled(self, tokens: Tensor, moments: list[Moment]) -> Rollout:
        """Returns the moments row by row, with advantages."""
        rows = np.concatenate([moment.rows for moment in moments])
        order = torch.from_numpy(np.argsort(rows, kind="stable"))
        picks = max(moment.drafts.picks.shape[1] for moment in moments)

        def sorted_by_row(parts: list[Tensor]) -> Tensor:
            return torch.cat(parts).index_select(0, order)

        drafts = Drafts(
            article=sorted_by_row([moment.drafts.article for moment in moments]),
            picks=sorted_by_row([_widened(moment.drafts.picks, picks) for moment in moments]),
            vectors=sorted_by_row([moment.drafts.vectors for moment in moments]),
            action_mask=sorted_by_row([moment.drafts.action_mask for moment in moments]),
            features=sorted_by_row([moment.drafts.features for moment in moments]),
            seen=sorted_by_row([moment.drafts.seen for moment in moments]),
        )
        value = sorted_by_row([moment.value for moment in moments])
        advantage = sorted_by_row(self._advantages(moments))
        first = np.searchsorted(drafts.article.numpy(), np.arange(len(tokens) + 1))
        total = sum(float(moment.reward.sum()) for moment in moments)
        return Rollout(
            tokens=tokens,
            first=first,
            drafts=drafts,
            action=sorted_by_row([moment.action for moment in moments]),
            log_probability=sorted_by_row([moment.log_probability for moment in moments]),
            advantage=advantage,
            returns=advantage + value,
            episode_return=total / self.engine.num_envs,
        )

    def _advantages(self, moments: list[Moment]) -> list[Tensor]:
        """Returns generalised advantage estimates a moment; returns are not discounted."""
        advantage = np.zeros(self.engine.num_envs)
        following = np.zeros(self.engine.num_envs)
        found = []
        for moment in reversed(moments):
            rows, value = moment.rows, moment.value.numpy()
            surprise = moment.reward + following[rows] - value
            advantage[rows] = surprise + self.config.learning.gae_lambda * advantage[rows]
            following[rows] = value
            found.append(torch.from_numpy(advantage[rows].astype(np.float32)))
        return found[::-1]

    def minibatches(self, rollout: Rollout) -> Iterator[NDArray[np.int64]]:
        """Yields articles in random order, for `minibatch` steps or a little more at a time."""
        order = self.shuffler.permutation(len(rollout.tokens))
        size = self.config.learning.minibatch
        played = np.cumsum(np.diff(rollout.first)[order])
        start, most = 0, len(order)
        while start < most:
            before = played[start - 1] if start else 0
            end = min(int(np.searchsorted(played, before + size)) + 1, most)
            if played[-1] - played[end - 1] < size:
                end = most  # what is left is too small for a minibatch of its own
            yield order[start:end]
            start = end

    def loss(
        self, rollout: Rollout, articles: NDArray[np.int64], *, entropy: float
    ) -> tuple[Tensor, Tensor]:
        """Returns PPO's loss on all steps of articles, and the ratios of probabilities."""
        learning = self.config.learning
        count = rollout.first[articles + 1] - rollout.first[articles]
        steps = torch.from_numpy(_ranges(rollout.first[articles], count))
        encoded = self.network.encode(rollout.tokens[torch.from_numpy(articles)])
        drafts = Drafts(
            article=torch.from_numpy(np.repeat(np.arange(len(articles)), count)),
            picks=rollout.drafts.picks[steps],
            vectors=rollout.drafts.vectors[steps],
            action_mask=rollout.drafts.action_mask[steps],
            features=rollout.drafts.features[steps],
            seen=rollout.drafts.seen[steps],
        )
        logits, value = self.network.decide(encoded, drafts)
        log_probability = logits.log_softmax(dim=1)
        chosen = log_probability.gather(1, rollout.action[steps, None]).squeeze(1)
        ratio = (chosen - rollout.log_probability[steps]).exp()
        advantage = rollout.advantage[steps]
        advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
        clipped = ratio.clamp(1 - learning.clip, 1 + learning.clip)
        gain = torch.min(ratio * advantage, clipped * advantage).mean()
        error = (rollout.returns[steps] - value).square().mean()
        known = log_probability.masked_fill(~drafts.action_mask, 0.0)
        spread = -(known.exp() * known).sum(dim=1).mean()
        return learning.value_loss * error - gain - entropy * spread, ratio


def _widened(picks: Tensor, width: int) -> Tensor:
    return torch.nn.functional.pad(picks, (0, width - picks.shape[1]), value=-1)


def _ranges(first: NDArray[np.int64], count: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns the numbers from every `first` on, `count` of each, one after the other."""
    shift = first - np.cumsum(count) + count
    ranges: NDArray[np.int64] = np.repeat(shift, count) + np.arange(int(count.sum()))
    return ranges
