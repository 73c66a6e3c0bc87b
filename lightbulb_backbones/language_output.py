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
    """What the routers add to a loss."""


@dataclass
class LanguageExpertCausalOutput(LanguageExpertOutput):
    """The same with what comes next."""

    loss: Float[Tensor, ""] | None = None
    """Cross-entropy of the labels behind the prefix, a token, and the routers' loss."""
    logits: Float[Tensor, "B T V"] | None = None
