"""When a curve comes to the score, and which trial is best, on numbers small enough to check."""

import pytest

from benchmarks.time_to_score import GRID, SECONDS, Trial, best, crossing, summarise, with_seeds
from lightbulb_agents.config import TrainConfig

CURVE = [[0, 0.0, -60.0], [10, 4.0, 70.0], [20, 8.0, 90.0], [30, 12.0, 70.0]]


def _result(seconds, score, spent=400.0, **settings):
    return {"seconds_to_score": seconds, "curve": [[0, 0.0, 0.0], [9, spent, score]], **settings}


def test_a_curve_crosses_between_two_measurements():
    assert crossing(CURVE) == 6.0
    assert crossing(CURVE[:2]) is None
    assert crossing([[0, 0.0, 85.0]]) == 0.0


def test_the_best_trial_is_the_fastest_and_else_the_one_with_the_best_score():
    slow, fast, high, low = (
        _result(300.0, 80.5),
        _result(200.0, 80.1),
        _result(None, 79.0),
        _result(None, 50.0),
    )
    assert best([slow, high, fast, low]) is fast
    assert best([low, high]) is high


def test_times_of_trials_that_never_came_there_are_lower_bounds():
    told = summarise([_result(90.0, 80.5), _result(110.0, 80.1), _result(None, 60.0, spent=400.0)])
    assert told["seconds"] == [90.0, 110.0, None]
    assert told["interval"]["mean"] == pytest.approx(200.0)
    assert told["is_lower_bound"]
    assert not summarise([_result(90.0, 80.5)] * 3)["is_lower_bound"]


def test_trials_have_files_and_configs_of_their_own(tmp_path):
    trials = [Trial("single-file PPO", seed, SECONDS, *one) for one in GRID for seed in (0, 1)]
    assert len({trial.file(tmp_path) for trial in trials}) == len(trials)
    learning = trials[-1].config().learning
    assert (learning.learning_rate, learning.minibatch, learning.epochs) == GRID[-1]
    tuned = {"learning_rate": 1e-3, "minibatch": 256, "epochs": 2, "contestant": "ours"}
    again = with_seeds("MaskablePPO", tuned)
    assert [trial.seed for trial in again] == [0, 1, 2]
    assert {trial.config().learning for trial in again} == {TrainConfig().learning}
