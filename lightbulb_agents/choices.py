"""From logits to actions: one action, a slate in order, a subset, or shares that add up to one.

Shapes: n episodes, A logits, K places of a slate, S sentences.
"""

import functools
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.distributions import Dirichlet, Distribution
from torch.nn import functional


class Choice(Protocol):
    """A distribution over the actions of n episodes."""

    def draw(self, generator: torch.Generator) -> Tensor:
        """Returns an action an episode."""

    def best(self) -> Tensor:
        """Returns the most likely actions, taken greedily where there are several places."""

    def log_prob(self, value: Tensor) -> Tensor:
        """Returns the log-probabilities (n,) of actions."""


class _TorchChoice(Distribution):
    """What Tianshou asks of a distribution."""

    arg_constraints = {}  # noqa: RUF012 # as torch's own
    has_rsample = False

    def __init__(self, logits: Tensor):
        super().__init__(logits.shape[:1], validate_args=False)
        self._logits = logits

    def draw(self, generator: torch.Generator | None) -> Tensor:
        raise NotImplementedError

    def best(self) -> Tensor:
        raise NotImplementedError

    @property
    def mode(self) -> Tensor:
        return self.best()

    def sample(self, sample_shape: Any = ()) -> Tensor:
        return self.draw(None)


class Pick(_TorchChoice):
    """One action by its logits (n, A), -inf where illegal."""

    def draw(self, generator: torch.Generator | None) -> Tensor:
        return torch.multinomial(self._logits.softmax(dim=1), 1, generator=generator).squeeze(1)

    def best(self) -> Tensor:
        return self._logits.argmax(dim=1)

    @functools.cached_property
    def _log_probabilities(self) -> Tensor:
        return self._logits.log_softmax(dim=1)

    def log_prob(self, value: Tensor) -> Tensor:
        return self._log_probabilities.gather(1, value[:, None]).squeeze(1)

    def entropy(self) -> Tensor:
        """Returns the entropy (n,)."""
        known = self._log_probabilities.masked_fill(self._logits.isinf(), 0.0)
        return -(self._log_probabilities.exp() * known).sum(dim=1)


class Slate(_TorchChoice):
    """Sentences in order, drawn without replacement until STOP: the Plackett-Luce model.

    Plackett (1975), "The analysis of permutations". STOP is the last of the A logits; the places
    after it hold STOP too.
    """

    def __init__(self, logits: Tensor, places: int):
        super().__init__(logits)
        self._places = places

    def draw(self, generator: torch.Generator | None) -> Tensor:
        # The largest sums of logits and Gumbel noise come out in the order of such draws.
        uniform = torch.rand(self._logits.shape, generator=generator).clamp(min=1e-20)
        return self._ranked(self._logits - torch.log(-torch.log(uniform)))

    def best(self) -> Tensor:
        return self._ranked(self._logits)

    def _ranked(self, scores: Tensor) -> Tensor:
        """Returns (n, K): the highest scores in order, and STOP from where it comes on."""
        stop = scores.shape[1] - 1
        places = min(self._places, scores.shape[1])
        value, order = scores.topk(places, dim=1)
        ends = (order == stop) | value.isinf()
        slate = torch.where(ends.cumsum(dim=1) > 0, stop, order)
        return functional.pad(slate, (0, self._places - places), value=stop)

    def log_prob(self, value: Tensor) -> Tensor:
        stop = self._logits.shape[1] - 1
        left, total = self._logits, torch.zeros(len(self._logits))
        goes_on = torch.ones(len(value), dtype=torch.bool)
        for place in value.unbind(dim=1):
            chosen = left.log_softmax(dim=1).gather(1, place[:, None]).squeeze(1)
            total = total + torch.where(goes_on, chosen, 0.0)
            goes_on = goes_on & (place != stop)
            used = functional.one_hot(place, stop + 1).bool()
            used[:, stop] = False
            left = left.masked_fill(used, -torch.inf)
        return total

    def entropy(self) -> Tensor:
        """Returns the entropy (n,) of the first place: that of the slate has no closed form."""
        return Pick(self._logits).entropy()


class Subset(_TorchChoice):
    """Every sentence in or out by itself: its logit is its score less that of STOP.

    Of A = S + 1 logits (n, A) the last is STOP's; -inf where a sentence may not be in.
    """

    def __init__(self, logits: Tensor):
        super().__init__(logits)
        self._may = torch.isfinite(logits[:, :-1])
        self._chance = torch.where(self._may, logits[:, :-1] - logits[:, -1:], 0.0)

    def draw(self, generator: torch.Generator | None) -> Tensor:
        chance = self._chance.sigmoid() * self._may
        return torch.bernoulli(chance, generator=generator).long()

    def best(self) -> Tensor:
        return ((self._chance > 0) & self._may).long()

    def log_prob(self, value: Tensor) -> Tensor:
        sign = torch.where(value > 0, self._chance, -self._chance)
        return (functional.logsigmoid(sign) * self._may).sum(dim=1)

    def entropy(self) -> Tensor:
        """Returns the entropy (n,)."""
        chance = self._chance.sigmoid()
        own = -chance * functional.logsigmoid(self._chance)
        own = own - (1 - chance) * functional.logsigmoid(-self._chance)
        return (own * self._may).sum(dim=1)


class Shares(_TorchChoice):
    """A share for each of A labels: a Dirichlet distribution with parameters 1 + softplus(logit).

    No parameter is less than 1, so the density has one peak and is finite.
    """

    def __init__(self, logits: Tensor):
        super().__init__(logits)
        self._dirichlet = Dirichlet(1 + functional.softplus(logits), validate_args=False)

    def draw(self, generator: torch.Generator | None) -> Tensor:
        gamma = torch._standard_gamma(self._dirichlet.concentration.detach(), generator=generator)
        return gamma / gamma.sum(dim=1, keepdim=True)

    def best(self) -> Tensor:
        """Returns the mean, which is what a proper scoring rule pays for, and not the peak."""
        return self._dirichlet.mean

    def log_prob(self, value: Tensor) -> Tensor:
        found: Tensor = self._dirichlet.log_prob(value)
        return found

    def entropy(self) -> Tensor:
        """Returns the differential entropy (n,)."""
        found: Tensor = self._dirichlet.entropy()
        return found
