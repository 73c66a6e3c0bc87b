"""The networks of the sub-agents: an encoder and a head over one trunk, and their config."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from lightbulb_agents.articles import Articles, Drafts
from lightbulb_agents.categorical_head import CategoricalHead
from lightbulb_agents.choices import Choice, Pick, Shares, Slate, Subset
from lightbulb_agents.encoders import ArticleEncoder
from lightbulb_agents.heads import PointerHead
from lightbulb_agents.layout import Layout
from lightbulb_agents.word_head import WordHead
from lightbulb_agents.writing import split_article
from lightbulb_backbones.table import BackboneConfig

WORDS = "words"
"""What a pointer is called that points at words."""
HEADS = {
    "pointer": PointerHead,
    "slate": PointerHead,
    "multibinary": PointerHead,
    "categorical": CategoricalHead,
    "simplex": CategoricalHead,
    WORDS: WordHead,
}
"""Registry head, or WORDS → what scores the actions."""
CHOICES: dict[str, Callable[[Tensor], Choice]] = {"multibinary": Subset, "simplex": Shares}
"""Registry head → what its scores stand for, where that is not one action."""


def asks_all(head: str, layout: Layout) -> bool:
    """Returns whether a head scores sentences, those that are not there or not read among them."""
    return HEADS[head] is PointerHead and not layout.writes


@dataclass(frozen=True)
class NetworkConfig:
    """What the network is made of."""

    backbone: BackboneConfig = field(default_factory=BackboneConfig)
    article_layers: int = 1
    """Blocks over the sentences of an article."""
    quantiles: int = 1
    """Numbers of an action's value: of a distribution's quantiles if more than one. Of Q alone."""
    dueling: bool = True
    """Whether an action's value is a state's value and an advantage. Of Q alone."""
    dropout: float = 0.0
    """Share of the tokens that are hidden while the network learns."""

    def to_json(self) -> dict[str, Any]:
        """Returns the config as plain data."""
        return asdict(self)

    @staticmethod
    def from_json(data: dict[str, Any]) -> "NetworkConfig":
        """Returns the config of plain data."""
        return NetworkConfig(**{**data, "backbone": BackboneConfig(**data["backbone"])})


class ArticleNetwork(nn.Module):
    """Encodes articles once, then decides for any number of drafts of them.

    Args:
        numbers: how many a head says of every action.
        encoder: that of an agent of several tasks. Default: one of its own.
    """

    def __init__(
        self,
        vocabulary_size: int,
        head: str,
        layout: Layout,
        config: NetworkConfig,
        numbers: int = 1,
        encoder: nn.Module | None = None,
    ):
        super().__init__()
        if head not in HEADS:
            raise ValueError(
                f"no network acts through a {head!r} head yet: there are {', '.join(HEADS)}"
            )
        self.encoder = encoder or ArticleEncoder(
            vocabulary_size,
            config.backbone,
            config.article_layers,
            is_causal=layout.in_order,
            asks_all=asks_all(head, layout),
            dropout=config.dropout,
        )
        self.layout = layout
        self.kind = WORDS if layout.writes else head
        self.head: nn.Module = HEADS[self.kind](config.backbone.width, layout, numbers)

    def described(self, config: NetworkConfig) -> NetworkConfig:
        """Returns a config that makes this network without what its weights were read from."""
        backbone: Any = getattr(self.encoder, "backbone", None)
        if not hasattr(backbone, "described"):
            return config
        return replace(config, backbone=backbone.described(config.backbone))

    def encode(self, tokens: Tensor) -> Articles:
        """Returns encoded articles for tokens (E, S, T), or what `read_article` says."""
        if self.layout.writes:
            text, article, words = split_article(tokens)
            told = self.encoder.read_words(words)  # type: ignore[operator]
            written: Articles = self.head.prepare(  # type: ignore[operator]
                *self.encoder(text), told, article
            )
            return written
        articles: Articles = self.head.prepare(*self.encoder(tokens))  # type: ignore[operator]
        return articles

    def decide(self, articles: Articles, drafts: Drafts) -> tuple[Tensor, Tensor]:
        """Returns logits (n, A), -inf where illegal, and values (n,)."""
        logits, value = self.head(articles, drafts)
        return logits, value

    def choice(self, logits: Tensor) -> Choice:
        """Returns the distribution over actions that logits stand for."""
        return Pick(logits)


class ActorCriticNetwork(ArticleNetwork):
    """The policy and the value of the actor-critic."""

    def choice(self, logits: Tensor) -> Choice:
        """Returns the distribution over actions that logits stand for."""
        if self.kind == "slate":
            return Slate(logits, self.layout.places)
        return CHOICES.get(self.kind, Pick)(logits)


class QNetwork(ArticleNetwork):
    """Values of actions, of the same encoder and heads as the actor-critic's.

    With `dueling` an action's value is V + A - mean A over the legal actions (Wang et al. 2016,
    "Dueling Network Architectures", equation 9). With several quantiles each of them is.
    """

    def __init__(
        self,
        vocabulary_size: int,
        head: str,
        layout: Layout,
        config: NetworkConfig,
        encoder: nn.Module | None = None,
    ):
        if head not in ("pointer", "categorical"):
            raise ValueError(
                f"Q-learning compares the values of single actions, and a {head!r} head chooses "
                "several at once, or shares: train an actor-critic there, --agent ppo"
            )
        super().__init__(vocabulary_size, head, layout, config, config.quantiles, encoder)
        self._dueling = config.dueling

    def quantiles(self, articles: Articles, drafts: Drafts) -> Tensor:
        """Returns the values (n, A, quantiles) of actions; 0 where illegal."""
        advantage, value = self.head(articles, drafts)
        if advantage.ndim == 2:
            advantage, value = advantage.unsqueeze(2), value.unsqueeze(1)
        is_legal = drafts.action_mask.unsqueeze(2)
        known: Tensor = advantage.masked_fill(~is_legal, 0.0)
        if self._dueling:
            mean = known.sum(dim=1, keepdim=True) / is_legal.sum(dim=1, keepdim=True).clamp(min=1)
            known = (value.unsqueeze(1) + known - mean).masked_fill(~is_legal, 0.0)
        return known

    def decide(self, articles: Articles, drafts: Drafts) -> tuple[Tensor, Tensor]:
        """Returns the values of actions (n, A), -inf where illegal, and of the best one (n,)."""
        values = self.quantiles(articles, drafts).mean(dim=2)
        values = values.masked_fill(~drafts.action_mask, -torch.inf)
        return values, values.amax(dim=1)


def make_network(
    algorithm: str,
    vocabulary_size: int,
    head: str,
    layout: Layout,
    config: NetworkConfig,
    encoder: nn.Module | None = None,
) -> ArticleNetwork:
    """Returns the network that an algorithm trains, by the names of `--agent`."""
    kind = QNetwork if algorithm in ("dqn", "qrdqn") else ActorCriticNetwork
    return kind(vocabulary_size, head, layout, config, encoder=encoder)
