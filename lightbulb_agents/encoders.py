"""From the tokens of articles to states of their sentences.

The backbone reads a sentence at a time; its states are pooled into one a sentence; blocks over
the sentences of an article let each see the others. Letters of shapes: E articles, S sentences,
T tokens, D width, B sentences at once.
"""

from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from lightbulb_backbones.table import BackboneConfig, make_backbone
from lightbulb_backbones.transformer import Block, sinusoids

_CHUNKS = 3
"""Sentences are read in so many groups of similar length, so that little padding is read."""


class ArticleEncoder(nn.Module):
    """Backbone, pooling, and `layers` blocks over the sentences of an article.

    Args:
        is_causal: whether a sentence sees those before it alone, so that the states of a text are
            those of its beginnings too.
        asks_all: whether a head asks for the states of sentences that are not there, as one that
            chooses what to read does.
        dropout: share of the tokens that are hidden while it learns, drawn anew at every look.
    """

    def __init__(
        self,
        vocabulary_size: int,
        backbone: BackboneConfig,
        layers: int,
        *,
        is_causal: bool = False,
        asks_all: bool = True,
        dropout: float = 0.0,
    ):
        super().__init__()
        self.is_causal = is_causal
        self.asks_all = asks_all
        self.dropout = dropout
        width = backbone.width
        self.width = width
        self.backbone = make_backbone(vocabulary_size, backbone)
        self._is_frozen = backbone.tuning == "frozen"
        own: Any = self.backbone.config
        self.narrow = (
            nn.Identity() if own.hidden_size == width else nn.Linear(own.hidden_size, width)
        )
        self.pooled = nn.Sequential(
            nn.LayerNorm(2 * width),
            nn.Linear(2 * width, 2 * width),
            nn.GELU(),
            nn.Linear(2 * width, width),
        )
        self.position = nn.Linear(width, width, bias=False)
        self.blocks = nn.ModuleList(Block(width, backbone.heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def train(self, mode: bool = True) -> Self:
        """Sets the mode of all but the backbone, which computes in training as it does in acting.

        The probabilities of a rollout must be those of the update: no dropout of a model that has
        any, no noise of routers, no token that finds no room.
        """
        super().train(mode)
        self.backbone.eval()
        return self

    def forward(
        self, tokens: Tensor, is_causal: bool | None = None, asks_all: bool | None = None
    ) -> tuple[Tensor, Tensor]:
        """Returns states (E, S, D) for tokens (E, S, T), and which sentences are real (E, S).

        Args:
            is_causal, asks_all: as of the encoder, which a task of several may want otherwise.
        """
        is_causal = self.is_causal if is_causal is None else is_causal
        asks_all = self.asks_all if asks_all is None else asks_all
        most = tokens.shape[1]
        is_real = (tokens != 0).any(dim=2)
        sentences = most
        if (is_causal or not asks_all) and is_real.any():  # no state for what is not there
            sentences = int(is_real.any(dim=0).nonzero().max()) + 1
        tokens, is_real = tokens[:, :sentences], is_real[:, :sentences]
        articles = len(tokens)
        pooled = torch.zeros(articles * sentences, 2 * self.width, device=tokens.device)
        rows = tokens[is_real]
        if len(rows):
            places = is_real.flatten().nonzero().squeeze(1)
            pooled = pooled.index_copy(0, places, self._read(rows))
        states = self.pooled(pooled.view(articles, sentences, 2 * self.width))
        places_encoding = sinusoids(sentences, self.width, tokens.device)
        states = states + self.position(places_encoding)
        # An article without a sentence still needs something to attend to.
        keep = is_real | ~is_real.any(dim=1, keepdim=True)
        for block in self.blocks:
            states = block(states, keep, is_causal=is_causal)
        beyond = most - sentences
        return functional.pad(self.norm(states), (0, 0, 0, beyond)), functional.pad(
            is_real, (0, beyond)
        )

    def read_words(self, words: Tensor) -> Tensor:
        """Returns the states (E, W, 2 D) of words, told in pieces (E, W, P), each by itself."""
        is_word = (words != 0).any(dim=2)
        states = torch.zeros(is_word.numel(), 2 * self.width, device=words.device)
        if is_word.any():
            places = is_word.flatten().nonzero().squeeze(1)
            states = states.index_copy(0, places, self._read(words[is_word]))
        return states.view(*words.shape[:2], -1)

    def _read(self, rows: Tensor) -> Tensor:
        """Returns (B, 2 D): mean and scaled sum of the states of every sentence's tokens."""
        lengths = (rows != 0).sum(dim=1)
        order = lengths.argsort(stable=True)
        read = []
        for chunk in order.chunk(_CHUNKS):
            tokens = rows[chunk, : int(lengths[chunk].max())]
            keep = self._kept(tokens)
            with torch.set_grad_enabled(torch.is_grad_enabled() and not self._is_frozen):
                states = self.backbone(input_ids=tokens, attention_mask=keep).last_hidden_state
            states = self.narrow(states)
            total = (states * keep.unsqueeze(2)).sum(dim=1)
            count = keep.sum(dim=1, keepdim=True)
            read.append(torch.cat((total / count, total / count.sqrt()), dim=1))
        back = torch.empty_like(order)
        back[order] = torch.arange(len(order), device=order.device)
        return torch.cat(read).index_select(0, back)

    def _kept(self, tokens: Tensor) -> Tensor:
        """Returns which of the tokens (B, T) are looked at: all there are, or some of them."""
        is_there = tokens != 0
        if not (self.training and self.dropout):
            return is_there
        keep = is_there & (torch.rand(tokens.shape, device=tokens.device) >= self.dropout)
        return torch.where(keep.any(dim=1, keepdim=True), keep, is_there)
