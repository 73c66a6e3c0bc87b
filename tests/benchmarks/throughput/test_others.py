"""Other people's games are played to their end, and only orders of magnitude are told."""

import warnings

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    textarena = pytest.importorskip("textarena")
    pytest.importorskip("reasoning_gym")
    others = pytest.importorskip("benchmarks.throughput.others")


def test_the_number_is_found_by_halving():
    games = [textarena.make(others.GAME) for _ in range(20)]
    assert all(1 <= others.play_game(game) <= 5 for game in games)
    assert all(game.state.rewards == {0: 1} for game in games)


def test_answers_of_every_task_are_scored():
    for task in others.TASKS:
        assert others.answering(task)() == 32


def test_ratios_are_told_as_powers_of_ten():
    cost = {"median": 180.0}
    assert others.power_of_ten(cost, {"median": 2.0}) == 2
    assert others.power_of_ten(cost, {"median": 100.0}) == 0


def test_everybody_takes_turns():
    told = others.race_others(1, seconds=0.0, pool=2)
    assert len(told["microseconds"]) == 3 + len(others.TASKS)
    assert all(cost["least"] > 0 for cost in told["microseconds"].values())
    assert told["note"].endswith("orders of magnitude only.")
