"""The random baseline: what scores 0."""

from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.actions import draw_legal
from lightbulb_envs.engines.engine import Observation


class Random:
    """Draws uniformly from the legal actions of a space, STOP included."""

    def __init__(self, action_space: gymnasium.Space[Any]) -> None:
        self._space = action_space
        self.reset()

    def reset(self, seed: int | None = None) -> None:
        self._generator = np.random.default_rng(seed)

    def act(self, observation: Observation, info: dict[str, Any]) -> NDArray[np.int64]:
        return draw_legal(self._space, observation["action_mask"], self._generator)
