"""Slates, subsets, features, and environments whose tokens change within an episode."""

import numpy as np
import pytest
import torch

import lightbulb_envs
from lightbulb_agents.articles import read_drafts
from lightbulb_agents.config import Sizes, TrainConfig
from lightbulb_agents.layout import Layout
from lightbulb_agents.network import ActorCriticNetwork, NetworkConfig
from lightbulb_agents.train import run_training
from lightbulb_agents.training import Training
from lightbulb_backbones import BackboneConfig

ROW = np.zeros(1, dtype=np.int64)
SMALL = NetworkConfig(BackboneConfig("bag", width=16, heads=2))


def _network(env_id, head, **settings):
    torch.manual_seed(0)
    engine = lightbulb_envs.make_engine(env_id, 6, **settings)
    layout = Layout.of(engine.observation_space, engine.action_space)
    network = ActorCriticNetwork(engine.source.vocabulary.size, head, layout, SMALL).eval()
    rows = np.arange(6)
    engine.reset(rows, rows)
    return network, engine.observe(rows)


def _logits(network, seen):
    with torch.inference_mode():
        articles = network.encode(torch.from_numpy(seen["tokens"]).long())
        drafts = read_drafts(seen, np.arange(len(seen["tokens"])), network.layout)
        return network.decide(articles, drafts)[0]


@pytest.mark.parametrize(
    ("env_id", "head"),
    [
        ("Lightbulb/NewsSummariser-Slate-v0", "slate"),
        ("Lightbulb/NewsSummariser-Subset-v0", "multibinary"),
    ],
)
def test_slates_and_subsets_are_scored_as_picks_are(env_id, head):
    network, seen = _network(env_id, head)
    logits = _logits(network, seen)
    is_there = (seen["tokens"] != 0).any(axis=2)
    assert torch.equal(logits[:, :-1].isfinite(), torch.from_numpy(is_there))
    action = network.choice(logits).best().numpy()
    engine = lightbulb_envs.make_engine(env_id, 6)
    rows = np.arange(6)
    engine.reset(rows, rows)
    assert not engine.step(rows, action).is_illegal.any()


def test_features_are_read_where_there_are_some():
    network, seen = _network("Lightbulb/NewsSummariser-v0", "pointer", features=True)
    with torch.no_grad():
        network.head.features.weight.normal_()
        network.head.score.weight.normal_()
    before = _logits(network, seen)
    changed = {**seen, "features": 1 - seen["features"]}
    assert (before - _logits(network, changed))[before.isfinite()].abs().max() > 1e-3


def test_room_for_more_chunks_changes_no_label():
    network, seen = _network("Lightbulb/SentimentAnalysis-Bandit-v0", "categorical")
    with torch.no_grad():
        for weight in network.head.parameters():
            weight.normal_(std=0.3)
    wide = {**seen, "tokens": np.pad(seen["tokens"], ((0, 0), (0, 9), (0, 3)))}
    assert torch.allclose(_logits(network, seen), _logits(network, wide), atol=1e-5)
    nothing = {**seen, "tokens": np.zeros_like(seen["tokens"])}
    assert _logits(network, nothing)[:, 1:].isfinite().all()


def _config(folder, env_id, **more):
    defaults = {"budget": "600", "rows": 64, "test_episodes": 6, "sizes": Sizes(16, heads=2)}
    return TrainConfig(env=env_id, run_folder=folder, **{**defaults, **more})


@pytest.mark.parametrize("name", ["Slate", "Subset"])
def test_slates_and_subsets_are_trained_and_reported(name, tmp_path):
    results = run_training(_config(tmp_path / "run", f"Lightbulb/NewsSummariser-{name}-v0"))
    assert results.entry("trained").episode_return.mean > 0
    assert "◇ oracle" in (tmp_path / "run" / "report.html").read_text()


def test_a_policy_trained_with_features_is_evaluated_with_them(tmp_path):
    from lightbulb_agents.evaluate import EvaluateConfig, evaluate_run

    folder = tmp_path / "run"
    env_id = "Lightbulb/NewsSummariser-Easy-v0"
    run_training(_config(folder, env_id, settings=("features=true",)))
    results, _ = evaluate_run(EvaluateConfig(folder, "Lightbulb/NewsSummariser-v0", episodes=4))
    assert results.settings["features"] is True
    with pytest.raises(ValueError, match="these settings give"):
        evaluate_run(EvaluateConfig(folder, episodes=4, settings=("features=false",)))


class _Pages:
    """Shows an article a page at a time: the tokens change within an episode."""

    keeps_tokens = False

    def __init__(self, engine):
        self._engine = engine

    def __getattr__(self, name):
        return getattr(self._engine, name)

    def observe(self, rows):
        seen = self._engine.observe(rows)
        page = (seen["selected"] > 0).sum(axis=1)
        shown = np.arange(seen["tokens"].shape[1]) <= 4 + 4 * page[:, None]
        return {**seen, "tokens": seen["tokens"] * shown[:, :, None]}


def test_what_is_learnt_from_is_what_was_seen_when_tokens_change(tmp_path):
    training = Training(_config(tmp_path, "Lightbulb/NewsSummariser-v0"), {})
    collector = training.learner.collector
    collector.engine = _Pages(training.engine)
    collector.collect(n_episode=64)
    batch = collector.buffer.sample(0)[0]
    assert len(np.unique(np.asarray(batch.obs.article))) > 32  # more than one article an episode
    trunk = training.learner.algorithm.policy.actor.trunk
    with torch.no_grad():
        logits, value = trunk(batch.obs)
    again = training.network.choice(logits).log_prob(torch.as_tensor(batch.act))
    assert torch.allclose(again, batch.logp_old, atol=1e-5)
    assert torch.allclose(value.double(), batch.v_s, atol=1e-5)
