"""Folders of mamba-ssm are read as those of `transformers` with the same weights."""

import json

import pytest
import torch
from transformers import Mamba2Config, Mamba2ForCausalLM, MambaConfig, MambaForCausalLM

from lightbulb_backbones import BackboneConfig, make_backbone
from lightbulb_backbones.pretraining.tokenizer import train_tokenizer

WORDS = 45
TOLD = {
    **{"d_model": 16, "n_layer": 2, "vocab_size": WORDS, "pad_vocab_size_multiple": 8},
    **{"rms_norm": True, "residual_in_fp32": True, "fused_add_norm": True},
}
SIZES = {"vocab_size": 48, "hidden_size": 16, "num_hidden_layers": 2}
FIRST = MambaForCausalLM, MambaConfig
SECOND = Mamba2ForCausalLM, Mamba2Config
NEWER = {"d_intermediate": 0, "attn_layer_idx": [], "attn_cfg": {}, "tie_embeddings": True}


@pytest.fixture
def write(tmp_path):
    """Writes a folder as mamba-ssm does, and a tokenizer; returns its name as a backbone."""

    def written(told, model):
        weights = {
            name.replace("backbone.embeddings.", "backbone.embedding."): one
            for name, one in model.state_dict().items()
        }
        torch.save(weights, tmp_path / "pytorch_model.bin")
        (tmp_path / "config.json").write_text(json.dumps(told))
        train_tokenizer("characters", ["abcdefgh"], WORDS).save_pretrained(tmp_path)
        return f"hf:{tmp_path}"

    return written


@pytest.mark.parametrize(
    ("kind", "mixers", "sizes", "more"),
    [
        (FIRST, {}, {}, {}),
        (
            FIRST,
            {"d_state": 4, "d_conv": 3, "expand": 1, "dt_rank": 2, "bias": True, "dt_min": 0.1},
            {"state_size": 4, "conv_kernel": 3, "expand": 1, "time_step_rank": 2, "use_bias": True},
            {},
        ),
        (
            SECOND,
            {"layer": "Mamba2", "headdim": 8, "conv_bias": False, "chunk_size": 4},
            {
                **{"num_heads": 4, "head_dim": 8, "n_groups": 1, "state_size": 128},
                **{"use_conv_bias": False},
            },
            NEWER,
        ),
        (
            SECOND,
            {"layer": "Mamba2", "headdim": 4, "ngroups": 2, "d_state": 4, "dt_limit": [0.01, 0.2]},
            {
                **{"num_heads": 8, "head_dim": 4, "n_groups": 2, "state_size": 4},
                **{"time_step_limit": (0.01, 0.2)},
            },
            NEWER,
        ),
    ],
)
def test_what_mamba_ssm_wrote_is_read_as_what_transformers_wrote(kind, mixers, sizes, more, write):
    torch.manual_seed(0)
    made, config = kind
    model = made(config(**SIZES, **sizes)).eval()
    backbone = make_backbone(
        WORDS, BackboneConfig(write({**TOLD, **more, "ssm_cfg": mixers}, model))
    )
    tokens = torch.tensor([[5, 3, 8, 1, 2, 44]])
    with torch.no_grad():
        states = backbone.eval()(input_ids=tokens).last_hidden_state
        expected = model.backbone(tokens).last_hidden_state
    assert torch.allclose(states, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"rms_norm": False}, "a model of mamba-ssm with rms_norm=False: True is computed here"),
        ({"attn_layer_idx": [1]}, r"with attn_layer_idx=\[1\]: \[\] is computed here"),
        ({"ssm_cfg": {"layer": "Mamba3"}}, "with layers 'Mamba3': Mamba1 and Mamba2 are"),
        ({"ssm_cfg": {"headdim": 8}}, "with headdim=8, which is not known"),
        ({"n_layer": 3}, "lacks weights of the model, 10 in all and layers.2.norm.weight first"),
    ],
)
def test_what_is_not_computed_is_told(change, told, write):
    model = MambaForCausalLM(MambaConfig(**SIZES))
    with pytest.raises(ValueError, match=told):
        make_backbone(WORDS, BackboneConfig(write({**TOLD, **change}, model)))
