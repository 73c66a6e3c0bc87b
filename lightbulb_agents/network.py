"""The actor-critic network: an encoder and a head over one trunk, and its config."""

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lightbulb_agents.encoders import ArticleEncoder
from lightbulb_agents.heads import Articles, Drafts, PointerHead
from lightbulb_backbones.table import BackboneConfig

HEADS = {"pointer": PointerHead}
"""Registry head → what acts."""


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

    def __init__(self, vocabulary_size: int, head: str, config: NetworkConfig):
        super().__init__()
        if head not in HEADS:
            raise ValueError(
                f"no network acts through a {head!r} head yet: there are {', '.join(HEADS)}"
            )
        self.encoder = ArticleEncoder(vocabulary_size, config.backbone, config.article_layers)
        self.head = HEADS[head](config.backbone.width)

    def encode(self, tokens: Tensor) -> Articles:
        """Returns encoded articles for tokens (E, S, T)."""
        articles: Articles = self.head.prepare(*self.encoder(tokens))
        return articles

    def decide(self, articles: Articles, drafts: Drafts) -> tuple[Tensor, Tensor]:
        """Returns logits (n, S + 1), -inf where illegal, and values (n,)."""
        logits, value = self.head(articles, drafts)
        return logits, value


def order_of_picks(selected: NDArray[np.int8]) -> NDArray[np.int64]:
    """Returns the picks (n, K) in order, -1 past the last, from places in drafts (n, S)."""
    rows, sentences = np.nonzero(selected)
    most = int(selected.max(initial=0))
    picks = np.full((len(selected), max(most, 1)), -1, dtype=np.int64)
    picks[rows, selected[rows, sentences] - 1] = sentences
    return picks


def read_drafts(observation: dict[str, NDArray[Any]], article: NDArray[np.int64]) -> Drafts:
    """Returns observations of n episodes as tensors; `article` (n,) says whose article is whose."""
    return Drafts(
        article=torch.from_numpy(article),
        picks=torch.from_numpy(order_of_picks(observation["selected"])),
        budget=torch.from_numpy(observation["budget"]),
        action_mask=torch.from_numpy(observation["action_mask"]).bool(),
    )
