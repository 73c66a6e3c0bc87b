"""The table of backbones by name, and the few numbers that say how large one is.

A backbone is a `transformers.PreTrainedModel` that is called with `input_ids` (B, T) and
`attention_mask` (B, T) and returns an output with `last_hidden_state` (B, T, D).
"""

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedModel

BACKBONES: dict[str, str] = {
    "bag": "lightbulb_backbones.bag:BagOfEmbeddings",
    "transformer": "lightbulb_backbones.transformer:TransformerEncoder",
}
"""Name → "module:Class". The class makes itself with `from_size(vocabulary_size, config)`."""


@dataclass(frozen=True)
class BackboneConfig:
    """Which backbone, and how large."""

    name: str = "bag"
    """One of `BACKBONES`."""
    width: int = 64
    """Length D of a token's state."""
    layers: int = 1
    """Layers of a backbone that has any."""
    heads: int = 4
    """Attention heads of a backbone that has any; they divide the width."""


def make_backbone(vocabulary_size: int, config: BackboneConfig) -> "PreTrainedModel":
    """Returns a backbone with fresh weights; ValueError names those there are."""
    if config.name not in BACKBONES:
        raise ValueError(f"backbone must be one of {', '.join(BACKBONES)}, got {config.name!r}")
    if config.width < 1 or config.width % config.heads:
        raise ValueError(
            f"width must be a multiple of heads={config.heads}, got {config.width}: "
            "every head takes an equal share of it"
        )
    module, _, name = BACKBONES[config.name].partition(":")
    backbone: PreTrainedModel = getattr(importlib.import_module(module), name).from_size(
        vocabulary_size, config
    )
    return backbone
