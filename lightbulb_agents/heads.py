"""The pointer head: scores for the sentences and STOP, and the value of the draft.

What depends on the article alone is computed once an article (`prepare`); a step pays only for
the draft. Each sentence attends to the sentences picked so far, so that it can tell whether it
repeats them.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from lightbulb_agents.articles import Articles, Drafts
from lightbulb_agents.layout import Layout


@dataclass(frozen=True)
class Pages(Articles):
    """E articles sentence by sentence."""

    states: Tensor  # (E, S, D)
    query: Tensor  # (E, S, D)
    key: Tensor  # (E, S, D)
    value: Tensor  # (E, S, D)
    base: Tensor  # (E, S, D), a sentence's own share of its score
    gist: Tensor  # (E, D)


class PointerHead(nn.Module):
    """Logits over S + 1 actions and a value, from encoded articles and drafts.

    Args:
        numbers: how many an action has, and the value: more than one where they are quantiles.
    """

    def __init__(self, width: int, layout: Layout, numbers: int = 1):
        super().__init__()
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.nothing = nn.Parameter(torch.zeros(width))
        self.base = nn.Linear(width, width)
        self.relation = nn.Linear(width, width, bias=False)
        self.context = nn.Linear(3 * width + layout.vector_width, width)
        self.attention = nn.Linear(width, 1)
        self.score = nn.Linear(width, numbers)
        stop, worth = nn.Linear(width, numbers), nn.Linear(width, numbers)
        self.stop = nn.Sequential(nn.Linear(2 * width, width), nn.GELU(), stop)
        self.worth = nn.Sequential(
            nn.Linear(4 * width + layout.vector_width, width), nn.GELU(), worth
        )
        self.features = nn.Linear(layout.features, width, bias=False) if layout.features else None
        for last in (self.score, stop, worth):
            nn.init.normal_(last.weight, std=0.01)
            nn.init.zeros_(last.bias)

    def prepare(self, states: Tensor, is_real: Tensor) -> Pages:
        """Returns articles to act on, from states (E, S, D) and real sentences (E, S)."""
        weight = self.attention(states).squeeze(2).masked_fill(~is_real, -1e9).softmax(dim=1)
        return Pages(
            states=states,
            query=self.query(states),
            key=self.key(states),
            value=self.value(states),
            base=self.base(states),
            gist=(weight.unsqueeze(2) * states).sum(dim=1),
        )

    def forward(self, articles: Pages, drafts: Drafts) -> tuple[Tensor, Tensor]:
        """Returns logits (n, S + 1), -inf where illegal, and values (n,).

        With several numbers each, (n, S + 1, numbers) and (n, numbers).
        """
        own = articles[drafts.article]
        is_pick = drafts.picks >= 0
        picks = drafts.picks.clamp(min=0)
        picked = _gather(own.states, picks) * is_pick.unsqueeze(2)
        related = self._relate(own, picks, is_pick)
        total = picked.sum(dim=1)
        mean = total / is_pick.sum(dim=1, keepdim=True).clamp(min=1)
        context = self.context(torch.cat((own.gist, total, mean, drafts.vectors), dim=1))
        seen = own.base + self.relation(related) + context.unsqueeze(1)
        if self.features is not None:
            seen = seen + self.features(drafts.features)
        hidden = functional.gelu(seen)
        is_open = drafts.action_mask[:, :-1]
        best = hidden.masked_fill(~is_open.unsqueeze(2), -1.0).amax(dim=1)
        stop = self.stop(torch.cat((best, context), dim=1))
        logits = torch.cat((self.score(hidden), stop.unsqueeze(1)), dim=1)
        worth = self.worth(torch.cat((best, own.gist, total, context, drafts.vectors), dim=1))
        logits = logits.masked_fill(~drafts.action_mask.unsqueeze(2), -torch.inf)
        return (logits, worth) if worth.shape[1] > 1 else (logits.squeeze(2), worth.squeeze(1))

    def _relate(self, own: Pages, picks: Tensor, is_pick: Tensor) -> Tensor:
        """Returns for every sentence what it finds among the picks, (n, S, D)."""
        key, value = _gather(own.key, picks), _gather(own.value, picks)
        match = own.query @ key.transpose(1, 2) / math.sqrt(key.shape[2])
        match = match.masked_fill(~is_pick.unsqueeze(1), -1e9)
        nothing = (own.query @ self.nothing).unsqueeze(2)
        weight = torch.cat((match, nothing), dim=2).softmax(dim=2)[:, :, :-1]
        return (weight * is_pick.unsqueeze(1)) @ value


def _gather(states: Tensor, picks: Tensor) -> Tensor:
    """Returns the states (n, K, D) of the sentences picked, from states (n, S, D)."""
    return states.gather(1, picks.unsqueeze(2).expand(-1, -1, states.shape[2]))
