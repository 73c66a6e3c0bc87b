"""Flags are read as they are written, and numbers that make no sense are refused."""

import pytest

from lightbulb_agents.actor_critic import ActorCriticConfig
from lightbulb_agents.config import BUDGETS, Sizes, SourceFlags, TrainConfig, parse_settings


def test_budgets_and_settings_are_read_as_written():
    assert TrainConfig(budget="short").steps() == BUDGETS["short"]
    assert TrainConfig(budget="20_000").steps() == 20_000
    for wrong in ("medium", "0", "-5", "1.5"):
        with pytest.raises(ValueError, match=f"got '{wrong}'"):
            TrainConfig(budget=wrong).steps()
    assert parse_settings(["budget=3", "reward=rouge", 'fields={"id": "key"}'], {}) == {
        "budget": 3,
        "reward": "rouge",
        "fields": {"id": "key"},
    }
    with pytest.raises(ValueError, match="NAME=VALUE"):
        parse_settings(["budget"], {})
    with pytest.raises(ValueError, match="takes no split: training reads the split train"):
        TrainConfig(settings=("split=test",)).env_settings()
    with pytest.raises(ValueError, match=r"no --source.train"):
        SourceFlags(test=("jsonl:x",)).setting()
    assert TrainConfig().algorithm() == "ppo"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rows": 0}, "rows must be 2 or more, got 0"),
        ({"rollouts": 0}, "rollouts must be 1 or more"),
        ({"rows": 15}, "multiple of rollouts=2, got 15"),
        ({"seed": -1}, "seed must be 0 or more"),
        ({"threads": 0}, "threads must be 1 or more"),
        ({"test_episodes": 0}, "test_episodes must be 1 or more"),
    ],
)
def test_numbers_out_of_range_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        TrainConfig(**wrong)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"minibatch": 1}, "minibatch must be 2 or more"),
        ({"epochs": 0}, "epochs must be 1 or more"),
        ({"clip": -1.0}, "clip must be 0 or more"),
        ({"gae_lambda": 2.0}, r"gae_lambda must be in \[0, 1\]"),
        ({"learning_rate": float("nan")}, "learning_rate must be 0 or more"),
    ],
)
def test_numbers_of_the_learner_out_of_range_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        ActorCriticConfig(**wrong)


def test_sizes_out_of_range_are_refused():
    with pytest.raises(ValueError, match="multiple of heads=3"):
        Sizes(heads=3)
    with pytest.raises(ValueError, match="article_layers must be 0 or more"):
        Sizes(article_layers=-1)
