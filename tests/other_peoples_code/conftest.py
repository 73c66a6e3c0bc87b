"""What other people's code acts in, and the held-out documents on which it is judged."""

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
from numpy.typing import NDArray

import lightbulb_envs

IDS = [env_id for env_id in gymnasium.registry if env_id.startswith("Lightbulb/")]
Act = Callable[[dict[str, NDArray[Any]]], NDArray[Any]]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Runs a test that asks for `every_id` on every id that there is."""
    if "every_id" in metafunc.fixturenames:
        metafunc.parametrize("every_id", IDS)
    if "every_id_of_arrays" in metafunc.fixturenames:  # other libraries' policies write no text
        of_arrays = [one for one in IDS if lightbulb_envs.find_row(one).head != "text"]
        metafunc.parametrize("every_id_of_arrays", of_arrays)


def _in_numbers(env_id: str) -> dict[str, Any]:
    picks = "NewsSummariser" in env_id and not {"Tokens", "Text"} & set(env_id.split("-"))
    return {"features": True} if picks else {}


@pytest.fixture
def in_numbers() -> Callable[[str], dict[str, Any]]:
    """Returns the keywords that make an id tell its text in numbers, if it can."""
    return _in_numbers


@pytest.fixture
def returns_on_test() -> Callable[..., NDArray[np.float64]]:
    """Plays the first documents of the split `test` by a policy; returns its return on each."""

    def returns(act: Act, env_id: str, documents: int = 128, **settings: Any) -> NDArray[Any]:
        settings = {"split": "test", **_in_numbers(env_id), **settings}
        env = gymnasium.make_vec(env_id, num_envs=documents, **settings)
        observation, _ = env.reset(options={"instance": np.arange(documents)})
        total, is_going = np.zeros(documents), np.ones(documents, dtype=bool)
        while is_going.any():
            observation, reward, terminated, truncated, _ = env.step(act(observation))
            total += reward * is_going
            is_going &= ~(terminated | truncated)
        return total

    return returns


@pytest.fixture
def act_at_random() -> Act:
    """A policy that draws uniformly from the legal actions of a Discrete space."""
    generator = np.random.default_rng(0)

    def act(observation: dict[str, NDArray[Any]]) -> NDArray[Any]:
        mask = observation["action_mask"]
        return (generator.random(mask.shape) * mask).argmax(axis=-1)

    return act
