"""The sub-experts of the language expert: what reads a text once its prefix has been routed.

Each is a stack of causal layers over the stem's states. A text's state is in the entries of its own
expert's layers, which experts of one kind share (`sequence_router.read_by_experts`).
"""

from collections.abc import Iterable

from jaxtyping import Bool, Float
from torch import Tensor, nn
from transformers import MambaConfig

from lightbulb_backbones.blocks import AttentionBlock
from lightbulb_backbones.carried import Carried
from lightbulb_backbones.causal_attention import CausalAttention, Sight
from lightbulb_backbones.language_config import LanguageExpertConfig
from lightbulb_backbones.mamba import MambaBlock, MambaMixer
from lightbulb_backbones.mamba2 import Mamba2Mixer, size_of_mamba2
from lightbulb_backbones.rag_attention import RetrievalAttention


class AttentionExpert(nn.Module):
    """Layers of attention to the past, and to passages where a sight has any."""

    def __init__(self, layers: Iterable[AttentionBlock]):
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(
        self,
        states: Float[Tensor, "B T D"],
        sight: Sight,
        keep: Bool[Tensor, "B T"] | None = None,
        carried: Carried | None = None,
    ) -> Float[Tensor, "B T D"]:
        """Returns the states of texts."""
        del keep  # padding is not seen
        for number, layer in enumerate(self.layers):
            states = layer(states, sight, carried and carried.part(f"layers.{number}"))
        return states


class MambaExpert(nn.Module):
    """Layers of Mamba or of Mamba-2, whose memory has one size."""

    def __init__(self, config: LanguageExpertConfig):
        super().__init__()
        width, states = config.hidden_size, config.state_size
        blocks: Iterable[MambaBlock]
        if config.ssm == "mamba2":
            second = size_of_mamba2(width, states)
            blocks = (MambaBlock(second, Mamba2Mixer(second)) for _ in range(config.mamba_layers))
        else:
            first = MambaConfig(vocab_size=1, hidden_size=width, state_size=states)
            blocks = (MambaBlock(first, MambaMixer.of(first)) for _ in range(config.mamba_layers))
        self.layers = nn.ModuleList(blocks)

    def forward(
        self,
        states: Float[Tensor, "B T D"],
        sight: Sight,
        keep: Bool[Tensor, "B T"] | None = None,
        carried: Carried | None = None,
    ) -> Float[Tensor, "B T D"]:
        """Returns the states of texts."""
        del sight  # its state is all it sees
        for number, layer in enumerate(self.layers):
            states = layer(states, keep, carried and carried.part(f"layers.{number}"))
        return states


def make_expert(name: str, config: LanguageExpertConfig) -> AttentionExpert | MambaExpert:
    """Returns the expert of one of the names in `EXPERTS`: "dpo" is the one preferences train."""
    width, heads, inner = config.hidden_size, config.num_attention_heads, config.intermediate_size
    if name == "rag":
        retrieving = (
            RetrievalAttention(width, heads, config.retriever_size)
            for _ in range(config.rag_layers)
        )
        return AttentionExpert(AttentionBlock(one, inner) for one in retrieving)
    if name == "dpo":
        plain = (CausalAttention(width, heads) for _ in range(config.dpo_layers))
        return AttentionExpert(AttentionBlock(one, inner) for one in plain)
    return MambaExpert(config)
