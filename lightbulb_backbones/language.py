"""The language expert as a causal language model: logits of what comes next, and its loss.

They are told from the states of `language_model` with the embeddings' weights. A text's prefix is
routed as a whole, so its own tokens are left out of the loss.
"""

from typing import Any

import torch
from jaxtyping import Bool, Int
from torch import Tensor, nn
from transformers import AutoModelForCausalLM
from transformers.generation.utils import GenerationMixin

from lightbulb_backbones.causal_attention import POSITIONS
from lightbulb_backbones.language_config import LanguageExpertConfig
from lightbulb_backbones.language_loss import text_losses
from lightbulb_backbones.language_model import LanguageExpertModel
from lightbulb_backbones.language_output import LanguageExpertCausalOutput
from lightbulb_backbones.language_weights import LanguageExpertPreTrainedModel
from lightbulb_backbones.sequence_router import worth_loss
from lightbulb_backbones.state_cache import StateCache


class LanguageExpertForCausalLM(LanguageExpertPreTrainedModel, GenerationMixin):
    """Tokens to what comes next."""

    _tied_weights_keys = {"lm_head.weight": "model.embed.weight"}  # noqa: RUF012 # its type

    def __init__(self, config: LanguageExpertConfig):
        super().__init__(config)
        self.model = LanguageExpertModel(config)
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        self.post_init()

    @classmethod
    def _supports_default_dynamic_cache(cls) -> bool:
        return False  # its cache is a `StateCache`

    def forward(
        self,
        input_ids: Int[Tensor, "B T"],
        attention_mask: Int[Tensor, "B S"] | Bool[Tensor, "B S"] | None = None,
        past_key_values: StateCache | None = None,
        use_cache: bool | None = None,
        prefix: Int[Tensor, " B"] | None = None,
        expert: str | None = None,
        labels: Int[Tensor, "B T"] | None = None,
        logits_to_keep: int = 0,
        return_dict: bool = True,
    ) -> LanguageExpertCausalOutput:
        """Returns logits of what comes next; see `LanguageExpertModel` for the other arguments.

        Args:
            attention_mask: as there, but that by default nothing is padding, for `generate` leaves
                it out and goes on with what it generated.
            labels: tokens to be predicted, each from those before it, -100 where none is. Those of
                prefixes are left out.
            logits_to_keep: of how many last tokens there are logits; 0, of all.
            return_dict: True, which `generate` says; no tuples are returned.

        Raises:
            ValueError: there are labels, and none counts or logits are not of all.
        """
        if not return_dict:
            raise ValueError("return_dict must be True: an output's fields go by their names")
        if labels is not None and logits_to_keep:
            raise ValueError(
                f"labels are told from the logits of all tokens, got logits_to_keep="
                f"{logits_to_keep}: leave it out"
            )
        if attention_mask is None:
            attention_mask = torch.ones_like(input_ids)
        keep = self.model.keep(input_ids, attention_mask)
        before = past_key_values.state.get(POSITIONS) if past_key_values is not None else None
        told = self.model(input_ids, attention_mask, past_key_values, use_cache, prefix, expert)
        logits = self.lm_head(told.last_hidden_state[:, -logits_to_keep:])
        if labels is None:
            return LanguageExpertCausalOutput(logits=logits, **told)
        read = torch.zeros_like(told.prefix) if before is None else (before >= 0).sum(dim=1)
        lost = text_losses(logits, labels, keep, read, told.prefix)
        loss = lost.mean
        if told.router_loss is not None:
            if told.drawn is not None:
                worth = worth_loss(told.drawn, lost.each, lost.counted)
                told.router_loss = told.router_loss + self.config.router_worth * worth
            loss = loss + told.router_loss
        return LanguageExpertCausalOutput(loss=loss, logits=logits, **told)

    def resize_token_embeddings(self, *arguments: Any, **settings: Any) -> Any:
        """Makes room for other tokens, in the retriever's towers too."""
        resized = super().resize_token_embeddings(*arguments, **settings)
        if self.model.retriever is not None:
            self.model.retriever.resize(resized.num_embeddings)
        return resized

    def _update_model_kwargs_for_generation(
        self,
        outputs: Any,
        model_kwargs: dict[str, Any],
        is_encoder_decoder: bool = False,
        num_new_tokens: int = 1,
    ) -> dict[str, Any]:
        # Without a cache every call begins anew, and must route by the same tokens as the first.
        told = super()._update_model_kwargs_for_generation(
            outputs, model_kwargs, is_encoder_decoder, num_new_tokens
        )
        return {"prefix": outputs.prefix, **told}


AutoModelForCausalLM.register(LanguageExpertConfig, LanguageExpertForCausalLM)
