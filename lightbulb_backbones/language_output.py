"""What the language expert says of texts."""

from dataclasses import dataclass

from jaxtyping import Float, Int
from torch import Tensor
from transformers.utils.generic import ModelOutput

from lightbulb_backbones.state_cache import StateCache


@dataclass
class LanguageExpertOutput(ModelOutput):
    """What the model says of texts: B of them, T tokens."""

    last_hidden_state: Float[Tensor, "B T D"] | None = None
    past_key_values: StateCache | None = None
    route: Int[Tensor, " B"] | None = None
    """The expert that reads each text, by its place in the config's `experts`."""
    prefix: Int[Tensor, " B"] | None = None
    """The tokens by which each was routed."""
    router_loss: Float[Tensor, ""] | None = None
    """What the routers add to a loss, in training."""
    drawn: Float[Tensor, " B"] | None = None
    """Log-probabilities with which experts were drawn, in training; 0 where one was not."""


@dataclass
class LanguageExpertCausalOutput(ModelOutput):
    """The same with what comes next."""

    loss: Float[Tensor, ""] | None = None
    """Cross-entropy of the labels behind the prefix, a token, and in training the routers' loss."""
    logits: Float[Tensor, "B K V"] | None = None
    """Of all tokens, or of those that were asked for."""
    last_hidden_state: Float[Tensor, "B T D"] | None = None
    past_key_values: StateCache | None = None
    route: Int[Tensor, " B"] | None = None
    prefix: Int[Tensor, " B"] | None = None
    router_loss: Float[Tensor, ""] | None = None
    drawn: Float[Tensor, " B"] | None = None
