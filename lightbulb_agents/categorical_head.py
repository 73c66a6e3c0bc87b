"""The categorical head: scores for a fixed list of actions, and the value of the state."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lightbulb_agents.articles import Articles, Drafts
from lightbulb_agents.layout import Layout

_LEAST, _TINY = -60.0, 1e-30
"""What a weight of a mean may be at least, as a logarithm, and a sum of weights."""


@dataclass(frozen=True)
class Gists(Articles):
    """E articles read whole, or up to each of their rows."""

    gist: Tensor  # (E, 1, 2 D), or (E, S, 2 D) of beginnings


class CategoricalHead(nn.Module):
    """Logits over A actions and a value, from what an article says as a whole.

    Args:
        numbers: how many an action has, and the value: more than one where they are quantiles.
    """

    def __init__(self, width: int, layout: Layout, numbers: int = 1):
        super().__init__()
        self._numbers = numbers
        self._in_order = layout.in_order
        self.attention = nn.Linear(width, 1)
        act, worth = nn.Linear(width, layout.actions * numbers), nn.Linear(width, numbers)
        size = 2 * width + layout.vector_width
        self.act = nn.Sequential(nn.Linear(size, width), nn.GELU(), act)
        self.worth = nn.Sequential(nn.Linear(size, width), nn.GELU(), worth)
        for last in (act, worth):
            nn.init.normal_(last.weight, std=0.01)
            nn.init.zeros_(last.bias)

    def prepare(self, states: Tensor, is_real: Tensor) -> Gists:
        """Returns articles to act on, from states (E, S, D) and real sentences (E, S)."""
        keep = is_real | ~is_real.any(dim=1, keepdim=True)
        score = self.attention(states).masked_fill(~keep.unsqueeze(2), -1e9)
        hidden = states.masked_fill(~keep.unsqueeze(2), -1e9)
        if not self._in_order:
            mean = (score.softmax(dim=1) * states).sum(dim=1, keepdim=True)
            return Gists(gist=torch.cat((mean, hidden.amax(dim=1, keepdim=True)), dim=2))
        weight = (score - score.amax(dim=1, keepdim=True)).clamp(min=_LEAST).exp() * keep[..., None]
        mean = (weight * states).cumsum(dim=1) / weight.cumsum(dim=1).clamp(min=_TINY)
        return Gists(gist=torch.cat((mean, hidden.cummax(dim=1).values), dim=2))

    def forward(self, articles: Gists, drafts: Drafts) -> tuple[Tensor, Tensor]:
        """Returns logits (n, A), -inf where illegal, and values (n,).

        With several numbers each, (n, A, numbers) and (n, numbers).
        """
        place = (
            (drafts.seen - 1).clamp(min=0) if self._in_order else torch.zeros_like(drafts.article)
        )
        gist = articles.gist[drafts.article, place]
        known = torch.cat((gist, drafts.vectors), dim=1)
        logits, worth = self.act(known), self.worth(known)
        if self._numbers == 1:
            return logits.masked_fill(~drafts.action_mask, -torch.inf), worth.squeeze(1)
        logits = logits.view(len(known), -1, self._numbers)
        return logits.masked_fill(~drafts.action_mask.unsqueeze(2), -torch.inf), worth
