"""The baselines of reading with a cost: a lexicon, and the reader who knows the rules."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.baselines.random import Random
from lightbulb_envs.baselines.table import Baseline
from lightbulb_envs.engines.engine import Observation
from lightbulb_envs.engines.sentiment import READ, SentimentEngine
from lightbulb_envs.sources.reviews.lexicon import OPINIONS
from lightbulb_envs.sources.reviews.reading import best_reading

ENOUGH = 2
"""What the opinions that were read must come to before a lexicon commits: of 1, 2, 3, 4, 5, 7 and
all that there is, the one that beats random at all levels (4 does better at levels 0 and 2)."""
_BLOCK = 256
_REMEMBERED = 4096


class Lexicon:
    """Adds up what words are worth, whatever stands around them, until it is `enough`.

    It commits to the sign of the sum; where all is read and the sum is 0, to the last label.
    """

    def __init__(self, engine: SentimentEngine, enough: float = ENOUGH):
        ids = engine.source.vocabulary.ids
        self.enough = enough
        self._worth = np.zeros(engine.source.vocabulary.size, dtype=np.int64)
        for worth, words in OPINIONS.items():
            self._worth[[ids[word] for word in words.split()]] = worth

    def reset(self, seed: int | None = None) -> None:
        """A sum draws nothing."""

    def act(self, observation: Observation, info: dict[str, Any]) -> NDArray[np.int64]:
        total = self._worth[observation["tokens"][:, 1:]].sum(axis=(1, 2))
        answer = np.where(total >= 0, 2, 1)
        reads_on = (np.abs(total) < self.enough) & (observation["action_mask"][:, READ] == 1)
        return np.where(reads_on, READ, answer)


class BestReader:
    """Knows the rules by which reviews are told, and reads no more than pays."""

    def __init__(self, engine: SentimentEngine):
        self._source, self._cost, self._wrong = engine.source, engine.read_cost, engine.config.wrong
        self._remembered: dict[int, NDArray[np.int64]] = {}

    def reset(self, seed: int | None = None) -> None:
        """A plan draws nothing."""

    def act(self, observation: Observation, info: dict[str, Any]) -> NDArray[np.int64]:
        instances: list[int] = np.asarray(info["instance"]).tolist()
        missing = list(dict.fromkeys(one for one in instances if one not in self._remembered))
        for start in range(0, len(missing), _BLOCK):
            block = missing[start : start + _BLOCK]
            best = best_reading(self._source, np.array(block), self._cost, self._wrong)
            self._remembered.update(zip(block, best.action, strict=True))
        known = {one: self._remembered[one] for one in instances}
        while len(self._remembered) > _REMEMBERED:
            del self._remembered[next(iter(self._remembered))]
        read = (observation["tokens"][:, 1:] != 0).any(axis=2).sum(axis=1).tolist()
        return np.array([known[one][count] for one, count in zip(instances, read, strict=True)])


BASELINES: dict[str, Baseline] = {
    "random": Baseline(lambda engine: Random(engine.action_space)),
    "lexicon": Baseline(Lexicon),
    "lexicon, all read": Baseline(lambda engine: Lexicon(engine, np.inf)),
    "oracle": Baseline(BestReader, knows_truth=True),
}
"""The sentiment environments' baselines."""
