"""The actor-critic network: an encoder and a head over one trunk, and its config."""

from dataclasses import asdict, dataclass, field
from typing import Any

from torch import Tensor, nn

from lightbulb_agents.articles import Articles, Drafts
from lightbulb_agents.categorical_head import CategoricalHead
from lightbulb_agents.choices import Choice, Pick, Slate, Subset
from lightbulb_agents.encoders import ArticleEncoder
from lightbulb_agents.heads import PointerHead
from lightbulb_agents.layout import Layout
from lightbulb_backbones.table import BackboneConfig

HEADS = {
    "pointer": PointerHead,
    "slate": PointerHead,
    "multibinary": PointerHead,
    "categorical": CategoricalHead,
}
"""Registry head → what scores the actions."""


@dataclass(frozen=True)
class NetworkConfig:
    """What the network is made of."""

    backbone: BackboneConfig = field(default_factory=BackboneConfig)
    article_layers: int = 1
    """Blocks over the sentences of an article."""

    def to_json(self) -> dict[str, Any]:
        """Returns the config as plain data."""
        return asdict(self)

    @staticmethod
    def from_json(data: dict[str, Any]) -> "NetworkConfig":
        """Returns the config of plain data."""
        return NetworkConfig(
            backbone=BackboneConfig(**data["backbone"]), article_layers=data["article_layers"]
        )


class ActorCriticNetwork(nn.Module):
    """Encodes articles once, then decides for any number of drafts of them."""

    def __init__(self, vocabulary_size: int, head: str, layout: Layout, config: NetworkConfig):
        super().__init__()
        if head not in HEADS:
            raise ValueError(
                f"no network acts through a {head!r} head yet: there are {', '.join(HEADS)}"
            )
        self.encoder = ArticleEncoder(vocabulary_size, config.backbone, config.article_layers)
        self.layout = layout
        self._kind = head
        self.head: nn.Module = HEADS[head](config.backbone.width, layout)

    def encode(self, tokens: Tensor) -> Articles:
        """Returns encoded articles for tokens (E, S, T)."""
        articles: Articles = self.head.prepare(*self.encoder(tokens))  # type: ignore[operator]
        return articles

    def decide(self, articles: Articles, drafts: Drafts) -> tuple[Tensor, Tensor]:
        """Returns logits (n, A), -inf where illegal, and values (n,)."""
        logits, value = self.head(articles, drafts)
        return logits, value

    def choice(self, logits: Tensor) -> Choice:
        """Returns the distribution over actions that logits stand for."""
        if self._kind == "slate":
            return Slate(logits, self.layout.places)
        return Subset(logits) if self._kind == "multibinary" else Pick(logits)
