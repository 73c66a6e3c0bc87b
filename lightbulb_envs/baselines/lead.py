"""The lead baseline: the first k sentences, which is hard to beat on real news."""

from typing import Any

from lightbulb_envs.baselines.planned import Planned, real_sentences
from lightbulb_envs.engines.engine import Observation


class Lead(Planned):
    """Picks the first k sentences and stops."""

    def __init__(self, k: int = 3):
        if k < 1:
            raise ValueError(f"k must be 1 or more, got {k}")
        self.k = k

    def plan(self, observation: Observation, info: dict[str, Any], row: int) -> range:
        return range(min(self.k, int(real_sentences(observation)[row])))
