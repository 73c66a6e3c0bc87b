"""Stable-Baselines3 learns with our network, from our environment."""

import gymnasium
import numpy as np
import pytest
import torch
from sb3_contrib import MaskablePPO
from stable_baselines3.common.utils import obs_as_tensor

from benchmarks.throughput.stable_baselines import ROWS, STEPS, StableBaselines, StableVecEnv
from lightbulb_agents.actor_critic import ActorCriticConfig
from lightbulb_agents.articles import read_drafts
from lightbulb_agents.config import TrainConfig
from lightbulb_agents.training import Training


@pytest.fixture(scope="module", params=["PPO", "MaskablePPO"])
def learner(request):
    return StableBaselines(request.param, TrainConfig(learning=ActorCriticConfig(epochs=1)))


def test_the_network_is_ours_from_the_first_weight_on(learner):
    ours = Training(TrainConfig(), {}).network
    assert len(list(learner.model.policy.parameters())) == len(list(ours.parameters()))
    for one, other in zip(learner.model.policy.parameters(), ours.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_policy_says_what_the_network_says(learner):
    policy, network = learner.model.policy, learner.network
    seen = learner.model.get_env().reset()
    actions = torch.from_numpy(seen["action_mask"].argmax(axis=1))
    with torch.no_grad():
        articles = network.encode(torch.from_numpy(seen["tokens"]).long())
        drafts = read_drafts(seen, np.arange(ROWS), network.layout)
        logits, value = network.decide(articles, drafts)
        observed = obs_as_tensor(seen, policy.device)
        assert torch.equal(policy.run(observed)[0], logits)
        is_maskable = isinstance(learner.model, MaskablePPO)
        masks = {"action_masks": seen["action_mask"]} if is_maskable else {}
        said, chosen, entropy = policy.evaluate_actions(observed, actions, **masks)
    wanted = torch.distributions.Categorical(logits=logits)
    assert torch.equal(said, value)
    assert torch.allclose(chosen, wanted.log_prob(actions), atol=1e-6)
    assert torch.allclose(entropy, wanted.entropy(), atol=1e-5)


def test_an_update_learns_from_a_whole_rollout(learner):
    before = [weight.clone() for weight in learner.model.policy.parameters()]
    measured = learner.update()
    assert measured["steps"] == learner.steps == ROWS * STEPS
    after = learner.model.policy.parameters()
    assert any(not torch.equal(one, other) for one, other in zip(before, after, strict=True))


def test_rows_reset_when_they_end_and_tell_what_they_ended_with():
    settings = {"num_envs": 3, "autoreset_mode": "SAME_STEP"}
    env = StableVecEnv(gymnasium.make_vec("Lightbulb/NewsSummariser-v0", **settings))
    env.seed(5)
    first = env.reset()
    stop = env.action_space.n - 1
    seen, reward, done, infos = env.step(np.array([0, stop, 0]))
    assert done.tolist() == [False, True, False]
    assert reward[0] > 0
    assert np.array_equal(infos[1]["terminal_observation"]["tokens"], first["tokens"][1])
    assert not np.array_equal(seen["tokens"][1], first["tokens"][1])
    assert not infos[1]["TimeLimit.truncated"]
    assert infos[0] == {}
    assert np.array_equal(np.stack(env.env_method("action_masks")), seen["action_mask"] == 1)
