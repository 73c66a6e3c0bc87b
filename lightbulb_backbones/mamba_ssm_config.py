"""Folders that `mamba-ssm` wrote, whose config and one of whose names are not those of
`transformers`.

Its config.json names the sizes of a model and, under `ssm_cfg`, the keywords of its mixers.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transformers import Mamba2Config, MambaConfig

RENAMED = {r"^backbone\.embedding\.": "backbone.embeddings."}
"""Names of weights there, as a pattern → here."""
_ITS_OWN = {"d_model", "n_layer", "vocab_size"}
"""Settings by which its configs are known; none of them tells a `model_type`."""
_OF_MODEL = {
    "d_model": "hidden_size",
    "n_layer": "num_hidden_layers",
    "residual_in_fp32": "residual_in_fp32",
}
_OF_MIXERS = {
    "d_state": "state_size",
    "d_conv": "conv_kernel",
    "expand": "expand",
    "bias": "use_bias",
    "conv_bias": "use_conv_bias",
}
_OF_MAMBA = {**_OF_MIXERS, "dt_rank": "time_step_rank"}
_OF_MAMBA2 = {
    **_OF_MIXERS,
    "headdim": "head_dim",
    "ngroups": "n_groups",
    "dt_limit": "time_step_limit",
}
_DEFAULTS_OF_MAMBA2 = {"state_size": 128, "head_dim": 64, "n_groups": 1, "expand": 2}
_ONLY: dict[str, Any] = {
    **{"rms_norm": True, "d_intermediate": 0, "attn_layer_idx": []},
    **{"rmsnorm": True, "norm_before_gate": False, "D_has_hdim": False, "d_ssm": None},
}
"""Settings there → the value that is computed here, which is that of all its own models."""
_CHANGES_NOTHING = frozenset(
    {
        *("vocab_size", "pad_vocab_size_multiple", "ssm_cfg", "layer", "attn_cfg"),
        *("tie_embeddings", "initializer_cfg", "fused_add_norm", "use_fast_path"),
        *("use_mem_eff_path", "chunk_size", "sequence_parallel", "conv_init", "A_init_range"),
        *("dt_min", "dt_max", "dt_init", "dt_scale", "dt_init_floor"),
    }
)
"""Settings that are read elsewhere, or of which states of given weights do not depend."""


def mamba_ssm_config(folder: Path) -> MambaConfig | Mamba2Config | None:
    """Returns the config of a folder that `mamba-ssm` wrote, None of any other.

    Raises:
        ValueError: it tells of a model that is not computed here.
    """
    told = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if not isinstance(told, dict) or "model_type" in told or not told.keys() >= _ITS_OWN:
        return None
    mixers = told.get("ssm_cfg") or {}
    layer = mixers.get("layer", "Mamba1")
    if layer not in ("Mamba1", "Mamba2"):
        raise ValueError(f"a model of mamba-ssm with layers {layer!r}: Mamba1 and Mamba2 are read")
    is_second = layer == "Mamba2"
    sizes = {
        **(_DEFAULTS_OF_MAMBA2 if is_second else {}),
        **_renamed(told, _OF_MODEL),
        **_renamed(mixers, _OF_MAMBA2 if is_second else _OF_MAMBA),
    }
    multiple = told.get("pad_vocab_size_multiple", 8)
    sizes["vocab_size"] = -(-told["vocab_size"] // multiple) * multiple
    if not is_second:
        return MambaConfig(**sizes)
    heads = sizes["expand"] * sizes["hidden_size"] // sizes["head_dim"]
    return Mamba2Config(num_heads=heads, **sizes)


def _renamed(told: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Returns settings by their names in `transformers`."""
    found = {}
    for name, value in told.items():
        if name in names:
            found[names[name]] = value
        elif name in _ONLY and value != _ONLY[name]:
            raise ValueError(
                f"a model of mamba-ssm with {name}={value!r}: {_ONLY[name]!r} is computed here"
            )
        elif name not in _ONLY and name not in _CHANGES_NOTHING:
            raise ValueError(f"a model of mamba-ssm with {name}={value!r}, which is not known")
    return found
