"""A bag of embeddings: every token's state is its embedding, whatever stands around it."""

from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, PreTrainedConfig, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput

from lightbulb_backbones.carried import State
from lightbulb_backbones.table import BackboneConfig

_INITIAL_DEVIATION = 0.3


class BagConfig(PreTrainedConfig):
    """Size of a bag of embeddings."""

    model_type = "lightbulb_bag"

    def __init__(
        self, vocab_size: int = 1, hidden_size: int = 64, pad_token_id: int = 0, **settings: Any
    ):
        self.vocab_size = vocab_size
        self.hidden_size = hidden_size
        super().__init__(**settings)
        self.pad_token_id = pad_token_id


class BagOfEmbeddings(PreTrainedModel):
    """Looks tokens up. The cheapest backbone, and a strong one where single words tell."""

    config_class = BagConfig
    base_model_prefix = "backbone"

    def __init__(self, config: BagConfig):
        super().__init__(config)
        self.embedding = nn.Embedding(config.vocab_size, config.hidden_size, padding_idx=0)
        self.post_init()

    @staticmethod
    def from_size(vocabulary_size: int, size: BackboneConfig) -> "BagOfEmbeddings":
        """Returns a bag with fresh weights."""
        return BagOfEmbeddings(BagConfig(vocab_size=vocabulary_size, hidden_size=size.width))

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=_INITIAL_DEVIATION)
            with torch.no_grad():
                module.weight[0] = 0.0

    def forward(
        self, input_ids: Int[Tensor, "B T"], attention_mask: Bool[Tensor, "B T"] | None = None
    ) -> BaseModelOutput:
        """Returns the tokens' embeddings as `last_hidden_state` (B, T, D); padding is zero."""
        return BaseModelOutput(last_hidden_state=self.embedding(input_ids))

    def step(
        self,
        input_ids: Int[Tensor, "B T"],
        state: State | None = None,
        attention_mask: Bool[Tensor, "B T"] | None = None,
    ) -> tuple[Float[Tensor, "B T D"], State]:
        """Returns the states of the next tokens of texts; nothing need be remembered."""
        del state
        return self(input_ids, attention_mask).last_hidden_state, {}


AutoConfig.register(BagConfig.model_type, BagConfig)
AutoModel.register(BagConfig, BagOfEmbeddings)
