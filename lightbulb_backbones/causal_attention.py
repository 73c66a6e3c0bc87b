"""Self-attention over the past, of texts that may come in parts.

Keys and values of earlier parts are carried; positions turn queries and keys (`attention.rotate`),
so nothing depends on how long a text has become. Padding has position -1 and is not seen.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from lightbulb_backbones.attention import attend, rotate
from lightbulb_backbones.carried import Carried
from lightbulb_backbones.context import Context
from lightbulb_backbones.sparse_attention import SparsePattern, sparse_attend

POSITIONS = "positions"
"""The entry of a state that says where its keys stand in their texts, (B, S)."""


@dataclass(frozen=True)
class Sight:
    """Which keys the tokens of a part may see, for all layers alike."""

    position: Int[Tensor, "B T"]
    """Of the part's tokens, counted from 0 in their texts; -1 for padding."""
    of_keys: Int[Tensor, "B S"]
    """Of all tokens so far, those of the part the last."""
    is_whole: bool
    """Whether the part is all there is so far, with padding at its end at most."""
    context: Context | None = None
    """What was retrieved for the texts; None where nothing was."""

    @staticmethod
    def of(
        tokens: Int[Tensor, "B T"], keep: Bool[Tensor, "B T"] | None, carried: Carried | None
    ) -> "Sight":
        """Returns what a part sees, and remembers where its tokens stand."""
        before = carried.get(POSITIONS) if carried is not None else None
        position = torch.arange(tokens.shape[1], device=tokens.device).expand(tokens.shape)
        if before is not None:
            position = position + (before >= 0).sum(dim=1, keepdim=True)
        if keep is not None:
            position = position.masked_fill(~keep, -1)
        of_keys = position if before is None else torch.cat((before, position), dim=1)
        if carried is not None:
            carried[POSITIONS] = of_keys
        return Sight(position, of_keys, is_whole=before is None)

    def rows(self, rows: Int[Tensor, " n"]) -> "Sight":
        """Returns what some of the texts see."""
        context = None if self.context is None else self.context.rows(rows)
        return Sight(self.position[rows], self.of_keys[rows], self.is_whole, context)

    def allowed(self, pattern: SparsePattern | None) -> Bool[Tensor, "B 1 T S"]:
        """Returns which keys may be seen, under a pattern or all of the past."""
        query, key = self.position.unsqueeze(2), self.of_keys.unsqueeze(1)
        seen: Tensor = key <= query if pattern is None else pattern.sees(query, key)
        return (seen & (key >= 0)).unsqueeze(1)


class CausalAttention(nn.Module):
    """Multi-head attention whose tokens see those before them.

    Args:
        width: D, of the states.
        heads: H, which divide it.
        pattern: which of the past is seen; None for all of it.
    """

    def __init__(self, width: int, heads: int, pattern: SparsePattern | None = None):
        super().__init__()
        if width % (2 * heads):
            raise ValueError(
                f"width must be a multiple of twice the heads={heads}, got {width}: every head "
                "takes an equal share of it, and positions turn pairs of numbers"
            )
        self.width = width
        self.heads = heads
        self.pattern = pattern
        self.query_key_value = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)

    def forward(
        self, states: Float[Tensor, "B T D"], sight: Sight, carried: Carried | None = None
    ) -> Float[Tensor, "B T D"]:
        """Returns what the tokens see, mixed.

        Args:
            carried: what came before, which is replaced by what is after; None for neither.
        """
        query, key, value = self.heads_of(states, sight)
        if carried is not None:
            total = sight.of_keys.shape[1]
            key = joined(carried, "key", key, total)
            value = joined(carried, "value", value, total)
        if not sight.is_whole:
            mixed = attend(query, key, value, sight.allowed(self.pattern))
        elif self.pattern is not None:
            mixed = sparse_attend(query, key, value, self.pattern)
        elif not len(query):  # of no texts torch's own makes None on a GPU
            mixed = attend(query, key, value)
        else:  # no token sees what comes after it, the padding of texts among that
            mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        found: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return found

    def heads_of(
        self, states: Float[Tensor, "B T D"], sight: Sight
    ) -> tuple[Float[Tensor, "B H T C"], Float[Tensor, "B H T C"], Float[Tensor, "B H T C"]]:
        """Returns queries, keys and values, the former two turned by their positions."""
        query, key, value = split_heads(self.query_key_value(states), 3, self.heads)
        return rotate(query, sight.position), rotate(key, sight.position), value


def joined(
    carried: Carried, name: str, heads: Float[Tensor, "B H T C"], total: int
) -> Float[Tensor, "B H S C"]:
    """Returns heads after those of earlier parts, S = `total` of them, and remembers both.

    A layer that has not read all earlier parts, since no text in them was its own, has zeros for
    them, which are of padding.
    """
    before = carried.get(name)
    parts = [heads] if before is None else [before, heads]
    lacking = total - sum(part.shape[2] for part in parts)
    if lacking:
        batch, number, _, width = heads.shape
        parts.insert(0, heads.new_zeros(batch, number, lacking, width))
    whole = torch.cat(parts, dim=2)
    carried[name] = whole
    return whole


def split_heads(
    states: Float[Tensor, "B T W"], parts: int, heads: int
) -> tuple[Float[Tensor, "B H T C"], ...]:
    """Returns the parts that stand side by side in states, each by heads."""
    batch, tokens, width = states.shape
    split = states.view(batch, tokens, parts, heads, width // parts // heads)
    return split.permute(2, 0, 3, 1, 4).unbind()
