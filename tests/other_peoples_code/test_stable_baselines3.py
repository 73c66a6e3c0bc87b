"""Stable-Baselines3 and sb3-contrib train on the ids as they stand."""

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete, MultiBinary
from gymnasium.spaces.utils import flatdim
from gymnasium.wrappers import FilterObservation, FlattenObservation, TransformReward
from sb3_contrib import MaskablePPO
from sb3_contrib.common.maskable.utils import get_action_masks, is_masking_supported
from stable_baselines3 import A2C, DQN, PPO
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.env_checker import check_env
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecEnv

import lightbulb_envs  # noqa: F401 # registers the ids

EASY = "Lightbulb/NewsSummariser-Easy-v0"
ID = "Lightbulb/NewsSummariser-v0"
SLATE = "Lightbulb/NewsSummariser-Slate-v0"
SUBSET = "Lightbulb/NewsSummariser-Subset-v0"
"""What a policy without embeddings can read: all but the tokens."""
SEEN = ("features", "selected", "draft", "budget", "unread", "action_mask")
"""What policies of others see, of what an id has; tokens are ids, which mean nothing to an MLP."""
LEARNING = [
    pytest.param(ID, {"level": 0}, 4096, 0, id="level 0"),
    pytest.param(ID, {"level": 0}, 4096, 1, id="level 0, seed 1", marks=pytest.mark.slow),
    pytest.param(ID, {"level": 0}, 4096, 2, id="level 0, seed 2", marks=pytest.mark.slow),
    pytest.param(EASY, {}, 8192, 0, id="Easy", marks=pytest.mark.slow),
    pytest.param(EASY, {}, 8192, 1, id="Easy, seed 1", marks=pytest.mark.slow),
    pytest.param(EASY, {}, 8192, 2, id="Easy, seed 2", marks=pytest.mark.slow),
]


def _make(env_id: str, **settings: Any) -> gymnasium.Env:
    has_features = "NewsSummariser" in env_id and "Tokens" not in env_id
    env = gymnasium.make(env_id, **({"features": True} if has_features else {}), **settings)
    spaces = env.observation_space.spaces  # type: ignore[attr-defined] # a Dict
    return FilterObservation(env, [name for name in SEEN if name in spaces])


def _batch(env_id: str, num_envs: int = 8, **settings: Any) -> VecEnv:
    return DummyVecEnv([partial(_make, env_id, **settings)] * num_envs)


def _learner(
    algorithm: type[BaseAlgorithm], env: VecEnv, seed: int = 0, epochs: int = 10
) -> BaseAlgorithm:
    return algorithm(
        "MultiInputPolicy",
        env,
        n_steps=64,
        batch_size=128,
        n_epochs=epochs,
        learning_rate=2e-3,
        gamma=1.0,
        ent_coef=0.01,
        policy_kwargs={"net_arch": [64]},
        seed=seed,
        device="cpu",
    )


def _policy(model: BaseAlgorithm) -> Callable[[dict[str, Any]], Any]:
    """Returns what a model does, drawn as it learnt to."""

    def act(observation: dict[str, Any]) -> Any:
        seen = {name: observation[name] for name in SEEN if name in observation}
        if isinstance(model, MaskablePPO):
            return model.predict(seen, action_masks=observation["action_mask"])[0]
        return model.predict(seen)[0]

    return act


@pytest.mark.parametrize(("env_id", "settings", "steps", "seed"), LEARNING)
@pytest.mark.parametrize("algorithm", [PPO, MaskablePPO])
def test_ppo_learns(algorithm, env_id, settings, steps, seed, returns_on_test, act_at_random):
    model = _learner(algorithm, _batch(env_id, **settings), seed)
    by_chance = returns_on_test(act_at_random, env_id, **settings).mean()
    untrained = returns_on_test(_policy(model), env_id, **settings).mean()
    model.learn(steps)
    trained = returns_on_test(_policy(model), env_id, **settings).mean()
    print(f"{trained:.3f}, at random {by_chance:.3f}, its start {untrained:.3f}")
    assert trained > by_chance + 0.15
    assert trained > untrained + 0.15


def _illegal(algorithm: type[BaseAlgorithm], env_id: str, steps: int) -> list[bool]:
    """Returns of every step of a short training whether its action was illegal."""
    told: list[bool] = []

    def listen(local: dict[str, Any], _: dict[str, Any]) -> bool:
        told.extend(info["illegal_action"] for info in local["infos"])
        return True

    _learner(algorithm, _batch(env_id), epochs=1).learn(steps, callback=listen)
    return told


@pytest.mark.parametrize("env_id", [ID, SLATE, SUBSET])
def test_maskable_ppo_takes_no_illegal_action(env_id):
    told = _illegal(MaskablePPO, env_id, 512)
    assert len(told) == 512
    assert not any(told)


def test_plain_ppo_takes_illegal_actions_and_goes_on():
    told = _illegal(PPO, ID, 512)
    assert len(told) == 512
    assert 0 < sum(told) < 512


def test_masks_are_found_through_wrappers_in_sb3s_layout(every_id_of_arrays):
    env = TransformReward(_make(every_id_of_arrays), lambda reward: 2 * reward)
    assert is_masking_supported(env)
    batch = _batch(every_id_of_arrays, num_envs=2)
    assert is_masking_supported(batch)
    observation, _ = env.reset(seed=0)
    batch.seed(0)
    batch.reset()
    size = flatdim(env.action_space) * (2 if isinstance(env.action_space, MultiBinary) else 1)
    mask = get_action_masks(env)
    assert mask.shape == (size,)
    assert mask.dtype == bool
    assert np.array_equal(get_action_masks(batch)[0], mask)
    if isinstance(env.action_space, Discrete):
        assert np.array_equal(mask, observation["action_mask"])


@pytest.mark.parametrize("env_id", [ID, SLATE, SUBSET])
def test_a_trained_model_acts_legally_in_a_single_environment(env_id):
    model = _learner(MaskablePPO, _batch(env_id))
    env = _make(env_id, split="test")
    for instance in range(8):
        observation, _ = env.reset(options={"instance": instance})
        ended = False
        while not ended:
            action, _ = model.predict(observation, action_masks=get_action_masks(env))
            observation, _, terminated, truncated, info = env.step(action)
            assert not info["illegal_action"]
            ended = terminated or truncated


@pytest.mark.parametrize("algorithm", [PPO, A2C])
def test_algorithms_train_in_every_action_space(algorithm, every_id_of_arrays):
    algorithm("MultiInputPolicy", _batch(every_id_of_arrays, 2), n_steps=32, device="cpu").learn(64)


def test_dqn_trains_where_actions_are_discrete():
    env = _batch(ID, 2)
    DQN("MultiInputPolicy", env, learning_starts=8, buffer_size=64, device="cpu").learn(64)


def test_sb3s_checker_has_nothing_to_say(every_id_of_arrays, in_numbers):
    env = FlattenObservation(gymnasium.make(every_id_of_arrays, **in_numbers(every_id_of_arrays)))
    with warnings.catch_warnings():
        if isinstance(env.action_space, Box):  # probabilities begin at 0, whatever suits a Gaussian
            warnings.filterwarnings("ignore", message="We recommend you to use a symmetric and")
        check_env(env)


def test_make_vec_env_takes_an_id():
    # Its default is render_mode="rgb_array", which no environment of text has.
    env = make_vec_env(ID, n_envs=2, seed=3, env_kwargs={"render_mode": None})
    assert get_action_masks(env).shape == (2, env.action_space.n)


@pytest.mark.slow
@pytest.mark.parametrize("start_method", ["forkserver", "spawn"])
def test_maskable_ppo_trains_over_processes(start_method):
    single = partial(gymnasium.make, f"lightbulb_envs:{ID}", features=True)
    env = SubprocVecEnv([single] * 2, start_method=start_method)
    try:
        assert is_masking_supported(env)
        _learner(MaskablePPO, env).learn(128)
    finally:
        env.close()
