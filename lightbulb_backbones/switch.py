"""The switch layer (Fedus et al. 2021, section 2): each token is fed to one of several networks.

With E experts, for a token x and the router's weights W:

    p = softmax(W x);   i = argmax p;   y = p_i expert_i(x)                             (equation 2)
    balance = E sum_i f_i P_i,  f_i the share of tokens sent to i, P_i the mean of p_i  (equation 4)
    z = mean(logsumexp(W x)^2)                           (Zoph et al. 2022, "ST-MoE", equation 5)

In training an expert takes ceil(capacity T / E) tokens of a text, the first that come; those beyond
it are fed to none, and what is added to them is zero. Otherwise every token is fed, so that what a
token becomes depends on no other. It departs from the paper in two ways: f and P are those of all
tokens of all processes (Qiu et al. 2025: balance within each small batch keeps experts from
specialising), and padding is neither fed nor counted.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, distributed, nn
from torch.nn import functional


@dataclass(frozen=True)
class Routed:
    """How a router decided, for its losses: n texts or tokens, E experts."""

    logits: Float[Tensor, "n E"]
    expert: Int[Tensor, " n"]
    drawn: Float[Tensor, " n"] | None = None
    """Log-probabilities with which experts were drawn, 0 where one was not; None if none was."""


def balance_loss(routed: Routed) -> Float[Tensor, ""]:
    """Returns how unevenly experts are used, 1 where evenly; over all processes' routes."""
    experts = routed.logits.shape[1]
    probability = routed.logits.softmax(dim=1)
    chosen = functional.one_hot(routed.expert, experts).to(probability.dtype).sum(dim=0)
    sent, likely = over_processes(chosen), over_processes(probability.sum(dim=0))
    count = sent.sum().clamp(min=1)
    balance: Tensor = experts * ((sent / count) * (likely / count)).sum()
    return balance


def z_loss(routed: Routed) -> Float[Tensor, ""]:
    """Returns the mean square of the logits' log-sum-exp, which keeps them small."""
    squares = routed.logits.logsumexp(dim=1).square()
    total = over_processes(torch.stack((squares.sum(), squares.new_tensor(len(squares)))))
    mean: Tensor = total[0] / total[1].detach().clamp(min=1)
    return mean


def over_processes(own: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    """Returns sums over all processes; all must ask for them alike.

    The others' are numbers to this process, whose own has a gradient. Averaged over the processes,
    as gradients are, it is that of the whole.
    """
    if not (distributed.is_available() and distributed.is_initialized()):
        return own
    total = own.detach().clone()
    distributed.all_reduce(total)
    count = distributed.get_world_size()
    return total + count * (own - own.detach())


class SwitchFeedForward(nn.Module):
    """E two-layer networks, of which a token is fed to one.

    Args:
        width: D.
        inner: of the networks.
        experts: E.
        capacity: how much more than its even share of a text's tokens an expert takes in training.
        jitter: in training, the router's input is multiplied by 1 - jitter to 1 + jitter.
    """

    def __init__(
        self, width: int, inner: int, experts: int, capacity: float = 1.25, jitter: float = 0.0
    ):
        super().__init__()
        if experts < 1:
            raise ValueError(f"experts must be 1 or more, got {experts}")
        if not capacity > 0:
            raise ValueError(f"capacity must be more than 0, got {capacity}")
        self.capacity = capacity
        self.jitter = jitter
        self.router = nn.Linear(width, experts, bias=False)
        self.experts = nn.ModuleList(FeedForward(width, inner) for _ in range(experts))

    def forward(
        self, states: Float[Tensor, "B T D"], keep: Bool[Tensor, "B T"] | None = None
    ) -> tuple[Float[Tensor, "B T D"], Routed]:
        """Returns what is added to the tokens, and how they were routed.

        Args:
            keep: which tokens are not padding; None where all are.
        """
        if keep is None:
            keep = torch.ones(states.shape[:2], dtype=torch.bool, device=states.device)
        asked = states.float() if states.dtype in (torch.float16, torch.bfloat16) else states
        if self.training and self.jitter:
            asked = asked * torch.empty_like(asked).uniform_(1 - self.jitter, 1 + self.jitter)
        with torch.autocast(asked.device.type, enabled=False):
            logits = functional.linear(asked, self.router.weight.to(asked.dtype))
        probability, expert = logits.softmax(dim=2).max(dim=2)
        fed = keep & self._has_room(expert, keep) if self.training else keep
        tokens = states[fed]
        chosen, share = expert[fed], probability[fed].to(states.dtype)
        found = torch.zeros_like(tokens)
        for number, network in enumerate(self.experts):
            rows = (chosen == number).nonzero().squeeze(1)
            if len(rows) or torch.is_grad_enabled():  # as of `read_by_experts`
                found = found.index_copy(0, rows, network(tokens[rows]).to(found.dtype))
        added = torch.zeros_like(states)
        added[fed] = found * share.unsqueeze(1)
        return added, Routed(logits[keep], expert[keep])

    def _has_room(
        self, expert: Int[Tensor, "B T"], keep: Bool[Tensor, "B T"]
    ) -> Bool[Tensor, "B T"]:
        """Returns which tokens come before their expert has taken all it takes of their text."""
        count = len(self.experts)
        length = keep.sum(dim=1, keepdim=True).double()
        room = torch.ceil(self.capacity * length / count)
        chosen = functional.one_hot(expert, count) * keep.unsqueeze(2)
        place = chosen.cumsum(dim=1).gather(2, expert.unsqueeze(2)).squeeze(2)
        return place <= room


class FeedForward(nn.Module):
    """Two layers with a rectifier between them, as in the paper."""

    def __init__(self, width: int, inner: int):
        super().__init__()
        self.wi = nn.Linear(width, inner, bias=False)
        self.wo = nn.Linear(inner, width, bias=False)

    def forward(self, states: Float[Tensor, "*B D"]) -> Float[Tensor, "*B D"]:
        """Returns what the network makes of states."""
        fed: Tensor = self.wo(self.wi(states).relu())
        return fed
