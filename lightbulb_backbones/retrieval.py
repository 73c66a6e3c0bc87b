"""Dense passage retrieval (Karpukhin et al. 2020): the product of two towers' vectors says how well
a passage answers a question.

    sim(q, p) = <E_Q(q), E_P(p)> / tau,    loss = -log exp sim(q_i, p_i) / sum_j exp sim(q_i, p_j)

over the passages j of a batch (their section 3.2, "in-batch negatives"). A vector is the mean of a
tower's states; the states themselves are the context that a reader attends to (`rag_attention`). It
departs from the paper in that: its towers are BERT and take the first token's state, and tau is 1.
Here tau is the root of the width, which is how large a product of two vectors of so many numbers of
size 1 is: with less, the best passage had all the probability before anything was learnt.
"""

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from lightbulb_backbones.context import Context
from lightbulb_backbones.padding import PADDING
from lightbulb_backbones.passage_index import PassageIndex
from lightbulb_backbones.transformer import Block, sinusoids

_BATCH = 256
"""Passages that are encoded at a time."""


class LargeEmbedding(nn.Embedding):
    """Embeddings that begin as large as the positions that are added, which would drown others."""

    deviation = 1.0


class Tower(nn.Module):
    """A transformer over a short text, read in both directions.

    Args:
        vocabulary: tokens there are.
        width: D.
        heads, layers: of the transformer.
    """

    def __init__(self, vocabulary: int, width: int, heads: int, layers: int):
        super().__init__()
        self.embed = LargeEmbedding(vocabulary, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(
        self, tokens: Int[Tensor, "B T"], keep: Bool[Tensor, "B T"] | None = None
    ) -> tuple[Float[Tensor, "B D"], Float[Tensor, "B T D"]]:
        """Returns the texts' vectors, and their tokens' states.

        Args:
            keep: what is not padding; by default, what is not 0.
        """
        if keep is None:
            keep = tokens != PADDING
        length, width = tokens.shape[1], self.embed.embedding_dim
        states = self.embed(tokens)
        states = states + sinusoids(length, width, tokens.device).to(states.dtype)
        seen = keep | ~keep.any(dim=1, keepdim=True)
        for block in self.blocks:
            states = block(states, seen)
        states = self.norm(states)
        weight = keep.unsqueeze(2).to(states.dtype)
        vectors = (states * weight).sum(dim=1) / weight.sum(dim=1).clamp(min=1)
        return vectors, states


class Retriever(nn.Module):
    """A question tower, a passage tower, and what they are for.

    Args:
        vocabulary, width, heads, layers: of the towers.
        temperature: tau, by default the root of the width.
    """

    def __init__(
        self,
        vocabulary: int,
        width: int,
        heads: int,
        layers: int,
        temperature: float | None = None,
    ):
        super().__init__()
        self.questions = Tower(vocabulary, width, heads, layers)
        self.passages = Tower(vocabulary, width, heads, layers)
        self.temperature = math.sqrt(width) if temperature is None else temperature

    def loss(
        self, questions: Int[Tensor, "B T"], passages: Int[Tensor, "B M"]
    ) -> Float[Tensor, ""]:
        """Returns the loss of questions whose passages stand in the same rows."""
        asked, told = self.questions(questions)[0], self.passages(passages)[0]
        logits = asked @ told.T / self.temperature
        return functional.cross_entropy(logits, torch.arange(len(logits), device=logits.device))

    def resize(self, vocabulary: int) -> None:
        """Makes room for more tokens, which begin as the others did, or forgets the last."""
        for tower in (self.questions, self.passages):
            known = tower.embed.weight
            told = LargeEmbedding(vocabulary, known.shape[1]).to(known)
            kept = min(vocabulary, len(known))
            with torch.no_grad():
                told.weight[:kept] = known[:kept]
            tower.embed = told

    @torch.no_grad()
    def index(self, passages: Int[Tensor, "P M"], factory: str | None = None) -> PassageIndex:
        """Returns an index of passages, by the vectors that the tower gives them now.

        Args:
            factory: see `PassageIndex`.
        """
        found = PassageIndex(self.passages.embed.embedding_dim, passages.shape[1], factory)
        device = self.passages.embed.weight.device
        for start in range(0, len(passages), _BATCH):
            part = passages[start : start + _BATCH]
            found.add(part, self.passages(part.to(device))[0])
        return found

    def retrieve(
        self,
        index: PassageIndex,
        tokens: Int[Tensor, "B T"],
        keep: Bool[Tensor, "B T"] | None,
        count: int,
    ) -> Context:
        """Returns what the best passages of an index say to questions.

        A reader's loss reaches the question tower by the probabilities and the passage tower by the
        states; the vectors of the index stay as they were made.
        """
        asked = self.questions(tokens, keep)[0]
        _, found = index.search(asked, count)
        vectors = index.vectors[found].to(asked)
        logits = (vectors @ asked.unsqueeze(2)).squeeze(2) / self.temperature
        passages = index.tokens[found].to(tokens.device)  # (B, K, M)
        batch, number, length = passages.shape
        states = self.passages(passages.flatten(0, 1))[1]
        share = logits.log_softmax(dim=1).repeat_interleave(length, dim=1)
        return Context(
            states.view(batch, number * length, states.shape[2]),
            (passages != PADDING).flatten(1),
            share,
        )
