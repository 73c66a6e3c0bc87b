"""The pointer head: scores for the sentences and STOP, and the value of the draft.

What depends on the article alone is computed once an article (`prepare`); a step pays only for
the draft. Each sentence attends to the sentences picked so far, so that it can tell whether it
repeats them.
"""

import math
from dataclasses import dataclass, fields

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class Articles:
    """E encoded articles; every tensor starts with E."""

    states: Tensor  # (E, S, D)
    query: Tensor  # (E, S, D)
    key: Tensor  # (E, S, D)
    value: Tensor  # (E, S, D)
    base: Tensor  # (E, S, D), a sentence's own share of its score
    gist: Tensor  # (E, D)

    def __getitem__(self, rows: Tensor) -> "Articles":
        # Not `tensor[rows]`: on several threads its gradient adds up in no fixed order.
        return Articles(
            **{one.name: getattr(self, one.name).index_select(0, rows) for one in fields(self)}
        )


@dataclass(frozen=True)
class Drafts:
    """What the agent sees of n episodes besides their articles."""

    article: Tensor  # (n,), which of the encoded articles
    picks: Tensor  # (n, K), sentences in the order of picking, -1 past the last
    budget: Tensor  # (n, 1), the share that is left
    action_mask: Tensor  # (n, S + 1), true where legal


class PointerHead(nn.Module):
    """Logits over S + 1 actions and a value, from encoded articles and drafts."""

    def __init__(self, width: int):
        super().__init__()
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.nothing = nn.Parameter(torch.zeros(width))
        self.base = nn.Linear(width, width)
        self.relation = nn.Linear(width, width, bias=False)
        self.context = nn.Linear(3 * width + 1, width)
        self.attention = nn.Linear(width, 1)
        self.score = nn.Linear(width, 1)
        stop, worth = nn.Linear(width, 1), nn.Linear(width, 1)
        self.stop = nn.Sequential(nn.Linear(2 * width, width), nn.GELU(), stop)
        self.worth = nn.Sequential(nn.Linear(4 * width + 1, width), nn.GELU(), worth)
        for last in (self.score, stop, worth):
            nn.init.normal_(last.weight, std=0.01)
            nn.init.zeros_(last.bias)

    def prepare(self, states: Tensor, is_real: Tensor) -> Articles:
        """Returns articles to act on, from states (E, S, D) and real sentences (E, S)."""
        weight = self.attention(states).squeeze(2).masked_fill(~is_real, -1e9).softmax(dim=1)
        return Articles(
            states=states,
            query=self.query(states),
            key=self.key(states),
            value=self.value(states),
            base=self.base(states),
            gist=(weight.unsqueeze(2) * states).sum(dim=1),
        )

    def forward(self, articles: Articles, drafts: Drafts) -> tuple[Tensor, Tensor]:
        """Returns logits (n, S + 1), -inf where illegal, and values (n,)."""
        own = articles[drafts.article]
        is_pick = drafts.picks >= 0
        picks = drafts.picks.clamp(min=0)
        picked = _gather(own.states, picks) * is_pick.unsqueeze(2)
        related = self._relate(own, picks, is_pick)
        total = picked.sum(dim=1)
        mean = total / is_pick.sum(dim=1, keepdim=True).clamp(min=1)
        context = self.context(torch.cat((own.gist, total, mean, drafts.budget), dim=1))
        hidden = functional.gelu(own.base + self.relation(related) + context.unsqueeze(1))
        is_open = drafts.action_mask[:, :-1]
        best = hidden.masked_fill(~is_open.unsqueeze(2), -1.0).amax(dim=1)
        logits = torch.cat(
            (self.score(hidden).squeeze(2), self.stop(torch.cat((best, context), dim=1))), dim=1
        )
        worth = self.worth(torch.cat((best, own.gist, total, context, drafts.budget), dim=1))
        return logits.masked_fill(~drafts.action_mask, -torch.inf), worth.squeeze(1)

    def _relate(self, own: Articles, picks: Tensor, is_pick: Tensor) -> Tensor:
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
