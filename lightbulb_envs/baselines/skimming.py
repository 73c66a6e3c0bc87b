"""The baselines of reading out of order."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.baselines.random import Random
from lightbulb_envs.baselines.reading import ENOUGH, Lexicon
from lightbulb_envs.baselines.table import Baseline
from lightbulb_envs.engines.engine import Observation
from lightbulb_envs.engines.skim import SkimEngine, plan

_REMEMBERED = 4096


class Planner:
    """Knows the rules by which reviews are told, and looks two chunks ahead.

    Of real text, whose rules nobody knows, it knows the labels.
    """

    def __init__(self, engine: SkimEngine):
        self._engine = engine
        self._remembered: dict[int, list[int]] = {}

    def reset(self, seed: int | None = None) -> None:
        """A plan draws nothing."""

    def act(self, observation: Observation, info: dict[str, Any]) -> NDArray[np.int64]:
        instances: list[int] = np.asarray(info["instance"]).tolist()
        if self._engine.rules is None:
            label: NDArray[np.int64] = self._engine.source.batch(np.array(instances)).label
            return self._engine.reads + label
        may = observation["action_mask"]
        actions = [
            next(one for one in self._plan(instance) if may[row, one])
            for row, instance in enumerate(instances)
        ]
        return np.array(actions, dtype=np.int64)

    def _plan(self, instance: int) -> list[int]:
        if instance not in self._remembered:
            self._remembered[instance] = plan(self._engine.rules, instance, self._engine, [])
            while len(self._remembered) > _REMEMBERED:
                del self._remembered[next(iter(self._remembered))]
        return self._remembered[instance]


BASELINES: dict[str, Baseline] = {
    "random": Baseline(lambda engine: Random(engine.action_space)),
    "lexicon": Baseline(Lexicon),
    "lexicon, last first": Baseline(lambda engine: Lexicon(engine, ENOUGH, is_last_first=True)),
    "oracle": Baseline(Planner, knows_truth=True),
}
"""The skimmer's baselines."""
