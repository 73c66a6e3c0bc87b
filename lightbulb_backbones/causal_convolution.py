"""The convolution of state space layers: a token and the few before it, channel by channel."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from lightbulb_backbones.carried import Carried


def convolve(
    convolution: nn.Conv1d,
    entering: Float[Tensor, "B T D"],
    keep: Bool[Tensor, "B T"] | None,
    carried: Carried | None,
) -> Float[Tensor, "B T D"]:
    """Returns a weighted sum of every token and of those before it.

    Args:
        convolution: whose weights are used, and not its padding.
        keep: which tokens are not padding, which is at the ends of rows; None where all are.
        carried: the tokens before these, which are replaced by the last ones; None for neither.
    """
    batch, tokens, width = entering.shape
    before = convolution.kernel_size[0] - 1
    past = carried.get("conv") if carried is not None else None
    if past is None:
        past = entering.new_zeros(batch, before, width)
    whole = torch.cat((past.to(entering.dtype), entering), dim=1)
    if carried is not None:
        length = keep.sum(dim=1) if keep is not None else torch.full((batch,), tokens)
        places = length.to(entering.device).unsqueeze(1) + torch.arange(before, device=whole.device)
        carried["conv"] = whole.gather(1, places.unsqueeze(2).expand(-1, -1, width))
    convolved: Tensor = convolution(whole.transpose(1, 2)).transpose(1, 2)
    return convolved
