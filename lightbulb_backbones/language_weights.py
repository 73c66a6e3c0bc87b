"""Weights of the language expert: what they begin as, and what is kept beside them."""

from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel
from transformers import initialization as init

from lightbulb_backbones.language_config import LanguageExpertConfig
from lightbulb_backbones.mamba import MambaMixer
from lightbulb_backbones.mamba2 import Mamba2Mixer
from lightbulb_backbones.retrieval import LargeEmbedding


class LanguageExpertPreTrainedModel(PreTrainedModel):
    """Weights, and what they begin as."""

    config_class = LanguageExpertConfig
    base_model_prefix = "model"
    _no_split_modules = ["AttentionBlock", "SwitchBlock", "MambaBlock"]  # noqa: RUF012 # its type
    _input_embed_layer = "embed"
    supports_gradient_checkpointing = True

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        deviation = self.config.initializer_range
        if isinstance(module, LargeEmbedding):
            init.normal_(module.weight, std=module.deviation)
        elif isinstance(module, nn.Embedding):
            init.normal_(module.weight, std=deviation)
        elif isinstance(module, (nn.Linear, nn.Conv1d)):
            init.normal_(module.weight, std=deviation)
            if module.bias is not None:
                init.zeros_(module.bias)
        elif isinstance(module, (nn.RMSNorm, nn.LayerNorm)):
            init.ones_(module.weight)
            if isinstance(module, nn.LayerNorm):
                init.zeros_(module.bias)
        elif isinstance(module, (MambaMixer, Mamba2Mixer)):
            init.kaiming_uniform_(module.conv1d.weight, a=5**0.5)
            module.initialise()

    def save_pretrained(self, *arguments: Any, **settings: Any) -> Any:
        """Writes weights and config into a folder, and the index of passages with them."""
        model: Any = self.base_model
        model.describe_index()
        return super().save_pretrained(*arguments, **settings)
