"""The PPO written by hand: it starts where ours does, and its numbers are PPO's."""

import numpy as np
import pytest
import torch

from benchmarks.throughput.single_file_ppo import SingleFilePPO
from lightbulb_agents.actor_critic import ActorCriticConfig
from lightbulb_agents.config import TrainConfig
from lightbulb_agents.training import Training

CONFIG = TrainConfig(rows=32, learning=ActorCriticConfig(minibatch=32))


@pytest.fixture
def learner():
    return SingleFilePPO(CONFIG)


def test_ratios_are_one_before_anything_is_learnt(learner):
    rollout = learner.collect()
    for articles in learner.minibatches(rollout):
        _, ratio = learner.loss(rollout, articles, entropy=0.01)
        assert (ratio - 1).abs().max() < 1e-5


def test_minibatches_hold_every_article_once_and_steps_enough(learner):
    rollout = learner.collect()
    length = np.diff(rollout.first)
    minibatches = list(learner.minibatches(rollout))
    assert sorted(np.concatenate(minibatches).tolist()) == list(range(CONFIG.rows // 2))
    assert length.sum() == len(rollout.action)
    assert all(length[articles].sum() >= CONFIG.learning.minibatch for articles in minibatches)
    assert len(minibatches) > 1


def test_an_update_is_that_of_our_training_on_tianshou(learner):
    ours = Training(CONFIG, {})
    for one, other in zip(learner.network.parameters(), ours.network.parameters(), strict=True):
        assert torch.equal(one, other)
    for _ in range(2):
        measured, wanted = learner.update(), ours.update()
        assert measured["steps"] == wanted["steps"]
        assert measured["training_return"] == pytest.approx(wanted["training_return"])
    for one, other in zip(learner.network.parameters(), ours.network.parameters(), strict=True):
        assert (one - other).abs().max() < 1e-4
