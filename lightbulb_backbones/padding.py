"""Texts of different lengths in one batch: padding moves behind the tokens, and back where it was.

Layers see padding at the ends of rows only, however a caller pads. What comes before a token is
then the token before it, for a convolution and for a position alike.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

PADDING = 0
"""The token that is padding where no mask says what is."""


@dataclass(frozen=True)
class Aligned:
    """Texts whose tokens stand first in their rows."""

    tokens: Int[Tensor, "B T"]
    keep: Bool[Tensor, "B T"] | None
    """What is not padding; None where all is."""
    places: Int[Tensor, "B T"] | None
    """Where the tokens, and after them the padding, stood; None where they stood so."""

    @staticmethod
    def of(tokens: Int[Tensor, "B T"], mask: Bool[Tensor, "B T"] | None = None) -> "Aligned":
        """Returns texts as layers read them.

        Args:
            mask: what is not padding; by default, what is not `PADDING`.
        """
        keep = tokens != PADDING if mask is None else mask.bool()
        if keep.all():
            return Aligned(tokens, None, None)
        if not (keep[:, 1:] & ~keep[:, :-1]).any():
            return Aligned(tokens, keep, None)
        places = torch.argsort(~keep, dim=1, stable=True)
        return Aligned(tokens.gather(1, places), keep.gather(1, places), places)

    def back(self, states: Float[Tensor, "B T D"]) -> Float[Tensor, "B T D"]:
        """Returns the tokens' states where the tokens stood."""
        if self.places is None:
            return states
        places = self.places.unsqueeze(2).expand_as(states)
        return torch.empty_like(states).scatter(1, places, states)
