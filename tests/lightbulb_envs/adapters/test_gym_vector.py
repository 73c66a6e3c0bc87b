"""The vector environment is N single ones, bit for bit, in every autoreset mode."""

import json
from random import Random
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from hypothesis import given, settings
from hypothesis import strategies as st

import lightbulb_envs
from lightbulb_envs.actions import draw_legal
from lightbulb_envs.adapters.gym_vector import TextVectorEnv

ID = "Lightbulb/NewsSummariser-v0"
LIMIT = 6


def _pair(mode: AutoresetMode, rows: int) -> tuple[TextVectorEnv, SyncVectorEnv]:
    """Returns our vector environment, and Gymnasium's over our single environment."""
    ours = gymnasium.make_vec(ID, num_envs=rows, autoreset_mode=mode, max_episode_steps=LIMIT)
    theirs = SyncVectorEnv(
        [lambda: gymnasium.make(ID, max_episode_steps=LIMIT)] * rows, autoreset_mode=mode
    )
    return ours, theirs


def _assert_same(one: Any, other: Any, path: str = "") -> None:
    if isinstance(one, dict):
        assert one.keys() == other.keys(), path
        for key in one:
            _assert_same(one[key], other[key], f"{path}.{key}")
    elif isinstance(one, tuple) or (isinstance(one, np.ndarray) and one.dtype == object):
        assert len(one) == len(other)
        for place, (left, right) in enumerate(zip(one, other, strict=True)):
            _assert_same(left, right, f"{path}[{place}]")
    elif isinstance(one, np.ndarray):
        assert one.dtype == other.dtype, path
        assert np.array_equal(one, other), path
    else:
        assert one == other, path


@pytest.mark.parametrize("mode", list(AutoresetMode))
@settings(max_examples=8)
@given(seeds=st.lists(st.integers(0, 2**40), min_size=1, max_size=4), seed=st.integers(0, 2**32))
def test_a_vector_environment_is_gymnasiums_over_single_ones(mode, seeds, seed):
    data = Random(seed)
    ours, theirs = _pair(mode, len(seeds))
    _assert_same(ours.reset(seed=seeds), theirs.reset(seed=seeds))
    for _ in range(14):
        actions = np.array([data.randrange(ours.single_action_space.n) for _ in seeds])
        mine, yours = ours.step(actions), theirs.step(actions)
        _assert_same(mine, yours)
        ended = mine[2] | mine[3]
        if mode is AutoresetMode.DISABLED and ended.any():
            # All that ended, with or without new seeds, and now and then a row that had not.
            again = data.choice([None, [data.randrange(2**40) for _ in seeds]])
            mask = ended | np.array([data.random() < 0.2 for _ in seeds])
            _assert_same(
                ours.reset(seed=again, options={"reset_mask": mask.copy()}),
                theirs.reset(seed=again, options={"reset_mask": mask.copy()}),
            )


def test_an_int_seeds_row_i_by_the_seed_sequence_of_seed_and_i():
    together = gymnasium.make_vec(ID, num_envs=3)
    _, infos = together.reset(seed=77)
    _, other = gymnasium.make_vec(ID, num_envs=5).reset(seed=77)
    assert np.array_equal(infos["instance"], other["instance"][:3])
    _, single = gymnasium.make(ID).reset(seed=77)
    assert single["instance"] == infos["instance"][0]
    assert len(set(infos["instance"].tolist())) == 3


def test_make_vec_uses_it_and_sets_its_metadata():
    env = gymnasium.make_vec(ID, num_envs=2)
    assert isinstance(env, TextVectorEnv)
    assert env.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    assert env.observation_space.contains(env.reset(seed=0)[0])
    assert env.spec.id == ID


@pytest.mark.parametrize("env_id", lightbulb_envs.ROWS)
def test_every_id_makes_a_vector_environment(env_id):
    env = gymnasium.make_vec(env_id, num_envs=3, autoreset_mode="SAME_STEP")
    observation, _ = env.reset(seed=1)
    generator = np.random.default_rng(0)
    for _ in range(20):
        actions = draw_legal(env.single_action_space, observation["action_mask"], generator)
        observation, reward, *_ = env.step(actions)
        assert env.observation_space.contains(observation)
        assert np.isfinite(reward).all()


def test_options_choose_instances_for_all_rows_or_for_each():
    env = gymnasium.make_vec(ID, num_envs=3)
    assert env.reset(options={"instance": 7})[1]["instance"].tolist() == [7, 7, 7]
    assert env.reset(options={"instance": [4, 5, 6]})[1]["instance"].tolist() == [4, 5, 6]
    mask = np.array([True, False, True])
    _, infos = env.reset(options={"instance": [1, 2, 3], "reset_mask": mask})
    assert infos["instance"].tolist() == [1, 0, 3]
    assert infos["_instance"].tolist() == [True, False, True]


def test_the_oracle_and_rendering_work_on_rows():
    env = gymnasium.make_vec(ID, num_envs=2, render_mode="ansi", autoreset_mode="DISABLED")
    env.reset(seed=3)
    best, total = env.oracle_return(), np.zeros(2)
    ended = np.zeros(2, dtype=bool)
    for _ in range(6):
        actions = env.oracle_action()
        _, reward, terminated, _, _ = env.step(actions)
        total += reward
        ended |= terminated
        if terminated.any():
            break
    assert ended.any()
    assert total[ended] == pytest.approx(best[ended])
    assert len(env.render()) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"autoreset_mode": "sometimes"}, "NEXT_STEP, SAME_STEP, DISABLED"),
        ({"num_envs": 0}, "num_envs must be 1"),
        ({"render_mode": "rgb_array"}, "ansi"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        TextVectorEnv("lightbulb_envs.engines.summarise:SummariseEngine", **arguments)


def test_bad_masks_seeds_and_actions_are_refused():
    env = gymnasium.make_vec(ID, num_envs=2, autoreset_mode="DISABLED")
    with pytest.raises(ValueError, match="reset_mask"):
        env.reset(options={"reset_mask": [True, False]})
    with pytest.raises(ValueError, match="at least one"):
        env.reset(options={"reset_mask": np.zeros(2, dtype=bool)})
    with pytest.raises(ValueError, match="needs one for each of 2 rows"):
        env.reset(seed=[1])
    env.reset(seed=1)
    with pytest.raises(ValueError, match="one action for each of 2 rows"):
        env.step(np.array([0]))
    stop = env.single_action_space.n - 1
    env.step(np.array([stop, 0]))
    with pytest.raises(RuntimeError, match=r"rows \[0\] have ended"):
        env.step(np.array([0, 1]))


def test_some_ended_rows_may_be_reset_and_others_later():
    env = gymnasium.make_vec(ID, num_envs=2, autoreset_mode="DISABLED")
    env.reset(seed=1)
    env.step(np.full(2, env.single_action_space.n - 1))
    env.reset(options={"reset_mask": np.array([True, False])})
    with pytest.raises(RuntimeError, match=r"rows \[1\] have ended"):
        env.step(np.array([0, 0]))


def test_refused_actions_leave_everything_as_it_was():
    def second_episode(refused: bool) -> list[int]:
        env = gymnasium.make_vec(ID, num_envs=2)
        env.reset(seed=3)
        stop = env.single_action_space.n - 1
        env.step(np.array([stop, 0]))
        if refused:
            with pytest.raises(ValueError, match="actions must be in"):
                env.step(np.array([0, 99]))
        return env.step(np.array([0, 1]))[4]["instance"].tolist()

    assert second_episode(refused=True) == second_episode(refused=False)


def test_human_rendering_prints_every_row(capsys):
    env = gymnasium.make_vec(ID, num_envs=2, render_mode="human")
    env.reset(seed=0)
    assert capsys.readouterr().out.count("reference: ") == 2


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_a_snapshot_of_a_batch_goes_back_and_on(mode):
    env = gymnasium.make_vec(ID, num_envs=3, autoreset_mode=mode)
    env.reset(seed=3)
    stop = env.single_action_space.n - 1
    env.step(np.array([0, stop, 1]))
    snapshot = json.loads(json.dumps(env.snapshot()))

    def ahead():
        if mode is AutoresetMode.DISABLED:
            return env.reset(options={"reset_mask": np.array([False, True, False])})
        return env.step(np.array([1, 2, 3]))[:2]

    expected = ahead()
    env.step(np.array([2, 3, 4]))
    env.restore(snapshot)
    _assert_same(ahead(), expected)
    with pytest.raises(ValueError, match="of 3 rows, and there are 2"):
        gymnasium.make_vec(ID, num_envs=2).restore(snapshot)


def test_the_oracle_says_how_it_searched():
    env = gymnasium.make_vec(ID, num_envs=2)
    env.reset(seed=0)
    assert env.oracle_method() == ("beam-16", "beam-16")


@pytest.mark.parametrize("env_id", [ID, "Lightbulb/NewsSummariser-Slate-v0"])
@pytest.mark.parametrize("mode", list(AutoresetMode)[:2])
@pytest.mark.parametrize("features", [False, True])
def test_without_copies_the_same_is_observed(env_id, mode, features):
    settings = {"num_envs": 3, "autoreset_mode": mode, "features": features}
    copied = gymnasium.make_vec(env_id, **settings)
    live = gymnasium.make_vec(env_id, copy=False, **settings)
    _assert_same(copied.reset(seed=3), live.reset(seed=3))
    copied.action_space.seed(0)
    for _ in range(12):
        actions = copied.action_space.sample()
        _assert_same(copied.step(actions), live.step(actions))


def test_observations_are_the_callers_unless_copies_are_left_out():
    for copy in (True, False):
        env = gymnasium.make_vec(ID, num_envs=2, copy=copy)
        first, _ = env.reset(seed=0)
        before = first["selected"].copy()
        env.step(np.array([1, 2]))
        assert np.array_equal(first["selected"], before) == copy


def test_documents_of_a_pool_are_read_once(monkeypatch):
    env = gymnasium.make_vec(ID, num_envs=4, num_instances=12)
    read: list[int] = []
    batch = env.engine.source.batch
    monkeypatch.setattr(
        env.engine.source, "batch", lambda wanted: read.extend(wanted.tolist()) or batch(wanted)
    )
    env.reset(seed=1)
    for _ in range(60):
        env.step(np.full(4, env.single_action_space.n - 1))
    assert sorted(read) == sorted(set(read))
    assert set(read) <= set(range(12))


def test_documents_without_end_are_read_ahead_in_blocks(monkeypatch):
    env = gymnasium.make_vec(ID, num_envs=4)
    blocks: list[int] = []
    batch = env.engine.source.batch
    monkeypatch.setattr(
        env.engine.source, "batch", lambda wanted: blocks.append(len(wanted)) or batch(wanted)
    )
    env.reset(seed=1)
    for _ in range(100):
        env.step(np.full(4, env.single_action_space.n - 1))
    assert len(blocks) < 10
    assert max(blocks) >= 40


def test_infos_are_the_callers_unless_copies_are_left_out():
    env = gymnasium.make_vec(ID, num_envs=3)
    env.reset(seed=0)
    infos = env.step(np.zeros(3, dtype=np.int64))[4]
    kept = {**infos, **infos["reward_parts"]}
    del kept["reward_parts"]
    for name, array in kept.items():
        others = [other for key, other in kept.items() if key != name]
        assert not any(np.shares_memory(array, other) for other in others), name
        array[:] = 0
    assert env.step(np.ones(3, dtype=np.int64))[4]["_instance"].all()
    env = gymnasium.make_vec(ID, num_envs=3, copy=False)
    env.reset(seed=0)
    shared = env.step(np.zeros(3, dtype=np.int64))[4]["_instance"]
    with pytest.raises(ValueError, match="read-only"):
        shared[:] = False
