"""Agents read with any backbone, learn with any, and act in learning as they did in acting."""

import json
import shutil
import sys

import numpy as np
import pytest
import torch
from tianshou.utils.torch_utils import policy_within_training_step
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel, GPT2Config, GPT2Model

from lightbulb_agents import train as train_command
from lightbulb_agents.config import Sizes, TrainConfig
from lightbulb_agents.dqn import QConfig
from lightbulb_agents.evaluate import EvaluateConfig, evaluate_run
from lightbulb_agents.run import Run
from lightbulb_agents.train import run_training
from lightbulb_agents.training import Training
from lightbulb_backbones import BackboneConfig, make_backbone
from lightbulb_backbones.language_model import LanguageExpertModel
from lightbulb_backbones.mamba import Mamba
from lightbulb_backbones.presets import preset
from lightbulb_backbones.pretrained import shift_of, tokenizer_file
from lightbulb_backbones.pretraining.tokenizer import train_tokenizer
from lightbulb_backbones.runs.checkpoint import latest_checkpoint
from lightbulb_envs.subwords import SubwordVocabulary

SUMMARISE, LABEL = "Lightbulb/NewsSummariser-v0", "Lightbulb/SentimentAnalysis-v0"
EASY = ("level=0", "max_tokens=24")
SIZES = Sizes(width=16, heads=2)
TEXTS = ["The bridge of the town is open. It cost seven million dollars."] * 3


@pytest.fixture
def hf_folder(tmp_path):
    """Returns folders of models of several kinds, each with a tokenizer."""

    def make(kind="language", *, padding_first=True):
        folder = tmp_path / kind
        tokenizer = train_tokenizer("bytes", TEXTS, 300)
        if not padding_first:
            told = json.loads(tokenizer.backend_tokenizer.to_str())
            text = json.dumps(told).replace("[pad]", "[first]")
            folder.mkdir()
            (folder / "tokenizer.json").write_text(text)
        else:
            tokenizer.save_pretrained(folder)
        size = len(tokenizer)
        torch.manual_seed(0)
        if kind == "language":
            small = {"hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 16}
            layers = {"rag_layers": 1, "dpo_layers": 1, "mamba_layers": 1, "prefix": 4}
            model = LanguageExpertModel(preset("tiny", vocab_size=size, **small, **layers))
        elif kind in ("mamba", "mamba2"):
            model = make_backbone(size, BackboneConfig(kind, width=24))
        elif kind == "gpt2":
            model = GPT2Model(
                GPT2Config(vocab_size=size, n_embd=24, n_head=2, n_layer=1, n_positions=80)
            )
        else:
            model = BertModel(
                BertConfig(
                    vocab_size=size,
                    hidden_size=24,
                    num_hidden_layers=1,
                    num_attention_heads=2,
                    intermediate_size=24,
                )
            )
        model.save_pretrained(folder)
        return f"hf:{folder}"

    return make


def _config(tmp_path=None, **keywords):
    more = {} if tmp_path is None else {"run_folder": tmp_path / "run"}
    return TrainConfig(
        **{"budget": "400", "rows": 16, "sizes": SIZES, "test_episodes": 20, **more, **keywords}
    )


def _moved(config):
    """Returns the names of the weights that change in three updates."""
    training = Training(config, config.env_settings())
    before = {name: weight.clone() for name, weight in training.network.named_parameters()}
    for _ in range(3):
        training.update()
    after = training.network.named_parameters()
    return {name for name, weight in after if not torch.equal(weight, before[name])}


@pytest.mark.parametrize("env", [SUMMARISE, LABEL])
def test_what_a_rollout_did_is_as_likely_when_it_is_learnt_from(backbone_name, env):
    config = _config(env=env, agent="ppo", backbone=backbone_name)
    training = Training(config, config.env_settings())
    learner = training.learner
    told = []
    own = learner.algorithm._update_with_batch

    def watched(batch, *arguments, **keywords):
        training.network.train()
        with torch.no_grad():
            logits, _ = learner.algorithm.policy.actor(batch.obs)
            fresh = training.network.choice(logits).log_prob(torch.as_tensor(batch.act))
        told.append((fresh - torch.as_tensor(batch.logp_old)).exp() - 1)
        return own(batch, *arguments, **keywords)

    learner.algorithm._update_with_batch = watched
    with policy_within_training_step(learner.algorithm.policy):
        training.update()
    (ratio,) = told
    assert len(ratio) > 16
    assert ratio.abs().max() < 1e-5


@pytest.mark.parametrize("agent", ["ppo", "dqn"])
def test_both_agents_learn_through_every_backbone(backbone_name, agent):
    q = QConfig(prefill=0, minibatch=32)
    moved = _moved(_config(env=SUMMARISE, agent=agent, backbone=backbone_name, budget="2000", q=q))
    assert any(name.startswith("encoder.backbone.") for name in moved)
    assert any(name.startswith("head.") for name in moved)


@pytest.mark.parametrize("tuning", ["full", "frozen", "lora"])
@pytest.mark.parametrize("backbone_name", ["transformer", "mamba", "language:tiny"])
def test_of_a_backbone_learns_what_was_chosen(backbone_name, tuning):
    everything = _moved(_config(env=SUMMARISE, agent="ppo", backbone=backbone_name, tuning=tuning))
    moved = {name for name in everything if name.startswith("encoder.backbone.")}
    if tuning == "full":
        assert moved
    elif tuning == "frozen":
        assert not moved
    else:
        assert moved
        assert all("lora_" in name for name in moved)
    assert everything > moved


def test_matrices_of_low_rank_change_nothing_before_they_have_learnt():
    tokens = torch.tensor([[5, 3, 8, 1]])
    states = []
    for tuning in ("full", "lora"):
        torch.manual_seed(0)
        backbone = make_backbone(20, BackboneConfig("transformer", 16, heads=2, tuning=tuning))
        states.append(backbone.eval()(input_ids=tokens).last_hidden_state)
    assert torch.equal(*states)


@pytest.mark.parametrize("name", ["transformer", "mamba", "mamba2", "language:tiny"])
def test_what_does_not_learn_has_no_gradient(name):
    def learns(tuning):
        backbone = make_backbone(20, BackboneConfig(name, 16, heads=2, tuning=tuning))
        return {key for key, weight in backbone.named_parameters() if weight.requires_grad}

    assert learns("frozen") == set()
    assert learns("lora")
    assert all("lora_" in key for key in learns("lora"))


def test_a_bag_has_no_matrices_to_be_tuned():
    with pytest.raises(ValueError, match="backbone='bag' has no matrices"):
        make_backbone(20, BackboneConfig("bag", tuning="lora"))


@pytest.mark.parametrize("kind", ["language", "mamba", "gpt2", "bert"])
def test_a_model_with_weights_reads_for_an_agent_and_goes_with_the_run(kind, hf_folder, tmp_path):
    name = hf_folder(kind)
    config = _config(tmp_path, env=SUMMARISE, agent="ppo", backbone=name, settings=EASY)
    run_training(config)
    shutil.rmtree(name.removeprefix("hf:"))  # the run has all it needs
    run = Run.load(config.folder())
    network = run.load_network()
    assert run.network.backbone.architecture is not None
    assert latest_checkpoint(config.folder()).is_dir()
    if kind == "mamba":
        assert isinstance(network.encoder.backbone.model, Mamba)
    results, _ = evaluate_run(EvaluateConfig(run=config.folder(), split="test", episodes=10))
    assert results.entry("trained").episode_return.mean != 0


def test_a_model_begins_with_its_weights_and_only_tokens_are_told_otherwise(hf_folder):
    name = hf_folder("gpt2", padding_first=False)
    backbone = make_backbone(301, BackboneConfig(name)).eval()
    model = GPT2Model.from_pretrained(name.removeprefix("hf:")).eval()
    assert backbone.shift == 1
    own = torch.tensor([[4, 0, 9]])
    told = torch.tensor([[5, 1, 10, 0, 0]])
    with torch.inference_mode():
        states = backbone(input_ids=told).last_hidden_state[:, :3]
        assert torch.allclose(states, model(own).last_hidden_state, atol=1e-6)


@pytest.mark.parametrize("padding_first", [True, False])
def test_environments_tell_a_model_the_tokens_of_its_tokenizer(hf_folder, padding_first):
    file = tokenizer_file(hf_folder("gpt2", padding_first=padding_first))
    told = np.array(SubwordVocabulary.load(file).encode(TEXTS[:1])[0])
    own = Tokenizer.from_file(str(file)).encode(TEXTS[0]).ids
    assert (told - shift_of(file)).tolist() == own


def test_a_run_with_a_model_with_weights_goes_on_as_if_it_had_not_stopped(
    hf_folder, tmp_path, run_in_two_parts
):
    told = {"env": SUMMARISE, "agent": "ppo", "backbone": hf_folder("bert"), "settings": EASY}
    whole = _config(tmp_path / "whole", **told)
    run_training(whole)
    again = _config(tmp_path / "again", **told)
    run_in_two_parts(again)
    one, other = (Run.load(config.folder()).load_network() for config in (whole, again))
    for key, weight in one.state_dict().items():
        assert torch.equal(weight, other.state_dict()[key]), key


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (
            ["--backbone", "lstm"],
            "one of bag, transformer, mamba, mamba2, language:tiny",
        ),
        (
            ["--backbone", "language:huge"],
            "must be one of bag, transformer, mamba, mamba2",
        ),
        (["--backbone", "hf:missing"], "missing is no folder: name one that holds a model"),
        (["--backbone", "hf:."], "holds no model: config.json is missing"),
        (
            ["--backbone", "language:tiny", "--sizes.backbone-layers", "3"],
            "--backbone language:tiny has layers of its own",
        ),
        (["--rank", "4"], "--rank is of --tuning lora, and tuning is 'full'"),
        (["--tuning", "lora"], "backbone='bag' has no matrices"),
        (
            ["--backbone", "hf:MODEL", "--settings", "tokenizer=x.json"],
            "becomes the environment's: leave tokenizer= out",
        ),
        (["--backbone", "hf:MODEL", "--also", LABEL], "leave out --also, or --backbone hf:"),
        (["--backbone", "hf:UNTOLD"], "holds no tokenizer.json"),
        (["--backbone", "hf:BROKEN"], "holds no model that can be read here"),
    ],
)
def test_what_cannot_read_is_told_in_one_line(
    flags, told, hf_folder, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    model = hf_folder("gpt2").removeprefix("hf:")
    for name, removed in (("UNTOLD", "tokenizer.json"), ("BROKEN", "model.safetensors")):
        shutil.copytree(model, tmp_path / name)
        (tmp_path / name / removed).unlink()
    given = [flag.replace("MODEL", model) for flag in flags]
    monkeypatch.setattr(sys, "argv", ["train", "--budget", "400", "--rows", "16", *given])
    with pytest.raises(SystemExit) as stopped:
        train_command.main()
    said = " ".join(capsys.readouterr().err.replace("\n", " ").split())
    assert told in f"{stopped.value.code} {said}"


def test_a_text_longer_than_a_model_reads_is_told(hf_folder):
    backbone = make_backbone(300, BackboneConfig(hf_folder("gpt2")))
    with pytest.raises(ValueError, match="reads 80 tokens at a time, and a text has 81"):
        backbone(input_ids=torch.ones(1, 81, dtype=torch.long))
    with pytest.raises(ValueError, match="knows 300 tokens, and documents are told in 400"):
        make_backbone(400, BackboneConfig(hf_folder("bert")))


def test_a_model_of_transformers_has_no_step_form_and_ours_has(hf_folder):
    tokens = torch.tensor([[5, 3, 8]])
    with pytest.raises(NotImplementedError, match="GPT2Model has no step form"):
        make_backbone(300, BackboneConfig(hf_folder("gpt2"))).step(tokens)
    for kind in ("mamba", "mamba2"):
        backbone = make_backbone(300, BackboneConfig(hf_folder(kind))).eval()
        states, _ = backbone.step(tokens)
        assert torch.allclose(states, backbone(input_ids=tokens).last_hidden_state, atol=1e-6)
