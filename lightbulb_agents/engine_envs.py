"""An engine behind Tianshou's vector environment, so that its own collectors can use it too."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from tianshou.data import Batch
from tianshou.env import BaseVectorEnv

from lightbulb_envs.engines.engine import Engine
from lightbulb_envs.instances import InstanceStream


class EngineVectorEnv(BaseVectorEnv):
    """All rows of an engine at once: one call a step, and no worker a row.

    Observations are a `Batch` of arrays and infos are empty, the forms that cost Tianshou least.
    """

    def __init__(self, engine: Engine):
        # Not BaseVectorEnv's own: it would start a worker for every row.
        self.engine = engine
        self.env_num = engine.num_envs
        self.is_async = False
        self.is_closed = False
        self.stream = InstanceStream(engine.num_envs, engine.num_instances)

    def get_env_attr(self, key: str, id: Any = None) -> list[Any]:
        """Returns one value a row; Tianshou asks for the spaces in this way."""
        return [getattr(self.engine, key)] * len(self._rows(id))

    def _rows(self, chosen: Any) -> NDArray[np.int64]:
        return np.arange(self.env_num) if chosen is None else np.atleast_1d(np.asarray(chosen))

    def seed(self, seed: Any = None) -> list[Any]:
        """Seeds the rows as `gymnasium.vector` resets do."""
        self.stream.seed(seed)
        return [seed] * self.env_num

    def reset(self, env_id: Any = None, **kwargs: Any) -> tuple[Any, NDArray[Any]]:
        """Starts the next episode in the rows given, all by default."""
        rows = self._rows(env_id)
        self.engine.reset(rows, self.stream.draw(rows))
        return Batch(self.engine.observe(rows)), _empty_infos(len(rows))

    def step(self, action: Any, id: Any = None) -> Any:
        """Takes one action in the rows given, all by default."""
        rows = self._rows(id)
        step = self.engine.step(rows, np.asarray(action))
        observation = Batch(self.engine.observe(rows))
        return observation, step.reward, step.terminated, step.truncated, _empty_infos(len(rows))

    def render(self, **kwargs: Any) -> list[Any]:
        """Returns the rows as text."""
        return [self.engine.render(row, "ansi") for row in range(self.env_num)]

    def close(self) -> None:
        """Nothing is held open."""
        self.is_closed = True


def _empty_infos(count: int) -> NDArray[Any]:
    return np.array([{} for _ in range(count)], dtype=object)
