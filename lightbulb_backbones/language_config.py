"""Size of a language expert, and how it learns to route."""

from collections.abc import Sequence
from typing import Any

from transformers import PreTrainedConfig

EXPERTS = ("rag", "dpo", "mamba")
"""Sub-experts that a text may be read by; see `language_experts`."""
SSMS = ("mamba", "mamba2")
"""State space layers there are."""


class LanguageExpertConfig(PreTrainedConfig):
    """Numbers of a language expert; the defaults are those of the preset `tiny`.

    Args:
        hidden_size: D.
        intermediate_size: of the feed-forward networks.
        stem_layers, rag_layers, dpo_layers, mamba_layers, decoder_layers: layers of the parts.
        experts: sub-experts, of `EXPERTS`.
        switch_layers: the last layers of the decoder, which are switch layers.
        switch_experts, switch_intermediate_size: networks of a switch layer, and their size.
        capacity, jitter: of switch layers in training; see `SwitchFeedForward`.
        prefix: tokens by which a text is routed, at most.
        router_noise: of the sequence router in training.
        router_explored: share of the texts of training that it routes with noise.
        router_worth: weight of what it learns by comparing the losses of texts.
        balance, z: weights of the routers' losses.
        block, local, stride, sink: what the stem sees; see `SparsePattern`.
        ssm: layers of the expert "mamba", of `SSMS`.
        state_size: numbers that a channel of them remembers.
        retriever_size, retriever_layers, retriever_heads: of the towers.
        passages: K, what is retrieved for a text.
        index_size, index_length, index_factory: of the index that comes with the weights, if one
            does; see `PassageIndex`.
    """

    model_type = "lightbulb_language"
    keys_to_ignore_at_inference = (
        "last_hidden_state",
        "past_key_values",
        "route",
        "prefix",
        "router_loss",
        "drawn",
    )

    def __init__(
        self,
        vocab_size: int = 512,
        hidden_size: int = 64,
        num_attention_heads: int = 4,
        intermediate_size: int = 176,
        stem_layers: int = 1,
        rag_layers: int = 2,
        dpo_layers: int = 2,
        mamba_layers: int = 3,
        decoder_layers: int = 2,
        experts: Sequence[str] = EXPERTS,
        switch_layers: int = 1,
        switch_experts: int = 4,
        switch_intermediate_size: int = 128,
        capacity: float = 1.25,
        jitter: float = 0.01,
        prefix: int = 16,
        router_noise: float = 1.0,
        router_explored: float = 1.0,
        router_worth: float = 1.0,
        balance: float = 0.01,
        z: float = 0.001,
        block: int = 64,
        local: int = 4,
        stride: int = 8,
        sink: int = 1,
        ssm: str = "mamba",
        state_size: int = 16,
        retriever_size: int = 48,
        retriever_layers: int = 1,
        retriever_heads: int = 4,
        passages: int = 4,
        index_size: int = 0,
        index_length: int = 0,
        index_factory: str | None = None,
        initializer_range: float = 0.02,
        pad_token_id: int | None = 0,
        eos_token_id: int | None = None,
        tie_word_embeddings: bool = True,
        use_cache: bool = True,
        **settings: Any,
    ):
        if not experts or set(experts) - set(EXPERTS) or len(set(experts)) < len(experts):
            raise ValueError(
                f"experts must be some of {', '.join(EXPERTS)}, each once, got "
                f"{', '.join(experts) or 'none'}"
            )
        if retriever_size % retriever_heads:
            raise ValueError(
                f"retriever_size must be a multiple of retriever_heads={retriever_heads}, got "
                f"{retriever_size}"
            )
        if ssm not in SSMS:
            raise ValueError(f"ssm must be one of {', '.join(SSMS)}, got {ssm!r}")
        if not 0 <= switch_layers <= decoder_layers:
            raise ValueError(
                f"switch_layers must be in [0, decoder_layers={decoder_layers}], got "
                f"{switch_layers}"
            )
        if stem_layers < 1:
            raise ValueError(
                f"stem_layers must be 1 or more, got {stem_layers}: its attention routes texts"
            )
        if router_worth < 0:
            raise ValueError(f"router_worth must be 0 or more, got {router_worth}")
        if not 0 <= router_explored <= 1:
            raise ValueError(f"router_explored must be in [0, 1], got {router_explored}")
        if prefix < 1:
            raise ValueError(f"prefix must be 1 or more, got {prefix}: texts are routed by it")
        self.vocab_size = vocab_size
        self.hidden_size = hidden_size
        self.num_attention_heads = num_attention_heads
        self.intermediate_size = intermediate_size
        self.stem_layers = stem_layers
        self.rag_layers = rag_layers
        self.dpo_layers = dpo_layers
        self.mamba_layers = mamba_layers
        self.decoder_layers = decoder_layers
        self.experts = tuple(experts)
        self.switch_layers = switch_layers
        self.switch_experts = switch_experts
        self.switch_intermediate_size = switch_intermediate_size
        self.capacity = capacity
        self.jitter = jitter
        self.prefix = prefix
        self.router_noise = router_noise
        self.router_explored = router_explored
        self.router_worth = router_worth
        self.balance = balance
        self.z = z
        self.block = block
        self.local = local
        self.stride = stride
        self.sink = sink
        self.ssm = ssm
        self.state_size = state_size
        self.retriever_size = retriever_size
        self.retriever_layers = retriever_layers
        self.retriever_heads = retriever_heads
        self.passages = passages
        self.index_size = index_size
        self.index_length = index_length
        self.index_factory = index_factory
        self.initializer_range = initializer_range
        self.use_cache = use_cache
        super().__init__(**{"tie_word_embeddings": tie_word_embeddings, **settings})
        self.pad_token_id = pad_token_id
        self.eos_token_id = eos_token_id
