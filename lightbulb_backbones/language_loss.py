"""What a language expert loses on texts: of each token that is told from more than the prefix."""

from dataclasses import dataclass

from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

_NOT_COUNTED = -100
"""The label of what is not predicted, as in transformers."""


@dataclass(frozen=True)
class TextLosses:
    """Losses of B texts."""

    mean: Float[Tensor, ""]
    """Of all tokens that count."""
    each: Float[Tensor, " B"]
    """Of each text's, 0 where none counts."""
    counted: Bool[Tensor, " B"]
    """Which texts have any."""


def text_losses(
    logits: Float[Tensor, "B T V"],
    labels: Int[Tensor, "B T"],
    keep: Bool[Tensor, "B T"],
    read: Int[Tensor, " B"],
    prefix: Int[Tensor, " B"],
) -> TextLosses:
    """Returns the cross-entropy of what comes next.

    Args:
        labels: tokens to be predicted, -100 where none is.
        keep: what is not padding.
        read: tokens of each text that came before these.
        prefix: tokens by which each was routed, which do not count.

    Raises:
        ValueError: nothing counts.
    """
    place = keep.cumsum(dim=1) - 1 + read.unsqueeze(1)
    left_out = ~keep | (place < prefix.unsqueeze(1))
    wanted = labels.masked_fill(left_out, _NOT_COUNTED)[:, 1:]
    wanted = functional.pad(wanted, (0, 1), value=_NOT_COUNTED)  # nothing is told after the last
    counts = (wanted != _NOT_COUNTED).sum(dim=1)
    if not counts.any():
        raise ValueError(
            f"no label stands behind the {int(prefix.max())} tokens by which a text is routed, so "
            "there is no loss: give longer texts, or a smaller prefix"
        )
    # A row a token: classes along any axis but the last are several times as slow.
    lost = functional.cross_entropy(
        logits.flatten(0, 1).float(),
        wanted.flatten(),
        ignore_index=_NOT_COUNTED,
        reduction="none",
    )
    lost = lost.view(wanted.shape).sum(dim=1)
    return TextLosses(lost.sum() / counts.sum(), lost / counts.clamp(min=1), counts > 0)
