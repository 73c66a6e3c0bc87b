"""A language expert may look sentences of training documents up, and nothing else."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tianshou.utils.torch_utils import policy_within_training_step

from lightbulb_agents.background import sentences
from lightbulb_agents.config import Sizes, SourceFlags, TrainConfig
from lightbulb_agents.dqn import QConfig
from lightbulb_agents.run import Run
from lightbulb_agents.train import run_training
from lightbulb_agents.training import Training
from lightbulb_backbones.language_model import LanguageExpertModel
from lightbulb_backbones.presets import preset
from lightbulb_backbones.pretraining.tokenizer import train_tokenizer
from lightbulb_envs.registry import make_engine

SUMMARISE, LABEL = "Lightbulb/NewsSummariser-v0", "Lightbulb/SentimentAnalysis-v0"


def _config(**keywords):
    return TrainConfig(
        **{
            "env": SUMMARISE,
            "backbone": "language:tiny",
            "passages": 5,
            "budget": "100",
            "rows": 16,
            "settings": ("level=0",),
            "sizes": Sizes(width=16, heads=2),
            "test_episodes": 5,
            "q": QConfig(prefill=0, minibatch=32),
        }
        | keywords
    )


def _texts(rows, vocabulary):
    return {vocabulary.decode([int(one) for one in row if one]) for row in rows}


@pytest.mark.parametrize("env", [SUMMARISE, LABEL, "Lightbulb/NewsSummariser-Tokens-v0"])
def test_passages_are_the_sentences_of_training_articles(env):
    engine = make_engine(env, 1, split="train")
    source = engine.source
    found = _texts(sentences(engine, 300), source.vocabulary)
    told, references = set(), set()
    for start in (0, 256):
        batch = source.batch(np.arange(start, min(start + 256, 300)))
        told |= _texts(batch.tokens.reshape(-1, batch.tokens.shape[2]), source.vocabulary)
    assert found == told - {""}
    other = make_engine(env, 1, split="test").source
    batch = other.batch(np.arange(20))
    references = _texts(batch.tokens.reshape(-1, batch.tokens.shape[2]), other.vocabulary) - {""}
    assert len(references - found) > 0.5 * len(references)


@pytest.fixture
def make_model(tmp_path):
    """Returns folders of small language experts with their tokenizers."""

    def make(name="model", *, comes_with=0, **settings):
        folder = tmp_path / name
        tokenizer = train_tokenizer("bytes", ["The bridge of the town is open."] * 3, 300)
        tokenizer.save_pretrained(folder)
        model = LanguageExpertModel(preset("tiny", vocab_size=len(tokenizer), **settings))
        if comes_with:
            model.index = model.retriever.index(torch.tensor([[5, 6], [7, 0]])[:comes_with])
        model.save_pretrained(folder)
        return f"hf:{folder}"

    return make


@pytest.mark.parametrize("agent", ["ppo", "dqn"])
def test_what_is_looked_up_is_learnt_through(agent, make_model):
    config = _config(
        agent=agent,
        backbone=make_model(experts=("rag",)),
        settings=("level=0", "max_tokens=24"),
    )
    training = Training(config, config.env_settings())
    model = training.network.encoder.backbone.model
    before = model.index.vectors.clone()
    towers = [model.retriever.questions.embed.weight, model.retriever.passages.embed.weight]
    kept = [tower.clone() for tower in towers]
    for _ in range(3):
        training.update()
    assert torch.equal(model.index.vectors, before)
    assert not any(torch.equal(*pair) for pair in zip(towers, kept, strict=True))


def test_a_run_with_passages_goes_on_as_if_it_had_not_stopped(tmp_path, run_in_two_parts):
    whole, again = (_config(agent="ppo", run_folder=tmp_path / name) for name in ("one", "two"))
    run_training(whole)
    run_in_two_parts(again)
    one, other = (Run.load(config.folder()).load_network() for config in (whole, again))
    assert len(one.encoder.backbone.index) == 30
    for key, weight in one.state_dict().items():
        assert torch.equal(weight, other.state_dict()[key]), key


def test_what_a_rollout_did_is_as_likely_when_it_is_learnt_from_with_passages():
    config = _config(agent="ppo")
    training = Training(config, config.env_settings())
    algorithm, told = training.learner.algorithm, []
    own = algorithm._update_with_batch

    def watched(batch, *arguments, **keywords):
        training.network.train()
        with torch.no_grad():
            logits, _ = algorithm.policy.actor(batch.obs)
            fresh = training.network.choice(logits).log_prob(torch.as_tensor(batch.act))
        told.append((fresh - torch.as_tensor(batch.logp_old)).exp() - 1)
        return own(batch, *arguments, **keywords)

    algorithm._update_with_batch = watched
    with policy_within_training_step(algorithm.policy):
        training.update()
    assert told[0].abs().max() < 1e-5


def test_a_model_keeps_the_passages_that_it_comes_with(make_model, tmp_path):
    name = make_model(comes_with=2)
    config = _config(backbone=name, passages=0, run_folder=tmp_path / "run", agent="ppo")
    run_training(replace(config, settings=("level=0", "max_tokens=24")))
    model = Run.load(config.folder()).load_network().encoder.backbone.model
    assert model.index.tokens.tolist() == [[5, 6], [7, 0]]


def test_passages_that_nothing_looks_up_are_told(make_model, news_file):
    def begin(keywords):
        config = _config(**keywords)
        Training(config, config.env_settings())

    def refused(message, **keywords):
        with pytest.raises(ValueError, match=message):
            begin(keywords)

    refused("looked up by a language expert, and --backbone is 'bag'", backbone="bag")
    refused("leave out --also, or --passages", also=(LABEL,), settings=())
    refused("passages must be 0 or more, got -1", passages=-1)
    refused(
        "has the expert 'rag', and this backbone is none",
        backbone=make_model("other", experts=("dpo",)),
    )
    refused("comes with 2 passages of its own", backbone=make_model(comes_with=2))
    refused(
        "--passages 50, and there are 12 training documents",
        passages=50,
        settings=(),
        source=SourceFlags(train=(f"jsonl:{news_file}",)),
    )
