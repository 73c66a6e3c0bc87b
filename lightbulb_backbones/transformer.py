"""A small transformer encoder (Vaswani et al. 2017) with pre-normalisation (Xiong et al. 2020).

Positions are sinusoidal (section 3.5 of the former), so a text may be longer than any seen in
training. There is no dropout: in reinforcement learning the probabilities of a rollout must be
those of the update.
"""

import math
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoConfig, AutoModel, PreTrainedConfig, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput

from lightbulb_backbones.table import BackboneConfig

_INITIAL_DEVIATION = 0.3
_WAVELENGTH = 10000.0


class TransformerConfig(PreTrainedConfig):
    """Size of a transformer encoder."""

    model_type = "lightbulb_transformer"

    def __init__(
        self,
        vocab_size: int = 1,
        hidden_size: int = 64,
        num_hidden_layers: int = 1,
        num_attention_heads: int = 4,
        pad_token_id: int = 0,
        **settings: Any,
    ):
        self.vocab_size = vocab_size
        self.hidden_size = hidden_size
        self.num_hidden_layers = num_hidden_layers
        self.num_attention_heads = num_attention_heads
        super().__init__(**settings)
        self.pad_token_id = pad_token_id


def sinusoids(length: int, width: int, device: torch.device) -> Float[Tensor, "T D"]:
    """Returns the sinusoidal encoding of positions 0 to length - 1."""
    position = torch.arange(length, device=device, dtype=torch.float32)[:, None]
    exponent = torch.arange(0, width, 2, device=device, dtype=torch.float32) / width
    angle = position * _WAVELENGTH**-exponent
    encoding = torch.zeros(length, width, device=device)
    encoding[:, 0::2] = angle.sin()
    encoding[:, 1::2] = angle.cos()[:, : width // 2]
    return encoding


class Block(nn.Module):
    """Self-attention and a two-layer network, each on normalised input and added to it."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.attention_out = nn.Linear(width, width)
        self.feed_norm = nn.LayerNorm(width)
        self.feed_in = nn.Linear(width, 2 * width)
        self.feed_out = nn.Linear(2 * width, width)

    def forward(
        self,
        states: Float[Tensor, "B T D"],
        keep: Bool[Tensor, "B T"],
        *,
        is_causal: bool = False,
    ) -> Float[Tensor, "B T D"]:
        """Mixes the states of the tokens where `keep` is true; of those up to each, if causal."""
        allowed = keep[:, None, None, :]
        if is_causal:
            length = keep.shape[1]
            allowed = allowed & torch.ones(length, length, device=keep.device).tril().bool()
        states = states + self._attend(self.attention_norm(states), allowed)
        fed = self.feed_out(functional.gelu(self.feed_in(self.feed_norm(states))))
        mixed: Tensor = states + fed
        return mixed

    def _attend(
        self, states: Float[Tensor, "B T D"], allowed: Bool[Tensor, "B 1 Q T"]
    ) -> Float[Tensor, "B T D"]:
        batch, length, width = states.shape
        split = self.query_key_value(states).view(batch, length, 3, self.heads, width // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4)  # (B, H, T, D / H) each
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=allowed)
        joined: Tensor = self.attention_out(mixed.transpose(1, 2).reshape(batch, length, width))
        return joined


class TransformerEncoder(PreTrainedModel):
    """Embeddings and positions, then blocks, then a normalisation."""

    config_class = TransformerConfig
    base_model_prefix = "backbone"

    def __init__(self, config: TransformerConfig):
        super().__init__(config)
        width = config.hidden_size
        self.embedding = nn.Embedding(config.vocab_size, width, padding_idx=0)
        self.blocks = nn.ModuleList(
            Block(width, config.num_attention_heads) for _ in range(config.num_hidden_layers)
        )
        self.norm = nn.LayerNorm(width)
        self.post_init()

    @staticmethod
    def from_size(vocabulary_size: int, size: BackboneConfig) -> "TransformerEncoder":
        """Returns an encoder with fresh weights."""
        return TransformerEncoder(
            TransformerConfig(
                vocab_size=vocabulary_size,
                hidden_size=size.width,
                num_hidden_layers=size.layers,
                num_attention_heads=size.heads,
            )
        )

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=_INITIAL_DEVIATION)
            with torch.no_grad():
                module.weight[0] = 0.0
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=1 / math.sqrt(module.in_features))
            nn.init.zeros_(module.bias)

    def forward(
        self, input_ids: Int[Tensor, "B T"], attention_mask: Bool[Tensor, "B T"] | None = None
    ) -> BaseModelOutput:
        """Returns the tokens' states as `last_hidden_state` (B, T, D)."""
        keep = input_ids != 0 if attention_mask is None else attention_mask.bool()
        # A row of nothing but padding would have nothing to attend to.
        keep = keep | ~keep.any(dim=1, keepdim=True)
        length, width = input_ids.shape[1], self.config.hidden_size
        states = self.embedding(input_ids) + sinusoids(length, width, input_ids.device)
        for block in self.blocks:
            states = block(states, keep)
        return BaseModelOutput(last_hidden_state=self.norm(states))


AutoConfig.register(TransformerConfig.model_type, TransformerConfig)
AutoModel.register(TransformerConfig, TransformerEncoder)
