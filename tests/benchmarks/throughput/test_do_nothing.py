"""The environment that does nothing says what the real one said."""

import numpy as np
import pytest

from benchmarks.throughput.do_nothing import DoNothingEngine, RecordingEngine, does_nothing
from lightbulb_agents.config import TrainConfig
from lightbulb_agents.training import Training
from lightbulb_envs.engines.engine import make_config
from lightbulb_envs.engines.summarise import SummariseEngine

ROWS = np.arange(4)


@pytest.fixture
def recording():
    """A recording of two rollouts of two steps."""
    engine = RecordingEngine(make_config(SummariseEngine, {"split": "train"}), len(ROWS))
    for first in (0, 10):
        engine.reset(ROWS, ROWS + first)
        engine.observe(ROWS)
        engine.step(ROWS, np.array([0, 1, 2, engine.stop]))
        engine.observe(ROWS[:3])
        engine.step(ROWS[:3], np.array([3, 4, 5]))
    return engine


def test_it_says_what_was_recorded_again_and_again_whatever_is_done(recording):
    engine = DoNothingEngine(recording.config, len(ROWS), recording.rollouts)
    real = SummariseEngine(recording.config, len(ROWS))
    assert engine.observation_space == real.observation_space
    assert engine.action_space == real.action_space
    for first in (0, 10, 0):
        engine.reset(ROWS, ROWS)
        real.reset(ROWS, ROWS + first)
        seen = engine.observe(ROWS)
        for name, array in real.observe(ROWS).items():
            assert np.array_equal(seen[name], array)
            assert seen[name].dtype == array.dtype
        step, wanted = engine.step(ROWS, ROWS), real.step(ROWS, np.array([0, 1, 2, real.stop]))
        assert step.reward.tolist() == wanted.reward.tolist()
        assert step.terminated.tolist() == [False, False, False, True]


def test_other_rows_than_those_recorded_are_refused(recording):
    engine = DoNothingEngine(recording.config, len(ROWS), recording.rollouts)
    engine.reset(ROWS, ROWS)
    with pytest.raises(ValueError, match="goes on with 4 rows, and 2 were asked for"):
        engine.observe(ROWS[:2])
    with pytest.raises(ValueError, match="goes on with 4 rows, and 3 were asked for"):
        engine.step(ROWS[:3], ROWS[:3])


def test_our_training_learns_from_a_recording_as_from_the_real_thing():
    config = TrainConfig(rows=16)
    training, real = does_nothing(Training(config, {}), rollouts=2), Training(config, {})
    lengths = [real.learner.collector.collect(n_episode=16).n_collected_steps for _ in range(2)]
    assert training.steps == 0
    for length in (*lengths, *lengths):
        before = training.steps
        training.update()
        assert training.steps - before == length
