"""The random baseline: what scores 0."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.engines.engine import Observation


class Random:
    """Draws uniformly from the legal actions, STOP included."""

    def __init__(self) -> None:
        self.reset()

    def reset(self, seed: int | None = None) -> None:
        self._generator = np.random.default_rng(seed)

    def act(self, observation: Observation, info: dict[str, Any]) -> NDArray[np.int64]:
        mask = observation["action_mask"]
        place = self._generator.random(len(mask)) * mask.sum(axis=1)
        action: NDArray[np.int64] = (mask.cumsum(axis=1) <= place[:, None]).sum(axis=1)
        return action
