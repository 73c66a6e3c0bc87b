"""The baselines and canaries of labelling in words."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.actions import as_objects
from lightbulb_envs.baselines.canaries import Canary
from lightbulb_envs.baselines.opinions import Opinions
from lightbulb_envs.baselines.table import Baseline
from lightbulb_envs.engines.engine import Observation
from lightbulb_envs.engines.sentiment_text import SentimentTextEngine

Texts = NDArray[np.object_]


class RandomLabel:
    """Names one of the labels, each as often."""

    def __init__(self, engine: SentimentTextEngine):
        self._labels = engine.labels
        self.reset()

    def reset(self, seed: int | None = None) -> None:
        self._generator = np.random.default_rng(seed)

    def act(self, observation: Observation, info: dict[str, Any]) -> Texts:
        count = len(observation["action_mask"])
        drawn = self._generator.integers(len(self._labels), size=count).tolist()
        return as_objects([self._labels[number] for number in drawn])


class LexiconLabel:
    """Names the first or the last label, as the words of opinion come to less than 0 or not."""

    def __init__(self, engine: SentimentTextEngine):
        self._opinions = Opinions(engine.source.vocabulary)
        self._first, self._last = engine.labels[0], engine.labels[-1]

    def reset(self, seed: int | None = None) -> None:
        """A sum draws nothing."""

    def act(self, observation: Observation, info: dict[str, Any]) -> Texts:
        total = self._opinions(observation["tokens"][:, 1:]).tolist()
        return as_objects([self._last if one >= 0 else self._first for one in total])


class KnownLabel:
    """Knows the label: the whole text is there, and its rules leave no doubt."""

    def __init__(self, engine: SentimentTextEngine):
        self._source, self._labels = engine.source, engine.labels

    def reset(self, seed: int | None = None) -> None:
        """There is nothing to draw."""

    def act(self, observation: Observation, info: dict[str, Any]) -> Texts:
        labels = self._source.batch(np.asarray(info["instance"])).label.tolist()
        return as_objects([self._labels[number] for number in labels])


class Always:
    """Writes the same text, whatever there is to read."""

    def __init__(self, text: str):
        self._text = text

    def reset(self, seed: int | None = None) -> None:
        """There is nothing to draw."""

    def act(self, observation: Observation, info: dict[str, Any]) -> Texts:
        return as_objects([self._text] * len(observation["action_mask"]))


BASELINES: dict[str, Baseline] = {
    "random": Baseline(RandomLabel),
    "lexicon": Baseline(LexiconLabel),
    "oracle": Baseline(KnownLabel, knows_truth=True),
}
"""The baselines of labelling in words; a random policy names a label at random."""

CANARIES: dict[str, Canary] = {
    "always negative": Canary(lambda engine: Always(engine.labels[0])),
    "always positive": Canary(lambda engine: Always(engine.labels[-1])),
    "every label": Canary(lambda engine: Always(" ".join(engine.labels))),
    "every label, a line each": Canary(lambda engine: Always("\n".join(engine.labels))),
    "no answer": Canary(lambda engine: Always("")),
}
"""The canaries of labelling in words, by name."""
