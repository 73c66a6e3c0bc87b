"""Attention that retrieved passages enter: their tokens are keys and values beside the text's own.

For a query q_t, keys k_j of the text and states c_i of retrieved passages' tokens:

    S_t = [ q_t k_j / sqrt(C)  |  q_t (W_K c_i) / sqrt(C) + log p(z_i | x) + g_h ]
    out = softmax(S_t) [ V | W_V c ]

p(z_i | x) is the probability of the passage that token i is in: a passage's share of attention is
multiplied by it, so the loss of what is read trains the retriever through the attention matrix.
g_h, a head's own number, opens or closes it to all passages. The causal mask is on the text alone,
and positions turn the text's queries and keys alone.

It departs from RAG (Lewis et al. 2020) and REALM (Guu et al. 2020), which read the text once a
passage and mix what comes out, and from RETRO (Borgeaud et al. 2022), whose passages have a
cross-attention of their own and no probabilities.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from lightbulb_backbones.attention import attend, rotate
from lightbulb_backbones.carried import Carried
from lightbulb_backbones.causal_attention import CausalAttention, Sight, joined, split_heads
from lightbulb_backbones.context import Context


class RetrievalAttention(CausalAttention):
    """Causal attention to the text, and to what was retrieved for it.

    Args:
        width: D, of the states.
        heads: H, which divide it.
        context_width: of the passages' states.
    """

    def __init__(self, width: int, heads: int, context_width: int):
        super().__init__(width, heads)
        self.context_key_value = nn.Linear(context_width, 2 * width, bias=False)
        self.openness = nn.Parameter(torch.zeros(heads))

    def forward(
        self, states: Float[Tensor, "B T D"], sight: Sight, carried: Carried | None = None
    ) -> Float[Tensor, "B T D"]:
        """Returns what the tokens see, mixed: the past, and the sight's context if it has any."""
        context = sight.context
        if context is None:
            return super().forward(states, sight, carried)
        asked, key, value = split_heads(self.query_key_value(states), 3, self.heads)
        query, key = rotate(asked, sight.position), rotate(key, sight.position)
        if carried is not None:
            total = sight.of_keys.shape[1]
            key = joined(carried, "key", key, total)
            value = joined(carried, "value", value, total)
        told_key, told_value = split_heads(self.context_key_value(context.states), 2, self.heads)
        # One product for both kinds of keys: the turned half of a query meets the text's, the other
        # half the passages'. Twice as wide, it is divided by a root of two too much.
        wide = torch.cat((query, asked), dim=3) * 2**0.5
        keys = torch.cat((_left(key), _right(told_key)), dim=2)
        values = torch.cat((value, told_value), dim=2)
        allowed, bias = self._seen(sight, context, key.shape[2])
        mixed = attend(wide, keys, values, allowed, bias)
        found: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return found

    def _seen(
        self, sight: Sight, context: Context, keys: int
    ) -> tuple[Bool[Tensor, "B 1 T S"], Float[Tensor, "B H 1 S"]]:
        """Returns which of the text's and the passages' keys may be seen, and their biases."""
        of_text = sight.allowed(None)
        tokens = of_text.shape[2]
        of_context = context.keep[:, None, None].expand(-1, 1, tokens, -1)
        share = context.log_probability[:, None, None] + self.openness[None, :, None, None]
        batch, heads = share.shape[:2]
        bias = torch.cat((share.new_zeros(batch, heads, 1, keys), share), dim=3)
        return torch.cat((of_text, of_context), dim=3), bias


def _left(heads: Tensor) -> Tensor:
    return torch.cat((heads, torch.zeros_like(heads)), dim=3)


def _right(heads: Tensor) -> Tensor:
    return torch.cat((torch.zeros_like(heads), heads), dim=3)
