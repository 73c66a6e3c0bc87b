"""What the attention of a text looks like, in four numbers a head, for the sequence router.

Of the queries in a prefix, on average, with p their shares over the n keys they may see:

    entropy     -sum p log p / log n, from 0 (one key) to 1 (all alike); 0 where n is 1
    look-back   the mean distance of what is seen, as a share of the longest there could be
    sink        the share of the first token, on which attention rests when nothing else matters
    peak        the largest share
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from lightbulb_backbones.attention import probabilities

FEATURES = 4


def attention_features(
    query: Float[Tensor, "B H T C"],
    key: Float[Tensor, "B H T C"],
    allowed: Bool[Tensor, "B 1 T T"],
    keep: Bool[Tensor, "B T"],
) -> Float[Tensor, "B F"]:
    """Returns the features (F = 4 H) of prefixes.

    Args:
        query, key: of the prefixes' tokens, which are few, so that all shares can be looked at.
        allowed: which keys may be seen.
        keep: which tokens are not padding.
    """
    share = probabilities(query, key, allowed).float()
    seen = allowed.sum(dim=3)  # (B, 1, T)
    place = torch.arange(keep.shape[1], device=keep.device)
    distance = (place.unsqueeze(1) - place).clamp(min=0).to(share.dtype)
    entropy = -(share * share.clamp(min=1e-30).log()).sum(dim=3)
    found = torch.stack(
        (
            entropy / seen.clamp(min=2).to(share.dtype).log(),
            (share * distance).sum(dim=3) / place.clamp(min=1).to(share.dtype),
            share[..., 0],
            share.amax(dim=3),
        ),
        dim=3,
    )  # (B, H, T, 4)
    weight = keep.to(share.dtype)[:, None, :, None]
    mean = (found * weight).sum(dim=2) / weight.sum(dim=2).clamp(min=1)
    return mean.flatten(1)
