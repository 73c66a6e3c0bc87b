"""Gymnasium's wrappers do what they say and leave the rest of an episode as it was."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NamedTuple

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces.utils import flatten
from gymnasium.utils.env_checker import data_equivalence
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv
from gymnasium.wrappers import (
    Autoreset,
    ClipReward,
    FilterObservation,
    FlattenObservation,
    FrameStackObservation,
    RecordEpisodeStatistics,
    TimeLimit,
    TransformObservation,
    TransformReward,
)
from gymnasium.wrappers import vector as vector_wrappers

import lightbulb_envs  # noqa: F401 # registers the ids

ID = "Lightbulb/NewsSummariser-v0"
STOP = 22
ACTIONS = (1, 1, 4, STOP)
"""A pick, the same again, which is illegal, another, and STOP."""
MODES = [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP]


class Step(NamedTuple):
    """What `step` returns; for `reset`, with neither reward nor end."""

    observation: Any
    reward: float
    terminated: bool
    truncated: bool
    info: dict[str, Any]


def _reset(env: gymnasium.Env, seed: int | None = None) -> Step:
    observation, info = env.reset(seed=seed)
    assert observation in env.observation_space
    return Step(observation, 0.0, False, False, info)


def _step(env: gymnasium.Env, action: int) -> Step:
    step = Step(*env.step(action))
    assert step.observation in env.observation_space
    return step


def _play(env: gymnasium.Env, actions: Iterable[int] = ACTIONS) -> list[Step]:
    return [_reset(env, seed=3), *(_step(env, action) for action in actions)]


def _make() -> gymnasium.Env:
    return gymnasium.make(ID, features=True)


def _flatten(observation: dict[str, Any]) -> Any:
    return flatten(_make().observation_space, observation)


@pytest.fixture
def plain() -> list[Step]:
    """An episode without wrappers."""
    steps = _play(_make())
    assert steps[2].info["illegal_action"]
    assert steps[-1].terminated
    return steps


def _of_observations(change: Callable[[Any], Any], steps: list[Step]) -> list[Step]:
    return [step._replace(observation=change(step.observation)) for step in steps]


def _of_rewards(change: Callable[[float], float], steps: list[Step]) -> list[Step]:
    return [steps[0], *(step._replace(reward=change(step.reward)) for step in steps[1:])]


def _stack(steps: list[Step]) -> list[Step]:
    """Three observations each, the first for those that there were not."""
    seen = [steps[0].observation] * 2 + [step.observation for step in steps]
    return [
        step._replace(
            observation={
                name: np.stack([observation[name] for observation in seen[place : place + 3]])
                for name in step.observation
            }
        )
        for place, step in enumerate(steps)
    ]


def _features_of(observation: dict[str, Any]) -> Any:
    return observation["features"]


WRAPPERS: dict[str, tuple[Callable[[Any], Any], Callable[[list[Step]], list[Step]]]] = {
    "FlattenObservation": (FlattenObservation, partial(_of_observations, _flatten)),
    "FilterObservation": (
        lambda env: FilterObservation(env, ["features"]),
        partial(_of_observations, lambda seen: {"features": seen["features"]}),
    ),
    "TransformObservation": (
        lambda env: TransformObservation(env, _features_of, env.observation_space["features"]),
        partial(_of_observations, _features_of),
    ),
    "FrameStackObservation": (lambda env: FrameStackObservation(env, 3), _stack),
    "TransformReward": (
        lambda env: TransformReward(env, lambda reward: 10 * reward),
        partial(_of_rewards, lambda reward: 10 * reward),
    ),
    "ClipReward": (
        lambda env: ClipReward(env, 0.0, 0.1),
        partial(_of_rewards, lambda reward: min(max(reward, 0.0), 0.1)),
    ),
    "TimeLimit": (
        lambda env: TimeLimit(env, 4),
        lambda steps: [*steps[:-1], steps[-1]._replace(truncated=True)],
    ),
}
"""What to wrap in, and what becomes of the steps of the plain episode."""


def _assert_same(one: list[Step], other: list[Step]) -> None:
    assert len(one) == len(other)
    for left, right in zip(one, other, strict=True):
        assert data_equivalence(left.observation, right.observation, exact=True)
        assert left[1:4] == right[1:4]
        assert data_equivalence(left.info, right.info, exact=True)


@pytest.mark.parametrize("name", WRAPPERS)
def test_a_wrapper_changes_what_it_names_and_nothing_else(name, plain):
    wrap, change = WRAPPERS[name]
    steps = _play(wrap(_make()))
    _assert_same(steps, change(plain))
    with pytest.raises(AssertionError):
        _assert_same(steps, plain)


def test_a_time_limit_ends_an_episode_early(plain):
    steps = _play(TimeLimit(_make(), 2), ACTIONS[:2])
    _assert_same(steps, [*plain[:2], plain[2]._replace(truncated=True)])


def test_episode_statistics_are_the_return_and_the_length(plain):
    env = RecordEpisodeStatistics(_make())
    steps = _play(env)
    episode = steps[-1].info.pop("episode")
    assert episode["r"] == pytest.approx(sum(step.reward for step in plain))
    assert episode["l"] == len(ACTIONS)
    assert list(env.return_queue) == [episode["r"]]
    _assert_same(steps, plain)


def test_autoreset_goes_on_with_the_next_episode_of_the_seed(plain):
    env = _make()
    _play(env)
    following = [_reset(env), _step(env, 2)]
    wrapped = Autoreset(_make())
    steps = [*_play(wrapped), _step(wrapped, 0), _step(wrapped, 2)]
    _assert_same(steps, [*plain, *following])
    assert following[0].info["instance"] != plain[0].info["instance"]


def test_wrappers_in_a_row_pass_masks_and_the_oracle_through(plain):
    env = Autoreset(RecordEpisodeStatistics(FlattenObservation(_make())))
    steps = _play(env, ACTIONS[:3])
    assert np.array_equal(env.get_wrapper_attr("action_masks")(), steps[-1].info["action_mask"])
    assert env.get_wrapper_attr("oracle_return")() >= sum(step.reward for step in plain)


def _vector(mode: AutoresetMode) -> VectorEnv:
    return gymnasium.make_vec(ID, num_envs=3, autoreset_mode=mode, max_episode_steps=4)


def _short() -> gymnasium.Env:
    return gymnasium.make(ID, max_episode_steps=4)


def _play_vector(env: VectorEnv) -> list[Any]:
    env.action_space.seed(0)
    told: list[Any] = [env.reset(seed=[5, 6, 7])]
    told += [env.step(env.action_space.sample()) for _ in range(14)]
    return told


@pytest.mark.parametrize("mode", MODES)
def test_vector_episode_statistics_are_the_returns_and_the_lengths(mode):
    env = vector_wrappers.RecordEpisodeStatistics(_vector(mode))
    total, length, is_fresh = np.zeros(3), np.zeros(3, dtype=int), np.zeros(3, dtype=bool)
    ends = 0
    for _, reward, terminated, truncated, infos in _play_vector(env)[1:]:
        ended = terminated | truncated
        total += reward
        length += ~is_fresh
        if ended.any():
            assert np.array_equal(infos["_episode"], ended)
            assert np.allclose(infos["episode"]["r"][ended], total[ended])
            assert np.array_equal(infos["episode"]["l"][ended], length[ended])
        total[ended], length[ended] = 0.0, 0
        is_fresh = ended & (mode is AutoresetMode.NEXT_STEP)
        ends += ended.sum()
    assert env.episode_count == ends
    assert ends >= 6


@pytest.mark.parametrize("mode", MODES)
def test_dict_info_to_list_tells_every_row_what_single_environments_tell(mode):
    singles = SyncVectorEnv([_short] * 3, autoreset_mode=mode)
    told = _play_vector(vector_wrappers.DictInfoToList(_vector(mode)))
    theirs = _play_vector(vector_wrappers.DictInfoToList(singles))
    assert data_equivalence(told, theirs, exact=True)
    *_, rewards, _, _, infos = told[1]
    for reward, info in zip(rewards, infos, strict=True):
        assert info.keys() == {"instance", "action_mask", "reward_parts", "illegal_action"}
        assert sum(info["reward_parts"].values()) == pytest.approx(reward)


@pytest.mark.parametrize(
    ("wrap_batch", "wrap"),
    [
        (vector_wrappers.FlattenObservation, FlattenObservation),
        (
            lambda env: vector_wrappers.TransformReward(env, lambda reward: 10 * reward),
            lambda env: TransformReward(env, lambda reward: 10 * reward),
        ),
        (
            lambda env: vector_wrappers.ClipReward(env, 0.0, 0.1),
            lambda env: ClipReward(env, 0.0, 0.1),
        ),
    ],
    ids=["FlattenObservation", "TransformReward", "ClipReward"],
)
def test_a_vector_wrapper_does_what_its_single_one_does(wrap_batch, wrap):
    mode = AutoresetMode.NEXT_STEP  # the one that Gymnasium's wrappers of observations take
    singles = SyncVectorEnv([lambda: wrap(_short())] * 3, autoreset_mode=mode)
    told, theirs = _play_vector(wrap_batch(_vector(mode))), _play_vector(singles)
    assert data_equivalence(told, theirs, exact=True)
