"""The baselines and canaries of forecasting: what a lexicon believes, and who knows the rules."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.baselines.canaries import Canary
from lightbulb_envs.baselines.opinions import Opinions
from lightbulb_envs.baselines.random import Random
from lightbulb_envs.baselines.table import Baseline
from lightbulb_envs.engines.calibrated import CalibratedEngine, believed
from lightbulb_envs.engines.engine import Observation

SCALE = 4.0
"""What opinions must come to before a lexicon is about 73 % sure: of 1, 2, 3, 4, 6, 8 and 12, the
one that earns most over all levels on validation documents."""


class LexiconForecast:
    """Is as sure of the first or the last label as the sum of what words are worth is far from 0.

    Args:
        scale: the sum that counts as 1 in the logistic function; 0 is sure at once.
    """

    def __init__(self, engine: CalibratedEngine, scale: float = SCALE):
        self._opinions = Opinions(engine.source.vocabulary)
        self._scale = scale
        self._labels = len(engine.labels)

    def reset(self, seed: int | None = None) -> None:
        """A sum draws nothing."""

    def act(self, observation: Observation, info: dict[str, Any]) -> NDArray[np.float32]:
        total = self._opinions(observation["tokens"][:, 1:])
        if self._scale > 0:
            last = 1 / (1 + np.exp(-total / self._scale))
        else:
            last = (total >= 0).astype(np.float64)
        forecast = np.zeros((len(total), self._labels), dtype=np.float32)
        forecast[:, 0], forecast[:, -1] = 1 - last, last
        return forecast


class Even:
    """Gives all labels the same weight: it is honest, and says nothing."""

    def __init__(self, engine: CalibratedEngine):
        self._shape = (len(engine.labels),)

    def reset(self, seed: int | None = None) -> None:
        """There is nothing to draw."""

    def act(self, observation: Observation, info: dict[str, Any]) -> NDArray[np.float32]:
        return np.ones((len(observation["action_mask"]), *self._shape), dtype=np.float32)


class Sure:
    """Is sure of one label, counted from 0."""

    def __init__(self, engine: CalibratedEngine, label: int):
        self._forecast = np.eye(len(engine.labels), dtype=np.float32)[label]

    def reset(self, seed: int | None = None) -> None:
        """There is nothing to draw."""

    def act(self, observation: Observation, info: dict[str, Any]) -> NDArray[np.float32]:
        return np.tile(self._forecast, (len(observation["action_mask"]), 1))


class BestForecast:
    """Knows the rules by which reviews are told, and says what it believes of what is shown.

    Of real text, whose rules nobody knows, it knows the labels.
    """

    def __init__(self, engine: CalibratedEngine):
        self._source, self._rules = engine.source, engine.rules
        self._labels = len(engine.labels)

    def reset(self, seed: int | None = None) -> None:
        """A belief draws nothing."""

    def act(self, observation: Observation, info: dict[str, Any]) -> NDArray[np.float32]:
        instances = np.asarray(info["instance"])
        if self._rules is None:
            label = self._source.batch(instances).label
            known: NDArray[np.float32] = np.eye(self._labels, dtype=np.float32)[label]
            return known
        shown = (observation["tokens"][:, 1:] != 0).any(axis=2).sum(axis=1)
        beliefs = believed(self._rules, instances)[np.arange(len(shown)), shown]
        return np.asarray(beliefs, dtype=np.float32)


BASELINES: dict[str, Baseline] = {
    "random": Baseline(lambda engine: Random(engine.action_space)),
    "even": Baseline(Even),
    "lexicon": Baseline(LexiconForecast),
    "oracle": Baseline(BestForecast, knows_truth=True),
}
"""The baselines of forecasting."""

CANARIES: dict[str, Canary] = {
    "even forecast": Canary(Even),
    "sure of negative": Canary(lambda engine: Sure(engine, 0)),
    "sure of positive": Canary(lambda engine: Sure(engine, 1)),
    "lexicon, always sure": Canary(lambda engine: LexiconForecast(engine, 0)),
}
"""The canaries of forecasting by name."""
