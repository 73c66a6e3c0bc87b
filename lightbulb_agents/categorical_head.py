"""The categorical head: scores for a fixed list of actions, and the value of the state."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lightbulb_agents.articles import Articles, Drafts
from lightbulb_agents.layout import Layout


@dataclass(frozen=True)
class Gists(Articles):
    """E articles read whole."""

    gist: Tensor  # (E, 2 D)


class CategoricalHead(nn.Module):
    """Logits over A actions and a value, from what an article says as a whole.

    Args:
        numbers: how many an action has, and the value: more than one where they are quantiles.
    """

    def __init__(self, width: int, layout: Layout, numbers: int = 1):
        super().__init__()
        self._numbers = numbers
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
        weight = self.attention(states).squeeze(2).masked_fill(~keep, -1e9).softmax(dim=1)
        mean = (weight.unsqueeze(2) * states).sum(dim=1)
        most = states.masked_fill(~keep.unsqueeze(2), -1e9).amax(dim=1)
        return Gists(gist=torch.cat((mean, most), dim=1))

    def forward(self, articles: Gists, drafts: Drafts) -> tuple[Tensor, Tensor]:
        """Returns logits (n, A), -inf where illegal, and values (n,).

        With several numbers each, (n, A, numbers) and (n, numbers).
        """
        known = torch.cat((articles[drafts.article].gist, drafts.vectors), dim=1)
        logits, worth = self.act(known), self.worth(known)
        if self._numbers == 1:
            return logits.masked_fill(~drafts.action_mask, -torch.inf), worth.squeeze(1)
        logits = logits.view(len(known), -1, self._numbers)
        return logits.masked_fill(~drafts.action_mask.unsqueeze(2), -torch.inf), worth
