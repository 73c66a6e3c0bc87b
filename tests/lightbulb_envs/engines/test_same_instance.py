"""An instance that a row has is begun again without being read again, and one that is none changes
nothing."""

import numpy as np
import pytest

from lightbulb_envs import ROWS
from lightbulb_envs.actions import draw_legal
from lightbulb_envs.engines.shelf import Shelf
from lightbulb_envs.registry import make_engine

ONE = np.arange(1)
_OF_EACH_ENGINE = {row.engine: env_id for env_id, row in ROWS.items()}.values()


def play(engine):
    """Returns what is observed and paid in an episode of drawn actions."""
    rng = np.random.default_rng(0)
    seen = []
    for _ in range(6):
        observation = engine.observe(ONE)
        action = draw_legal(engine.action_space, observation["action_mask"], rng)
        step = engine.step(ONE, action)
        seen += [*(part.tolist() for part in observation.values()), step.parts.tolist()]
        if step.terminated[0] or step.truncated[0]:
            break
    return seen


@pytest.mark.parametrize("env_id", _OF_EACH_ENGINE)
def test_an_episode_that_is_begun_again_is_as_a_new_one(env_id):
    engine = make_engine(env_id, 1)
    engine.reset(ONE, np.array([7]))
    first = play(engine)
    played = engine.snapshot(0)
    engine.reset(ONE, np.array([7]))
    assert play(engine) == first
    assert engine.snapshot(0) == played
    new = make_engine(env_id, 1)
    new.reset(ONE, np.array([7]))
    assert play(new) == first


@pytest.mark.parametrize("env_id", _OF_EACH_ENGINE)
def test_what_a_row_has_is_not_read_again(env_id, monkeypatch):
    engine = make_engine(env_id, 1)
    engine.reset(ONE, np.array([7]))
    snapshot = engine.snapshot(0)
    play(engine)

    def refuse(self, wanted):
        raise AssertionError(f"{wanted} was read again")

    monkeypatch.setattr(Shelf, "take", refuse)
    engine.reset(ONE, np.array([7]))
    engine.restore(0, snapshot)
    with pytest.raises(AssertionError, match=r"\[8\] was read again"):
        engine.reset(ONE, np.array([8]))


@pytest.mark.parametrize("env_id", _OF_EACH_ENGINE)
def test_an_instance_that_is_refused_leaves_the_episode_as_it_was(env_id):
    engine = make_engine(env_id, 1)
    engine.reset(ONE, np.array([7]))
    play(engine)
    before, seen = engine.snapshot(0), engine.observe(ONE)
    seen = {name: told.copy() for name, told in seen.items()}
    with pytest.raises(ValueError, match="an instance must be in"):
        engine.reset(ONE, np.array([-1]))
    assert engine.snapshot(0) == before
    for name, told in engine.observe(ONE).items():
        assert np.array_equal(told, seen[name])


@pytest.mark.parametrize("env_id", _OF_EACH_ENGINE)
def test_the_oracle_of_another_instance_is_its_own(env_id):
    def told(engine, instance):
        engine.reset(ONE, np.array([instance]))
        return np.asarray(engine.oracle_action(0)).tolist(), engine.oracle_return(0)

    instances = range(7, 15)
    engine = make_engine(env_id, 1)
    one_after_the_other = [told(engine, instance) for instance in instances]
    assert one_after_the_other == [told(make_engine(env_id, 1), one) for one in instances]
    assert len({repr(one) for one in one_after_the_other}) > 1
