"""Layers of causal networks: a mixer and a feed-forward network, on normalised input, and added.

Pre-normalisation by root mean square (Zhang and Sennrich 2019), gated feed-forward networks
(SwiGLU; Shazeer 2020, equation 6), no biases and no dropout: in reinforcement learning the
probabilities of a rollout must be those of the update.
"""

from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional
from transformers.modeling_layers import GradientCheckpointingLayer

from lightbulb_backbones.carried import Carried
from lightbulb_backbones.causal_attention import CausalAttention, Sight
from lightbulb_backbones.switch import Routed, SwitchFeedForward


class GatedFeedForward(nn.Module):
    """SwiGLU: W_down (SiLU(W_gate x) * W_up x).

    Args:
        width: D.
        inner: length of what is between.
    """

    def __init__(self, width: int, inner: int):
        super().__init__()
        self.gate = nn.Linear(width, inner, bias=False)
        self.up = nn.Linear(width, inner, bias=False)
        self.down = nn.Linear(inner, width, bias=False)

    def forward(self, states: Float[Tensor, "*B D"]) -> Float[Tensor, "*B D"]:
        """Returns what is added to the states."""
        fed: Tensor = self.down(functional.silu(self.gate(states)) * self.up(states))
        return fed


class AttentionBlock(GradientCheckpointingLayer):
    """Causal attention and a feed-forward network.

    Args:
        attention: to the past, or to more than it.
        inner: of the feed-forward network.
    """

    def __init__(self, attention: CausalAttention, inner: int):
        super().__init__()
        width = attention.width
        self.attention_norm = nn.RMSNorm(width)
        self.attention = attention
        self.feed_norm = nn.RMSNorm(width)
        self.feed = GatedFeedForward(width, inner)

    def forward(
        self, states: Float[Tensor, "B T D"], sight: Sight, carried: Carried | None = None
    ) -> Float[Tensor, "B T D"]:
        """Returns the states of the next layer."""
        mixed: Tensor = states + self.attention(self.attention_norm(states), sight, carried)
        fed: Tensor = mixed + self.feed(self.feed_norm(mixed))
        return fed


class SwitchBlock(GradientCheckpointingLayer):
    """Causal attention and a switch layer; see `SwitchFeedForward` for the arguments."""

    def __init__(
        self,
        width: int,
        heads: int,
        inner: int,
        experts: int,
        capacity: float = 1.25,
        jitter: float = 0.0,
    ):
        super().__init__()
        self.attention_norm = nn.RMSNorm(width)
        self.attention = CausalAttention(width, heads)
        self.feed_norm = nn.RMSNorm(width)
        self.feed = SwitchFeedForward(width, inner, experts, capacity, jitter)

    def forward(
        self,
        states: Float[Tensor, "B T D"],
        sight: Sight,
        keep: Bool[Tensor, "B T"] | None = None,
        carried: Carried | None = None,
    ) -> tuple[Float[Tensor, "B T D"], Routed]:
        """Returns the states of the next layer, and how the tokens were routed."""
        states = states + self.attention(self.attention_norm(states), sight, carried)
        fed, routed = self.feed(self.feed_norm(states), keep)
        return states + fed, routed
