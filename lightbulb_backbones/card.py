"""The card of a language expert, made from its config: `python -m lightbulb_backbones.card`.

Printed for all presets, and written into every folder that pretraining leaves.
"""

from collections.abc import Mapping
from typing import Any

from lightbulb_backbones.language_config import LanguageExpertConfig
from lightbulb_backbones.presets import PRESETS, active_parameters, parameters, preset

_MILLION = 1e6
_ABOUT = """\
A causal language model of parts (`lightbulb_backbones.language`). Block-sparse attention reads a
text; what that attention looks like over the first tokens, and their states, send the text to one
of the sub-experts, which reads all the rest of it; a decoder whose last layers are switch layers
says what comes next."""
_EXPERTS = {
    "rag": "attends to passages that it retrieves, by their probability, besides the text",
    "dpo": "a transformer, the one that preferences train (`lightbulb_backbones.dpo`)",
    "mamba": "a recurrent state of one size, however long the text is",
}
_PARTS = {
    "embeddings": "of tokens, and the weights of the logits",
    "stem": "block-sparse attention",
    "router": "of texts",
    "rag": "attention to the past and to passages",
    "towers": "of questions and of passages",
    "dpo": "attention to the past",
    "mamba": "selective scans",
    "decoder": "attention, and the networks of switch layers",
    "norm": "before the logits",
}
_ARITHMETIC = """\
By the arithmetic of `lightbulb_backbones.presets`, which tests compare with the models themselves.
Their numbers are"""
_LIMITS = """\
A text is routed by its first tokens, whose own predictions are left out of the loss. Behind them
no token changes what comes before it. A prompt of fewer tokens is routed by all of its own: to
score what `generate` went on with, as direct preference optimisation does, pass the prompts'
lengths as `prefix`, or choose a `prefix` below the shortest prompt; by the whole text another
expert may read it. The routers' loss is part of the loss in training alone. There the router
learns from the differences between the losses of a batch's texts, so a batch of one teaches it
nothing of them. The retriever reads nothing until there is an index of passages: `pretrain
--passages` makes one, or `model.model.index = model.model.retriever.index(tokens)`. It is saved
with the model."""


def presets_card() -> str:
    """Returns the card of all presets, in Markdown."""
    configs = {name: preset(name) for name in PRESETS}
    lines = ["# The language expert", "", _ABOUT, ""]
    lines += [*_experts(configs["tiny"]), "", "## Presets", ""]
    lines += _row("millions of parameters", *configs)
    lines += _row("---", *("---:" for _ in configs))
    counts = {name: parameters(config) for name, config in configs.items()}
    for part, told in _PARTS.items():
        lines += _row(f"{part}: {told}", *(_millions(count[part]) for count in counts.values()))
    totals = (f"**{_millions(sum(count.values()))}**" for count in counts.values())
    lines += _row("**in all**", *totals)
    for name in configs["tiny"].experts:
        active = (active_parameters(config)[name] for config in configs.values())
        lines += _row(f"met by a token that {name} reads", *map(_millions, active))
    lines += ["", _ARITHMETIC, ""]
    lines += _row("number", *configs)
    lines += _row("---", *("---:" for _ in configs))
    for number in sorted({number for own in PRESETS.values() for number in own}):
        lines += _row(f"`{number}`", *(getattr(config, number) for config in configs.values()))
    return "\n".join([*lines, "", "## Limits", "", _LIMITS, ""])


def model_card(config: LanguageExpertConfig, results: Mapping[str, Any], data: str) -> str:
    """Returns the card of a trained model, in Markdown.

    Args:
        results: what its training measured, as in results.json.
        data: what it was trained on.
    """
    counts = parameters(config)
    lines = ["---", "library_name: transformers", "tags: [lightbulb]", "---", ""]
    lines += ["# A language expert", "", _ABOUT, "", *_experts(config), ""]
    lines += _row("part", "millions of parameters")
    lines += _row("---", "---:")
    for part, count in counts.items():
        lines += _row(f"{part}: {_PARTS[part]}", _millions(count))
    lines += _row("**in all**", f"**{_millions(sum(counts.values()))}**")
    for name, active in active_parameters(config).items():
        lines += _row(f"met by a token that {name} reads", _millions(active))
    lines += [
        *("", "## Training", ""),
        f"On {data}: {results['steps']:,} steps, {results['tokens']:,} tokens. On held-out text it",
        f"pays {results['bits_per_character']:.3f} bits a character, a perplexity of "
        f"{results['perplexity']:.2f} a token",
        f"({results['counted_tokens']:,} tokens).",
        *("", "## Use", "", "```python"),
        "import lightbulb_backbones.language  # registers the model",
        "from transformers import AutoModelForCausalLM, AutoTokenizer",
        "",
        "model = AutoModelForCausalLM.from_pretrained(folder)",
        "tokenizer = AutoTokenizer.from_pretrained(folder)",
        *("```", "", "## Limits", "", _LIMITS, ""),
    ]
    return "\n".join(lines)


def _experts(config: LanguageExpertConfig) -> list[str]:
    return [f"- `{name}`: {_EXPERTS[name]}" for name in config.experts]


def _row(*cells: object) -> list[str]:
    return ["| " + " | ".join(map(str, cells)) + " |"]


def _millions(count: int) -> str:
    return f"{count / _MILLION:,.2f}" if count < 100 * _MILLION else f"{count / _MILLION:,.1f}"


if __name__ == "__main__":
    print(presets_card(), end="")
