"""The table of backbones by name, and the few numbers that say how large one is.

A backbone is called with `input_ids` (B, T) and `attention_mask` (B, T) and returns an output with
`last_hidden_state` (B, T, D); its `config.hidden_size` is D. Those that see the past alone also
have `step`, which reads a text part by part:

    states, state = backbone.step(input_ids, state, attention_mask)

where `state` is a dict of tensors whose first axis is the batch, None at a text's beginning. Where
no mask says what is padding, token 0 is. The states are those of the whole text read at once, but
that a language expert routes a text by no more than its first part: `state["prefix"]` says by how
many tokens, which its `forward` takes as `prefix`.

    bag            the tokens' embeddings
    transformer    attention in both directions
    mamba          a recurrent state of one size
    mamba2         the same, with one decay a head and a larger state
    language:SIZE  the language expert of a preset, tiny, small, base or 1b, with fresh weights
    hf:FOLDER      a model of the transformers library, or of ours, with its weights
    hf:NAME@COMMIT one of the Hugging Face hub, which is downloaded
"""

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

if TYPE_CHECKING:
    from torch import nn

BACKBONES: dict[str, str] = {
    "bag": "lightbulb_backbones.bag:BagOfEmbeddings",
    "transformer": "lightbulb_backbones.transformer:TransformerEncoder",
    "mamba": "lightbulb_backbones.mamba:Mamba",
    "mamba2": "lightbulb_backbones.mamba2:Mamba2",
    "language:tiny": "lightbulb_backbones.language_model:LanguageExpertModel",
    "language:small": "lightbulb_backbones.language_model:LanguageExpertModel",
    "language:base": "lightbulb_backbones.language_model:LanguageExpertModel",
    "language:1b": "lightbulb_backbones.language_model:LanguageExpertModel",
}
"""Name → "module:Class". The class makes itself with `from_size(vocabulary_size, config)`."""
LANGUAGE = "language:"
"""What the name of a language expert of a preset begins with."""
PRETRAINED = "hf:"
"""What the name of a model with weights begins with."""
Tuning = Literal["full", "frozen", "lora"]


@dataclass(frozen=True)
class BackboneConfig:
    """Which backbone, how large, and what of it learns."""

    name: str = "bag"
    """One of `BACKBONES`, or hf: and a folder."""
    width: int = 64
    """Length D of a token's state, of a backbone whose name does not say it."""
    layers: int = 1
    """Layers of a backbone that has any and whose name does not say them."""
    heads: int = 4
    """Attention heads of such a backbone; they divide the width."""
    tuning: Tuning = "full"
    """What learns: all weights, none, or matrices of low rank beside them (LoRA)."""
    rank: int = 8
    """Of those matrices."""
    architecture: str | None = None
    """The config of a model with weights, as JSON, where it is made without them to be filled from
    elsewhere, such as a checkpoint."""
    passages: int = 0
    """Passages that a language expert has room for, which are filled in from elsewhere."""
    passage_length: int = 0
    """Tokens of each."""
    shift: int = 0
    """What the tokens of a model with weights are more than its own; see `pretrained`."""


def make_backbone(vocabulary_size: int, config: BackboneConfig) -> "nn.Module":
    """Returns a backbone with fresh weights, or of a model with its own.

    Raises:
        ValueError: there is none of that name, a number of the config will not do, or the model
            does not know so many tokens.
    """
    backbone: Any
    if config.name.startswith(PRETRAINED):
        from lightbulb_backbones.pretrained import PretrainedBackbone

        backbone = PretrainedBackbone.make(vocabulary_size, config)
    elif config.name in BACKBONES:
        if config.width < 1 or config.width % config.heads:
            raise ValueError(
                f"width must be a multiple of heads={config.heads}, got {config.width}: "
                "every head takes an equal share of it"
            )
        module, _, name = BACKBONES[config.name].partition(":")
        made = getattr(importlib.import_module(module), name)
        backbone = made.from_size(vocabulary_size, config)
    else:
        raise ValueError(
            f"backbone must be one of {', '.join(BACKBONES)}, or {PRETRAINED} and the folder of a "
            f"model, got {config.name!r}"
        )
    if config.tuning != "full":
        from lightbulb_backbones.tuning import tune

        tune(backbone, config)
    return cast("nn.Module", backbone)
