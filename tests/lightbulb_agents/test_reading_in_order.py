"""What is read chunk by chunk is encoded once, and no state knows of what comes after it."""

import numpy as np
import pytest
import torch

import lightbulb_envs
from lightbulb_agents.articles import read_drafts, rows_seen
from lightbulb_agents.config import Sizes, TrainConfig
from lightbulb_agents.layout import Layout
from lightbulb_agents.network import ActorCriticNetwork, NetworkConfig
from lightbulb_agents.training import Training
from lightbulb_backbones import BackboneConfig

ID = "Lightbulb/SentimentAnalysis-v0"
ROWS = np.arange(8)


def network_of(engine, backbone="bag"):
    torch.manual_seed(0)
    shape = NetworkConfig(BackboneConfig(backbone, width=16, heads=2))
    vocabulary = engine.source.vocabulary.size
    made = ActorCriticNetwork(vocabulary, "categorical", Layout.of_engine(engine), shape)
    with torch.no_grad():
        for weight in made.head.parameters():
            weight.normal_(std=0.3)
    return made.eval()


def test_an_engine_says_that_it_reveals_in_order():
    assert Layout.of_engine(lightbulb_envs.make_engine(ID, 1)).in_order
    for other in ("Lightbulb/SentimentAnalysis-Bandit-v0", "Lightbulb/NewsSummariser-v0"):
        assert not Layout.of_engine(lightbulb_envs.make_engine(other, 1)).in_order


def test_rows_are_counted_up_to_the_last_one_that_is_there():
    tokens = np.zeros((4, 3, 2), dtype=np.int32)
    tokens[1, 0, 0] = tokens[2, 2, 1] = 5
    tokens[3] = 1
    assert rows_seen(tokens).tolist() == [0, 1, 3, 3]


def test_a_beginning_is_judged_the_same_whether_more_is_known_or_not(backbone_name):
    engine = lightbulb_envs.make_engine(ID, 8)
    network = network_of(engine, backbone_name)
    engine.reset(ROWS, ROWS)
    seen = [engine.observe(ROWS)]
    for _ in range(5):
        engine.step(ROWS, np.zeros(8, dtype=np.int64))
        seen.append(engine.observe(ROWS))
    with torch.inference_mode():
        whole = network.encode(torch.from_numpy(seen[-1]["tokens"]).long())
        for one in seen:
            alone = network.encode(torch.from_numpy(one["tokens"]).long())
            drafts = read_drafts(one, ROWS, network.layout)
            for mine, theirs in zip(
                network.decide(alone, drafts), network.decide(whole, drafts), strict=True
            ):
                assert torch.allclose(mine, theirs, atol=1e-5)
        assert not torch.allclose(
            network.decide(whole, read_drafts(seen[0], ROWS, network.layout))[1],
            network.decide(whole, read_drafts(seen[5], ROWS, network.layout))[1],
        )


def _training(agent, **more):
    sizes = Sizes(16, heads=2)
    return Training(TrainConfig(env=ID, agent=agent, budget="600", rows=32, sizes=sizes), {**more})


def test_what_is_learnt_from_is_what_was_seen():
    training = _training("ppo")
    collector = training.learner.collector
    collector.collect(n_episode=32)
    batch = collector.buffer.sample(0)[0]
    assert len(np.unique(np.asarray(batch.obs.article))) == 16  # one a review, for two episodes
    assert int(batch.obs.seen.max()) > 2
    trunk = training.learner.algorithm.policy.actor.trunk
    with torch.no_grad():
        logits, value = trunk(batch.obs)
    again = training.network.choice(logits).log_prob(torch.as_tensor(batch.act))
    assert torch.allclose(again, batch.logp_old, atol=1e-5)
    assert torch.allclose(value.double(), batch.v_s, atol=1e-5)


def test_a_replay_shows_what_was_seen():
    training = _training("dqn")
    engine, learner = training.engine, training.learner
    learner.collector.collect(n_episode=32)
    batch = learner.replay[learner.replay.sample_indices(0)]
    found = learner.replay.articles.take(np.asarray(batch.obs.article))
    assert learner.replay.articles.end == 16
    assert (rows_seen(found) >= batch.obs.seen).all()
    unread = np.asarray(batch.obs.vectors)[:, 0] * (engine.source.max_sentences - 1)
    following = np.flatnonzero(~batch.done)
    assert (batch.obs.seen[following + 1] == batch.obs.seen[following] + 1).all()
    assert (unread[following + 1].round() == unread[following].round() - 1).all()


class _Forgetful:
    """Says that it reveals in order, and forgets the title."""

    def __init__(self, engine):
        self._engine = engine

    def __getattr__(self, name):
        return getattr(self._engine, name)

    def observe(self, rows):
        seen = self._engine.observe(rows)
        has_read = seen["tokens"][:, 1].any(axis=1)
        seen["tokens"][has_read, 0] = 0
        return seen


def test_an_engine_that_changes_what_was_seen_is_told_so():
    training = _training("ppo")
    training.learner.collector.engine = _Forgetful(training.engine)
    with pytest.raises(ValueError, match="reveals tokens in order"):
        training.learner.collector.collect(n_episode=32)
