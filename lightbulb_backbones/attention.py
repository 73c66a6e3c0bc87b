"""Attention (Vaswani et al. 2017, equation 1): what may be seen is a mask, the rest is a bias.

    attend(Q, K, V) = softmax(Q K^T / sqrt(D) + bias) V,   -inf where a key may not be seen

Letters: B batch, H heads, T queries, S keys, D width of a head.
"""

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional


def attend(
    query: Float[Tensor, "B H T D"],
    key: Float[Tensor, "B H S D"],
    value: Float[Tensor, "B H S C"],
    allowed: Bool[Tensor, "#B #H #T S"] | None = None,
    bias: Float[Tensor, "#B #H #T S"] | None = None,
) -> Float[Tensor, "B H T C"]:
    """Returns the values that queries see, mixed; zero where a query may see no key.

    Args:
        allowed: which keys a query may see; None for all.
        bias: is added to the logits.
    """
    if not len(query):  # torch's own gives a bias no gradient then, where it should be 0
        return probabilities(query, key, allowed, bias) @ value
    mask: Tensor | None = allowed
    if bias is not None:
        mask = bias if allowed is None else torch.where(allowed, bias, -torch.inf)
    mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    if allowed is not None:
        mixed = mixed.masked_fill(~allowed.any(dim=3, keepdim=True), 0.0)
    return mixed


def probabilities(
    query: Float[Tensor, "B H T D"],
    key: Float[Tensor, "B H S D"],
    allowed: Bool[Tensor, "#B #H #T S"] | None = None,
    bias: Float[Tensor, "#B #H #T S"] | None = None,
) -> Float[Tensor, "B H T S"]:
    """Returns how much every query sees of every key, which `attend` mixes by."""
    logits = query @ key.transpose(2, 3) / math.sqrt(query.shape[3])
    if bias is not None:
        logits = logits + bias
    if allowed is None:
        return logits.softmax(dim=3)
    shares = logits.masked_fill(~allowed, -torch.inf).softmax(dim=3)
    return shares.masked_fill(~allowed, 0.0)


def rotate(
    heads: Float[Tensor, "B H T D"], position: Int[Tensor, "#B T"], base: float = 10_000.0
) -> Float[Tensor, "B H T D"]:
    """Returns queries or keys turned by their positions (Su et al. 2021, equation 34).

    The product of two then depends on how far apart they stand, and on no position itself.
    """
    width = heads.shape[3]
    exponent = torch.arange(0, width, 2, device=heads.device, dtype=torch.float32) / width
    angle = position.unsqueeze(2) * base**-exponent  # (B, T, D / 2)
    sine, cosine = (one(angle).unsqueeze(1).to(heads.dtype) for one in (torch.sin, torch.cos))
    first, second = heads[..., : width // 2], heads[..., width // 2 :]
    return torch.cat((first * cosine - second * sine, second * cosine + first * sine), dim=3)
