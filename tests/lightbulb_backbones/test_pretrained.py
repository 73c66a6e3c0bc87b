"""Models in folders are read with all of their weights, or not at all, as long as they say."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModel,
    BertConfig,
    BertForMaskedLM,
    BertModel,
    GPT2Config,
    GPT2LMHeadModel,
    GPT2Model,
    Mamba2Config,
    Mamba2ForCausalLM,
    MambaConfig,
    MambaForCausalLM,
    MarianConfig,
    MarianMTModel,
    RobertaConfig,
    RobertaModel,
    T5Config,
    T5ForConditionalGeneration,
)

from lightbulb_backbones import BackboneConfig, make_backbone
from lightbulb_backbones.language import LanguageExpertForCausalLM, LanguageExpertModel
from lightbulb_backbones.presets import preset
from lightbulb_backbones.pretraining.tokenizer import PADDING, train_tokenizer

WORDS = 40
TOKENS = torch.tensor([[5, 3, 8, 1, 2, 9], [7, 7, 4, 0, 0, 0]])
SMALL = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
BERT = {**SMALL, "vocab_size": WORDS, "intermediate_size": 16, "max_position_embeddings": 20}
GPT2 = GPT2Config(vocab_size=WORDS, n_embd=16, n_head=2, n_layer=2, n_positions=20)
T5 = {"d_model": 16, "d_kv": 8, "d_ff": 16, "num_layers": 1, "num_heads": 2}
MARIAN = {
    **{"vocab_size": WORDS, "d_model": 16, "pad_token_id": 1, "decoder_start_token_id": 2},
    **{f"{part}_layers": 1 for part in ("encoder", "decoder")},
    **{f"{part}_attention_heads": 2 for part in ("encoder", "decoder")},
    **{f"{part}_ffn_dim": 16 for part in ("encoder", "decoder")},
}
EXPERT = {
    **{"vocab_size": WORDS, "hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 16},
    **{"rag_layers": 1, "dpo_layers": 1, "mamba_layers": 1, "prefix": 4},
}
MAMBA = {"vocab_size": WORDS, "hidden_size": 16, "num_hidden_layers": 2, "state_size": 4}
MAMBA2 = {**MAMBA, "num_heads": 8, "head_dim": 4, "n_groups": 2}


def _expert(**more):
    return preset("tiny", **EXPERT, **more)


CAUSAL = {
    "gpt2": lambda: GPT2LMHeadModel(GPT2),
    "mamba": lambda: MambaForCausalLM(MambaConfig(**MAMBA)),
    "mamba2": lambda: Mamba2ForCausalLM(Mamba2Config(**MAMBA2)),
    "language": lambda: LanguageExpertForCausalLM(_expert()),
    "bert": lambda: BertForMaskedLM(BertConfig(**BERT)),
}
"""Models with a head, whose plain model is the backbone."""


@pytest.fixture
def keep(tmp_path):
    """Writes a model and a tokenizer into a folder; returns its name as a backbone."""

    def kept(model, *, first=PADDING):
        tokenizer = train_tokenizer("characters", ["abcdefgh"], WORDS)
        told = tokenizer.backend_tokenizer.to_str().replace(PADDING, first)
        model.save_pretrained(tmp_path)
        (tmp_path / "tokenizer.json").write_text(told)
        return f"hf:{tmp_path}"

    return kept


def _read(name):
    return make_backbone(WORDS, BackboneConfig(name)).eval()


def _states(backbone, tokens=TOKENS):
    with torch.inference_mode():
        return backbone(input_ids=tokens).last_hidden_state


def _weights(folder):
    """Returns the file of weights in a folder, and what it holds."""
    file = Path(folder.removeprefix("hf:")) / "model.safetensors"
    return file, load_file(file)


def _lose(folder, *parts):
    """Takes the weights out of a folder whose names begin so."""
    file, weights = _weights(folder)
    left = {name: one for name, one in weights.items() if not name.startswith(parts)}
    assert len(left) < len(weights)
    save_file(left, file, {"format": "pt"})


def _of_table(name):
    torch.manual_seed(0)
    return make_backbone(WORDS, BackboneConfig(name, 16, layers=2, heads=2)).eval()


def _read_alike(backbone, model):
    """Whether a backbone reads observed tokens as a model does."""
    seen = TOKENS != 0
    with torch.inference_mode():
        states = model(input_ids=TOKENS, attention_mask=seen).last_hidden_state
    return torch.allclose(_states(backbone)[seen], states[seen], atol=1e-6)


def test_every_backbone_of_the_table_is_read_from_its_folder(backbone_name, keep):
    model = _of_table(backbone_name)
    assert _read_alike(_read(keep(model)), model)


def test_what_was_read_from_a_folder_is_made_again_without_it(backbone_name, keep):
    read = _read(keep(_of_table(backbone_name)))
    again = make_backbone(WORDS, read.described(BackboneConfig("hf:gone"))).eval()
    again.load_state_dict(read.state_dict())
    assert torch.equal(_states(again), _states(read))


@pytest.mark.parametrize("name", ["bag", "transformer"])
def test_backbones_that_are_padded_with_token_0_read_tokens_as_they_are_observed(name, keep):
    model = _of_table(name)
    assert _read_alike(_read(keep(model, first="first")), model)


@pytest.mark.parametrize("name", ["bag", "transformer"])
def test_a_folder_needs_no_module_but_its_own_reader(name, keep):
    folder = keep(_of_table(name))
    told = f"make_backbone({WORDS}, BackboneConfig({folder!r}))"
    code = f"from lightbulb_backbones import BackboneConfig, make_backbone; {told}"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", ["bag", "transformer"])
def test_the_auto_classes_know_our_backbones(name, tmp_path):
    model = _of_table(name)
    model.save_pretrained(tmp_path)
    assert torch.equal(_states(AutoModel.from_pretrained(tmp_path).eval()), _states(model))


@pytest.mark.parametrize("kind", CAUSAL)
def test_of_a_model_with_a_head_the_plain_model_is_read(kind, keep):
    torch.manual_seed(0)
    model = CAUSAL[kind]().eval()
    read = _states(_read(keep(model)), TOKENS[:1])
    assert torch.allclose(read, _states(model.base_model, TOKENS[:1]), atol=1e-5)


@pytest.mark.parametrize(
    ("kind", "lost", "count", "first"),
    [
        ("gpt2", ("transformer.h.1.mlp.c_fc",), 2, "h.1.mlp.c_fc.weight"),
        ("mamba", ("backbone.embeddings",), 1, "embeddings.weight"),
        ("mamba2", ("backbone.layers.1.mixer",), 8, "layers.1.mixer.dt_bias"),
        ("language", ("model.experts.", "model.embed."), 27, "embed.weight"),
        ("language", ("model.retriever.",), 30, "retriever.questions.embed.weight"),
        ("bert", ("bert.embeddings.LayerNorm",), 2, "embeddings.LayerNorm.weight"),
    ],
)
def test_weights_that_are_missing_are_told(kind, lost, count, first, keep):
    folder = keep(CAUSAL[kind]())
    _lose(folder, *lost)
    told = f"lacks weights of the model, {count} in all and {first} first: save"
    with pytest.raises(ValueError, match=told):
        _read(folder)


def test_passages_of_a_language_expert_that_are_missing_are_told(keep):
    folder = keep(LanguageExpertModel(_expert(index_size=3, index_length=5)))
    _read(folder)
    _lose(folder, "index.")
    with pytest.raises(ValueError, match="2 in all and index.vectors first"):
        _read(folder)


def test_weights_of_other_sizes_are_told(keep):
    folder = keep(GPT2Model(GPT2))
    file = Path(folder.removeprefix("hf:")) / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "n_inner": 12}))
    with pytest.raises(ValueError, match=r"another size of h.0.mlp.c_fc.bias, \(64,\), .* \(12,\)"):
        _read(folder)


def test_what_no_state_depends_on_may_be_missing(keep):
    torch.manual_seed(0)
    model = BertModel(BertConfig(**BERT)).eval()
    folder = keep(model)
    _lose(folder, "pooler.")
    assert torch.allclose(_states(_read(folder))[0], _states(model, TOKENS[:1])[0], atol=1e-5)


def test_positions_that_are_computed_may_be_missing(keep):
    torch.manual_seed(0)
    model = MarianMTModel(MarianConfig(**MARIAN)).eval()
    folder = keep(model)
    assert "model.encoder.embed_positions.weight" in model.state_dict()
    assert "model.encoder.embed_positions.weight" not in _weights(folder)[1]
    read = _states(_read(folder), TOKENS[:1])
    assert torch.allclose(read, _states(model.get_encoder(), TOKENS[:1]), atol=1e-6)


def test_of_an_encoder_and_a_decoder_the_encoder_must_be_whole(keep):
    folder = keep(T5ForConditionalGeneration(T5Config(vocab_size=WORDS, **T5)))
    whole = _states(_read(folder))
    _lose(folder, "decoder.")
    assert torch.equal(_states(_read(folder)), whole)
    _lose(folder, "shared.")
    with pytest.raises(ValueError, match="3 in all and shared.weight first"):
        _read(folder)


@pytest.mark.parametrize(
    ("model", "most"),
    [
        (lambda: RobertaModel(RobertaConfig(**BERT)), 18),  # positions begin at padding_idx + 1
        (lambda: BertModel(BertConfig(**BERT)), 20),
        (lambda: GPT2Model(GPT2), 20),
    ],
    ids=["roberta", "bert", "gpt2"],
)
@pytest.mark.parametrize("first", [PADDING, "first"])
def test_a_text_is_as_long_as_the_model_has_positions(model, most, first, keep):
    backbone = _read(keep(model(), first=first))
    longest = torch.full((1, most), 5)
    assert _states(backbone, longest).isfinite().all()
    told = f"reads {most} tokens at a time, and a text has {most + 1}"
    with pytest.raises(ValueError, match=told):
        _states(backbone, torch.full((1, most + 1), 5))


def test_a_language_expert_of_a_folder_may_be_told_by_how_much_it_routes(keep):
    backbone = _read(keep(LanguageExpertForCausalLM(_expert())))
    texts = torch.randint(1, WORDS, (40, 12), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        first, state = backbone.step(texts[:, :3])
        last, state = backbone.step(texts[:, 3:], state)
        whole = backbone(texts, prefix=state["prefix"]).last_hidden_state
    assert state["prefix"].tolist() == [3] * 40
    assert torch.allclose(torch.cat((first, last), dim=1), whole, atol=1e-5)
