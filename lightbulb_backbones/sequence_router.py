"""The router of whole texts: what a text's prefix looks like decides which expert reads all of it.

From features f of the prefix, its attention (`attention_features`) and the mean of its states,
normalised, for the attention's shares are far larger at first:

    p = softmax(MLP(f));   i = argmax p;   y = x + g (expert_i(x) - x),   g = p_i / stop(p_i) = 1

The gate g is 1 in value, so a text is read as by its expert alone, and its gradient tells the
router what more of the expert would be worth (straight through; Bengio et al. 2013):

    dL/dp_i = <dL/dy, expert_i(x) - x> / p_i

That compares an expert with none, to first order: it is near zero where an expert has learnt all it
can and large where one has learnt nothing yet, so by itself it leads texts away from the better.
In training Gumbel noise is added to the logits, so experts are drawn by p, and what was drawn can
be compared with what others lost (REINFORCE; Williams 1992), over the batch of all processes:

    dL/dlog p_i = worth (L - mean L),   L the mean loss of a text's tokens

A difference between experts of more nats than the balance loss weighs decides, a smaller one does
not. Where a share of the texts goes without noise, the balance loss counts what is chosen, too:
probabilities alone are even long before choices are, and kinds of texts may share their likeliest
expert. The decision sees the
prefix alone and stays, for a causal network must not be told what is to come. It departs from
the switch layer (Fedus et al. 2021) in that texts are routed, not tokens.
"""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from lightbulb_backbones.carried import Carried, State, take_rows
from lightbulb_backbones.causal_attention import Sight
from lightbulb_backbones.switch import Routed, over_processes

ROUTE = "route"
"""The entry of a state that says which expert reads a text, from 1; 0 where none does yet."""
Expert = Callable[[Tensor, Sight, Tensor | None, Carried | None], Tensor]
"""Reads states (B, T, D), told what they see, what is not padding, and what came before."""


class SequenceRouter(nn.Module):
    """Decides which expert reads a text.

    Args:
        features: F, numbers that describe a prefix.
        experts: E.
        inner: of its network.
        noise: of the logits, in training.
        explored: share of the texts of training to whose logits noise is added.
    """

    def __init__(
        self,
        features: int,
        experts: int,
        inner: int = 64,
        noise: float = 1.0,
        explored: float = 1.0,
    ):
        super().__init__()
        self.noise = noise
        self.explored = explored
        self.norm = nn.LayerNorm(features)
        self.inner = nn.Linear(features, inner)
        self.logits = nn.Linear(inner, experts)

    def forward(self, features: Float[Tensor, "B F"]) -> Routed:
        """Returns which expert reads each text."""
        with torch.autocast(features.device.type, enabled=False):
            inner = self.inner(self.norm(features.to(self.inner.weight.dtype)))
            logits = self.logits(functional.gelu(inner)).float()
        if not (self.training and self.noise):
            return Routed(logits, logits.argmax(dim=1))
        uniform = torch.rand_like(logits).clamp(min=1e-20)
        tried = logits - self.noise * (-uniform.log()).clamp(min=1e-20).log()
        explores = torch.ones_like(logits[:, 0]).bool()
        if self.explored < 1:
            explores = torch.rand_like(logits[:, 0]) < self.explored
            tried = torch.where(explores.unsqueeze(1), tried, logits)
        expert = tried.argmax(dim=1)
        return Routed(logits, expert, _log_share(logits / self.noise, expert) * explores)


def gate_of(routed: Routed) -> Float[Tensor, " B"]:
    """Returns ones whose gradient tells the router what more of its choices would be worth."""
    return _of_gradient(_log_share(routed.logits, routed.expert)).exp()


def worth_loss(
    drawn: Float[Tensor, " B"], losses: Float[Tensor, " B"], counted: Bool[Tensor, " B"]
) -> Float[Tensor, ""]:
    """Returns zero, whose gradient tells the router which of its choices lost less than others.

    Args:
        drawn: log-probabilities with which experts were drawn, 0 where one was not.
        losses: of the texts.
        counted: which texts have a loss.
    """
    losses = losses.detach().float() * counted
    total, count = over_processes(torch.stack((losses.sum(), counted.float().sum())))
    count = count.clamp(min=1)
    less = (losses - total / count) * counted
    worth: Tensor = over_processes((less * _of_gradient(drawn)).sum()) / count
    return worth


def _log_share(logits: Float[Tensor, "B E"], expert: Int[Tensor, " B"]) -> Float[Tensor, " B"]:
    return logits.log_softmax(dim=1).gather(1, expert.unsqueeze(1)).squeeze(1)


def _of_gradient(tensor: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    """Returns zeros with a tensor's gradient."""
    return tensor - tensor.detach()


def read_by_experts(
    experts: Sequence[Expert],
    route: Int[Tensor, " B"],
    states: Float[Tensor, "B T D"],
    sight: Sight,
    keep: Bool[Tensor, "B T"] | None,
    carried: Carried | None,
) -> Float[Tensor, "B T D"]:
    """Returns what every text's own expert makes of it.

    Args:
        route: the number of each text's expert, counted from 0.
        carried: the part of the state that all experts share: a text has one expert, so entries of
            one name are those of whichever reads it.
    """
    found = torch.empty_like(states)
    before = carried.entries() if carried is not None else {}
    after: State = {}
    for number, expert in enumerate(experts):
        rows = (route == number).nonzero().squeeze(1)
        # Where gradients are computed, an expert that reads no text has the gradient 0, not none:
        # processes that train together must compute the same layers.
        if not len(rows) and not torch.is_grad_enabled():
            continue
        taken = take_rows(before, rows)
        own = Carried(dict(taken)) if carried is not None else None
        kept = None if keep is None else keep[rows]
        read = expert(states[rows], sight.rows(rows), kept, own)
        found = found.index_copy(0, rows, read.to(found.dtype))
        if own is not None:
            replaced = {
                name: tensor for name, tensor in own.state.items() if tensor is not taken.get(name)
            }
            _put_rows(after, replaced, rows, len(states))
    if carried is not None:
        for name, tensor in after.items():
            carried[name] = tensor
    return found


def _put_rows(state: State, part: State, rows: Tensor, count: int) -> None:
    """Writes rows' entries into those of all rows, which are zero elsewhere."""
    for name, tensor in part.items():
        if name not in state:
            state[name] = tensor.new_zeros(count, *tensor.shape[1:])
        state[name] = state[name].index_copy(0, rows, tensor)
