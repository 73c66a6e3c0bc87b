"""REINFORCE (Williams 1992) in a dozen lines of numpy learns from `make` and from `make_vec`."""

from typing import Any

import gymnasium
import numpy as np
import pytest
from numpy.typing import NDArray

import lightbulb_envs  # noqa: F401 # registers the ids

ID = "Lightbulb/NewsSummariser-v0"
BINS = 10
Array = NDArray[Any]


def describe(observation: dict[str, Array]) -> Array:
    """Returns every action's description: features and their bins, for STOP the budget's rest."""
    features = observation["features"]  # (..., S, F)
    bins = np.eye(BINS)[np.minimum((BINS * features).astype(int), BINS - 1)]  # (..., S, F, BINS)
    sentences = np.concatenate([features, bins.reshape(*features.shape[:-1], -1)], axis=-1)
    *batch, count, width = sentences.shape
    described = np.zeros((*batch, count + 1, width + 2))
    described[..., :-1, :-2] = sentences
    described[..., -1, -2] = 1.0
    described[..., -1, -1] = observation["budget"][..., 0]
    return described


def score(weights: Array, observation: dict[str, Array]) -> Array:
    """Returns the logits of the actions, those of illegal ones minus infinity."""
    legal = observation["action_mask"] == 1
    return np.where(legal, describe(observation) @ weights, -np.inf)


def sample(logits: Array, generator: np.random.Generator) -> Array:
    """Draws an action of each softmax over the last axis."""
    return (logits + generator.gumbel(size=logits.shape)).argmax(axis=-1)


def eligibility(weights: Array, observation: dict[str, Array], action: Array) -> Array:
    """Returns the gradient of the action's log-probability by the weights."""
    logits, described = score(weights, observation), describe(observation)
    probability = np.exp(logits - logits.max(axis=-1, keepdims=True))
    probability /= probability.sum(axis=-1, keepdims=True)
    chosen = np.take_along_axis(described, np.asarray(action)[..., None, None], axis=-2)
    return chosen[..., 0, :] - (probability[..., None] * described).sum(axis=-2)


def train_on_one(env: gymnasium.Env, episodes: int, seed: int, rate: float = 1.0) -> Array:
    """Returns the weights after so many episodes of one environment."""
    generator = np.random.default_rng(seed)
    observation, _ = env.reset(seed=seed)
    weights, baseline = np.zeros(describe(observation).shape[-1]), 0.0
    for _ in range(episodes):
        total, gradient, ended = 0.0, np.zeros_like(weights), False
        while not ended:
            action = sample(score(weights, observation), generator)
            gradient += eligibility(weights, observation, action)
            observation, reward, terminated, truncated, _ = env.step(action)
            total += reward
            ended = terminated or truncated
        weights += rate * (total - baseline) * gradient
        baseline += 0.1 * (total - baseline)
        observation, _ = env.reset()
    return weights


def train_on_many(env: gymnasium.vector.VectorEnv, steps: int, seed: int, rate: float = 8) -> Array:
    """Returns the weights after so many steps of a vector environment that resets in the step."""
    generator = np.random.default_rng(seed)
    observation, _ = env.reset(seed=seed)
    weights, baseline = np.zeros(describe(observation).shape[-1]), 0.0
    total, gradient = np.zeros(env.num_envs), np.zeros((env.num_envs, len(weights)))
    for _ in range(steps):
        action = sample(score(weights, observation), generator)
        gradient += eligibility(weights, observation, action)
        observation, reward, terminated, truncated, _ = env.step(action)
        total += reward
        ended = terminated | truncated
        if ended.any():
            weights += rate / env.num_envs * (total[ended] - baseline) @ gradient[ended]
            baseline += 0.1 * (total[ended].mean() - baseline)
            total[ended], gradient[ended] = 0.0, 0.0
    return weights


def act_by_centrality(observation: dict[str, Array]) -> Array:
    """The reference heuristic: the most central sentence that is new enough, else STOP."""
    legal, features = observation["action_mask"][:, :-1] == 1, observation["features"]
    centrality = np.where(legal & (features[:, :, 3] > 0.8), features[:, :, 2], -1.0)
    stop = legal.shape[1]
    return np.where(centrality.max(axis=1) >= 0, centrality.argmax(axis=1), stop)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_reinforce_learns_in_a_single_environment(seed, returns_on_test, act_at_random):
    env = gymnasium.make(ID, level=0, features=True)
    weights = train_on_one(env, episodes=150, seed=seed)
    generator = np.random.default_rng(seed)
    by_chance = returns_on_test(act_at_random, ID, level=0).mean()
    trained = returns_on_test(lambda seen: sample(score(weights, seen), generator), ID, level=0)
    print(f"{trained.mean():.3f}, at random {by_chance:.3f}")
    assert trained.mean() > by_chance + 0.15


def _train(steps: int, seed: int) -> Array:
    env = gymnasium.make_vec(ID, num_envs=64, features=True, autoreset_mode="SAME_STEP")
    return train_on_many(env, steps, seed)


def test_reinforce_learns_in_a_vector_environment(returns_on_test, act_at_random):
    weights = _train(steps=200, seed=0)
    by_chance = returns_on_test(act_at_random, ID).mean()
    untrained = returns_on_test(lambda seen: score(0 * weights, seen).argmax(axis=-1), ID).mean()
    trained = returns_on_test(lambda seen: score(weights, seen).argmax(axis=-1), ID).mean()
    print(f"{trained:.3f}, at random {by_chance:.3f}, its start {untrained:.3f}")
    assert trained > by_chance + 0.1
    assert trained > untrained + 0.05


@pytest.mark.slow
def test_reinforce_passes_the_reference_heuristic(returns_on_test):
    weights = _train(steps=2400, seed=0)
    heuristic = returns_on_test(act_by_centrality, ID, documents=512)
    trained = returns_on_test(lambda seen: score(weights, seen).argmax(axis=-1), ID, documents=512)
    gain = trained - heuristic
    error = gain.std() / len(gain) ** 0.5
    print(f"{trained.mean():.3f}, centrality {heuristic.mean():.3f}, gain error {error:.4f}")
    assert gain.mean() > 0.01
