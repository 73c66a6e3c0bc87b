"""Canaries of reading: policies that label a text without reading it, or nearly so.

`python -m lightbulb_envs.audit` plays them; its ceilings say what each may earn.
"""

import dataclasses
import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.baselines.canaries import Canary
from lightbulb_envs.baselines.reading import Lexicon, next_chunk
from lightbulb_envs.engines.engine import Observation
from lightbulb_envs.engines.sentiment import SentimentEngine

_TRAINING_TEXTS = 1000


class Constant:
    """Commits to one label, counted from 0, at once or when all is read."""

    def __init__(self, engine: SentimentEngine, label: int, *, reads: bool):
        self._action, self._reads = engine.reads + label, engine.reads
        self._is_reader = reads

    def reset(self, seed: int | None = None) -> None:
        """There is nothing to draw."""

    def act(self, observation: Observation, info: dict[str, Any]) -> NDArray[np.int64]:
        chunk, is_left = next_chunk(observation, self._reads)
        return np.where(self._is_reader & is_left, chunk, self._action)


class FirstChunk:
    """Reads one chunk, and commits by what its words are worth."""

    def __init__(self, engine: SentimentEngine):
        self._lexicon = Lexicon(engine, enough=0)
        self._reads = engine.reads

    def reset(self, seed: int | None = None) -> None:
        """There is nothing to draw."""

    def act(self, observation: Observation, info: dict[str, Any]) -> NDArray[np.int64]:
        seen = observation["tokens"][:, :2]
        chunk, is_left = next_chunk(observation, self._reads)
        has_read = seen[:, 1].any(axis=1) | ~is_left
        answers = self._lexicon.act({**observation, "tokens": seen}, info)
        return np.where(has_read, answers, chunk)


class CueOnly:
    """Commits at once, to the label that the signature of the title goes with in training."""

    def __init__(self, engine: SentimentEngine):
        self._rules, self._reads = engine.rules, engine.reads

    def reset(self, seed: int | None = None) -> None:
        """There is nothing to draw."""

    def act(self, observation: Observation, info: dict[str, Any]) -> NDArray[np.int64]:
        if self._rules is None:  # as of real text: titles are not signed
            return np.full(len(observation["action_mask"]), self._reads)
        signature = self._rules.opinions(np.asarray(info["instance"])).signature
        return self._reads + np.maximum(signature, 1) - 1  # 0 where titles are not signed


def majority(engine: SentimentEngine) -> Constant:
    """Returns who reads all and commits to the label that is most frequent in training."""
    config = dataclasses.replace(engine.config, split="train", num_instances=None)
    training = type(engine)(config, 1).source
    count = min(_TRAINING_TEXTS, training.num_documents or _TRAINING_TEXTS)
    labels = training.batch(np.arange(count)).label
    return Constant(engine, int(np.bincount(labels).argmax()), reads=True)


def _always(engine: SentimentEngine, label: int) -> Constant:
    return Constant(engine, label, reads=False)


READING_CANARIES: dict[str, Canary] = {
    "always negative": Canary(functools.partial(_always, label=0)),
    "always positive": Canary(functools.partial(_always, label=1)),
    "first chunk only": Canary(FirstChunk),
    "all read, majority": Canary(majority),
    "cue only": Canary(CueOnly),
}
"""The sentiment environments' canaries by name."""
