"""What of a backbone learns: all of it, nothing, or matrices of low rank beside its own.

    lora: W x + B A x,  A of `rank` rows and B of as many columns (Hu et al. 2021, equation 3, with
    alpha = r), B = 0 at the start

by the peft library, whose weights are put into the model in place.
"""

from typing import Any

from torch import nn

from lightbulb_backbones.table import BackboneConfig

_OURS = (
    *("query_key_value", "attention_out", "out", "feed_in", "feed_out"),
    *("in_proj", "x_proj", "out_proj", "gate", "up", "down", "wi", "wo"),
)
"""Matrices of our own backbones beside which others may stand: those that are called, not read."""
_REFUSED = {"mamba": "out_proj", "mamba2": "out_proj"}
"""Kind of model → a matrix that peft refuses there, for kernels elsewhere read it by themselves."""


def tune(backbone: nn.Module, config: BackboneConfig) -> None:
    """Makes that learn what the config says, in place.

    Raises:
        ValueError: there is no such tuning, or the backbone has nothing that could be tuned so.
        ImportError: peft is needed and is not there.
    """
    if config.tuning == "frozen":
        backbone.requires_grad_(False)
        return
    if config.tuning != "lora":
        raise ValueError(f'tuning must be "full", "frozen" or "lora", got {config.tuning!r}')
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError as error:
        raise ImportError(
            "tuning='lora' needs the peft library: pip install 'lightbulb[lora]'"
        ) from error
    names = _targets(backbone)
    if not names:
        raise ValueError(
            f"backbone={config.name!r} has no matrices beside which others of low rank could "
            'stand: take tuning="full"'
        )
    chosen = LoraConfig(
        r=config.rank, lora_alpha=config.rank, lora_dropout=0.0, target_modules=names
    )
    inject_adapter_in_model(chosen, backbone)  # which freezes all but its own


def _targets(backbone: Any) -> list[str]:
    """Returns the names of the matrices beside which others may stand."""
    model = getattr(backbone, "model", backbone)
    is_ours = type(model).__module__.startswith("lightbulb_backbones.")
    refused = _REFUSED.get(model.config.model_type)
    found = []
    for name, module in backbone.named_modules():
        last = name.rpartition(".")[2]
        is_matrix = isinstance(module, nn.Linear) or type(module).__name__ == "Conv1D"
        if is_matrix and last != refused and (last in _OURS or not is_ours):
            found.append(name)
    return found
