"""Sizes of the language expert by name, and what their parts have of parameters.

With d the width, f the feed-forward size, N and R the state size and rank of Mamba, E and g the
experts and size of a switch layer, r the retriever's width, a layer of each part has

    attention        4 d^2 + 3 d f + 2 d
    retrieval        attention + 2 d r + heads
    Mamba            6 d^2 + 2 d (R + 2 N) + 2 d R + 2 d N + 14 d + d
    Mamba-2          6 d^2 + d (2 N + H) + 5 (2 d + 2 N) + 3 H + 3 d, of H heads
    switch           4 d^2 + 2 E d g + d E + 2 d
    a tower's layer  8 r^2 + 11 r   (biases and norms among it)
"""

import math
from inspect import signature
from typing import Any

from lightbulb_backbones.language_config import LanguageExpertConfig
from lightbulb_backbones.mamba2 import size_of_mamba2

PRESETS: dict[str, dict[str, Any]] = {
    "tiny": {},
    "small": {
        "vocab_size": 8192,
        "hidden_size": 256,
        "num_attention_heads": 8,
        "intermediate_size": 704,
        "stem_layers": 2,
        "rag_layers": 3,
        "dpo_layers": 4,
        "mamba_layers": 7,
        "decoder_layers": 3,
        "switch_layers": 2,
        "switch_experts": 4,
        "switch_intermediate_size": 512,
        "retriever_size": 128,
        "retriever_heads": 4,
        "retriever_layers": 2,
    },
    "base": {
        "vocab_size": 32_768,
        "hidden_size": 768,
        "num_attention_heads": 12,
        "intermediate_size": 2048,
        "stem_layers": 2,
        "rag_layers": 6,
        "dpo_layers": 7,
        "mamba_layers": 14,
        "decoder_layers": 4,
        "switch_layers": 2,
        "switch_experts": 8,
        "switch_intermediate_size": 1536,
        "retriever_size": 384,
        "retriever_heads": 6,
        "retriever_layers": 4,
        "block": 128,
        "local": 2,
    },
    "1b": {
        "vocab_size": 50_304,
        "hidden_size": 1536,
        "num_attention_heads": 24,
        "intermediate_size": 4096,
        "stem_layers": 2,
        "rag_layers": 6,
        "dpo_layers": 7,
        "mamba_layers": 14,
        "decoder_layers": 4,
        "switch_layers": 2,
        "switch_experts": 8,
        "switch_intermediate_size": 3072,
        "retriever_size": 512,
        "retriever_heads": 8,
        "retriever_layers": 6,
        "block": 128,
        "local": 2,
    },
}
"""Name → what its config has of its own, beside its defaults.

The larger ones' blocks are those in which a GPU's kernels compute, so that of a block that is not
seen nothing is computed; smaller ones would be looked at by halves.
"""


def preset(name: str, **settings: Any) -> LanguageExpertConfig:
    """Returns the config of a preset, with other settings on top.

    Raises:
        ValueError: there is none of that name, or a config has no such setting.
    """
    if name not in PRESETS:
        raise ValueError(f"preset must be one of {', '.join(PRESETS)}, got {name!r}")
    own = {setting: _checked(setting, value) for setting, value in settings.items()}
    return LanguageExpertConfig(**{**PRESETS[name], **own})


def _checked(setting: str, value: Any) -> Any:
    """Returns the value of a setting as the kind of thing that its default is."""
    defaults = {
        one.name: one.default
        for one in signature(LanguageExpertConfig).parameters.values()
        if one.kind is not one.VAR_KEYWORD
    }
    if setting not in defaults:
        raise ValueError(
            f"a language expert has no setting {setting!r}: it has {', '.join(sorted(defaults))}"
        )
    kind = type(defaults[setting])
    if kind is float and type(value) is int:
        return float(value)
    if kind in (int, float, bool) and type(value) is not kind and value != defaults[setting]:
        raise ValueError(f"{setting} must be of type {kind.__name__}, got {value!r}")
    return value


def parameters(config: LanguageExpertConfig) -> dict[str, int]:
    """Returns how many parameters each part has, the head's being those of the embeddings."""
    d, f, heads = config.hidden_size, config.intermediate_size, config.num_attention_heads
    n, rank, r = config.state_size, math.ceil(config.hidden_size / 16), config.retriever_size
    experts, g = config.switch_experts, config.switch_intermediate_size
    attention = 4 * d * d + 3 * d * f + 2 * d
    retrieval = attention + 2 * d * r + heads
    mamba = 6 * d * d + 2 * d * (rank + 2 * n) + 2 * d * rank + 2 * d * n + 14 * d + d
    if config.ssm == "mamba2":
        h = size_of_mamba2(d, n).num_heads
        mamba = 6 * d * d + d * (2 * n + h) + 5 * (2 * d + 2 * n) + 3 * h + 3 * d
    switch = 4 * d * d + 2 * experts * d * g + d * experts + 2 * d
    tower = config.vocab_size * r + config.retriever_layers * (8 * r * r + 11 * r) + 2 * r
    features = 4 * heads + d
    inner = 64
    found = {
        "embeddings": config.vocab_size * d,
        "stem": config.stem_layers * attention,
        "router": 2 * features + features * inner + inner + (inner + 1) * len(config.experts),
        "rag": config.rag_layers * retrieval,
        "towers": 2 * tower,
        "dpo": config.dpo_layers * attention,
        "mamba": config.mamba_layers * mamba,
        "decoder": (config.decoder_layers - config.switch_layers) * attention
        + config.switch_layers * switch,
        "norm": d,
    }
    own = {"rag": ("rag", "towers"), "dpo": ("dpo",), "mamba": ("mamba",)}
    absent = {part for name in own if name not in config.experts for part in own[name]}
    return {part: count for part, count in found.items() if part not in absent}


def active_parameters(config: LanguageExpertConfig) -> dict[str, int]:
    """Returns, for every expert, how many parameters a token meets that it reads.

    The towers are met by a text once, and are left out; of a switch layer one network is met.
    """
    d, experts, g = config.hidden_size, config.switch_experts, config.switch_intermediate_size
    part = parameters(config)
    idle = config.switch_layers * 2 * (experts - 1) * d * g
    shared = sum(part[name] for name in ("embeddings", "stem", "router", "decoder", "norm")) - idle
    return {name: shared + part[name] for name in config.experts}
