"""Gymnasium's vector environments over single ones play what our own vector environment plays."""

from functools import partial
from typing import Any

import gymnasium
import pytest
from gymnasium.utils.env_checker import data_equivalence
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv

import lightbulb_envs  # noqa: F401 # registers the ids

SEEDS = [7, 2**40 + 1, 0]
STEPS = 12
LIMIT = 5
MODES = [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP]


def _play(env: VectorEnv) -> list[Any]:
    """Returns all that an environment answers to random actions, legal or not."""
    env.action_space.seed(0)
    told: list[Any] = [env.reset(seed=SEEDS)]
    told += [env.step(env.action_space.sample()) for _ in range(STEPS)]
    env.close()
    return told


def _singles(env_id: str, **settings: Any) -> list[Any]:
    return [partial(gymnasium.make, env_id, max_episode_steps=LIMIT, **settings)] * len(SEEDS)


def _ours(env_id: str, mode: AutoresetMode = AutoresetMode.NEXT_STEP, **settings: Any) -> list[Any]:
    settings = {"autoreset_mode": mode, "max_episode_steps": LIMIT, **settings}
    told = _play(gymnasium.make_vec(env_id, num_envs=len(SEEDS), **settings))
    assert sum((step[2] | step[3]).sum() for step in told[1:]) >= len(SEEDS), "episodes must end"
    return told


@pytest.mark.parametrize("mode", MODES)
def test_sync_vector_env_plays_the_same(every_id, mode, in_numbers):
    keywords = in_numbers(every_id)
    told = _play(SyncVectorEnv(_singles(every_id, **keywords), autoreset_mode=mode))
    assert data_equivalence(told, _ours(every_id, mode, **keywords), exact=True)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_async_vector_env_plays_the_same(every_id, mode):
    told = _play(AsyncVectorEnv(_singles(every_id), autoreset_mode=mode))
    assert data_equivalence(told, _ours(every_id, mode), exact=True)


@pytest.mark.parametrize("shared_memory", [True, False])
def test_a_spawned_process_finds_an_id_by_the_name_of_its_module(shared_memory):
    env_id = "lightbulb_envs:Lightbulb/NewsSummariser-Easy-v0"
    env = AsyncVectorEnv(_singles(env_id), context="spawn", shared_memory=shared_memory)
    assert data_equivalence(_play(env), _ours(env_id), exact=True)


@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_make_vec_makes_gymnasiums_kinds_on_request(every_id, mode):
    env = gymnasium.make_vec(
        every_id, num_envs=len(SEEDS), vectorization_mode=mode, max_episode_steps=LIMIT
    )
    assert isinstance(env, SyncVectorEnv if mode == "sync" else AsyncVectorEnv)
    assert data_equivalence(_play(env), _ours(every_id), exact=True)
