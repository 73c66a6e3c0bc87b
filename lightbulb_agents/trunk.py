"""One network run for actor and critic, behind the two modules that Tianshou expects.

Tianshou asks the actor and the critic about the same observations, one after the other. Both ask
this trunk, which answers the second from the first's result as long as the observations, the
weights and the gradient mode are the same.
"""

from typing import Any, Self

import torch
from tianshou.utils.net.common import AbstractDiscreteActor
from torch import Tensor, nn

from lightbulb_agents.articles import Drafts
from lightbulb_agents.network import ArticleNetwork


class Trunk(nn.Module):
    """Runs the network on Tianshou observations, which name articles by number."""

    def __init__(self, network: ArticleNetwork):
        super().__init__()
        self.network = network
        self._weights = list(network.parameters())  # to walk the modules costs more
        self.tokens = torch.zeros(0, dtype=torch.long)
        self._asked: Any = None
        self._state: tuple[bool, int] = (False, -1)
        self._answer: tuple[Tensor, Tensor] | None = None

    def train(self, mode: bool = True) -> Self:
        """Sets the mode of all modules; both that Tianshou holds this by ask for the same."""
        return self if mode == self.training else super().train(mode)

    def set_articles(self, tokens: Tensor) -> None:
        """Sets the articles (E, S, T) that observations number."""
        self.tokens = tokens
        self._asked = self._answer = None

    def forward(self, observation: Any) -> tuple[Tensor, Tensor]:
        """Returns logits (n, A) and values (n,); every article in it is encoded once."""
        version = sum(parameter._version for parameter in self._weights)
        state = (torch.is_grad_enabled(), version)
        if self._answer is None or self._asked is not observation or self._state != state:
            articles, place = torch.unique(
                torch.as_tensor(observation.article), return_inverse=True
            )
            encoded = self.network.encode(self.tokens[articles])
            drafts = Drafts(
                article=place,
                picks=observation.picks,
                vectors=observation.vectors,
                action_mask=observation.action_mask,
                features=observation.features,
                seen=observation.seen,
            )
            self._answer = self.network.decide(encoded, drafts)
            self._asked, self._state = observation, state
        return self._answer


class Actor(AbstractDiscreteActor):
    """The trunk's logits."""

    def __init__(self, trunk: Trunk, actions: int):
        super().__init__(actions)
        self.trunk = trunk

    def get_preprocess_net(self) -> Any:
        """Returns the trunk; Tianshou wants to know."""
        return self.trunk

    def forward(self, obs: Any, state: Any = None, info: Any = None) -> tuple[Tensor, Any]:
        """Returns logits (n, A), -inf where illegal."""
        return self.trunk(obs)[0], state


class Critic(nn.Module):
    """The trunk's values."""

    def __init__(self, trunk: Trunk):
        super().__init__()
        self.trunk = trunk

    def forward(self, obs: Any) -> Tensor:
        """Returns values (n,)."""
        value: Tensor = self.trunk(obs)[1]
        return value
