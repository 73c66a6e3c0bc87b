"""The baselines of reading with a cost: a lexicon, and the reader who knows the rules."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.baselines.opinions import Opinions
from lightbulb_envs.baselines.random import Random
from lightbulb_envs.baselines.table import Baseline
from lightbulb_envs.engines.engine import Observation
from lightbulb_envs.engines.sentiment import SentimentEngine
from lightbulb_envs.sources.reviews.reading import best_reading

ENOUGH = 2
"""What the opinions that were read must come to before a lexicon commits: of 1, 2, 3, 4, 5, 7 and
all that there is, the one that beats random at all levels (4 does better at levels 0 and 2)."""
_BLOCK = 256
_REMEMBERED = 4096


class Lexicon:
    """Adds up what words are worth, whatever stands around them, until it is `enough`.

    It commits to the first or the last label, as the sum is below 0 or not. Words are those of
    simulated reviews.
    """

    def __init__(
        self, engine: SentimentEngine, enough: float = ENOUGH, *, is_last_first: bool = False
    ):
        self.enough = enough
        self._reads, self._is_last_first = engine.reads, is_last_first
        self._opinions = Opinions(engine.source.vocabulary)
        self._last = len(engine.labels)

    def reset(self, seed: int | None = None) -> None:
        """A sum draws nothing."""

    def act(self, observation: Observation, info: dict[str, Any]) -> NDArray[np.int64]:
        total = self._opinions(observation["tokens"][:, 1:])
        answer = self._reads + np.where(total >= 0, self._last - 1, 0)
        chunk, is_left = next_chunk(observation, self._reads, is_last_first=self._is_last_first)
        return np.where((np.abs(total) < self.enough) & is_left, chunk, answer)


def next_chunk(
    observation: Observation, reads: int, *, is_last_first: bool = False
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Returns the action that reads the first chunk that is left, or the last, and if one is."""
    may = observation["action_mask"][:, :reads] > 0
    is_left: NDArray[np.bool_] = np.asarray(may.any(axis=1))
    if is_last_first:
        return reads - 1 - may[:, ::-1].argmax(axis=1), is_left
    return may.argmax(axis=1), is_left


class BestReader:
    """Knows the rules by which reviews are told, and reads no more than pays.

    Of real text, whose rules nobody knows, it knows the labels.
    """

    def __init__(self, engine: SentimentEngine):
        self._source, self._rules, self._reads = engine.source, engine.rules, engine.reads
        self._cost, self._wrong = engine.read_cost, engine.config.wrong
        self._remembered: dict[int, NDArray[np.int64]] = {}

    def reset(self, seed: int | None = None) -> None:
        """A plan draws nothing."""

    def act(self, observation: Observation, info: dict[str, Any]) -> NDArray[np.int64]:
        if self._rules is None:
            label: NDArray[np.int64] = self._source.batch(np.asarray(info["instance"])).label
            return self._reads + label
        instances: list[int] = np.asarray(info["instance"]).tolist()
        missing = list(dict.fromkeys(one for one in instances if one not in self._remembered))
        for start in range(0, len(missing), _BLOCK):
            block = missing[start : start + _BLOCK]
            best = best_reading(self._rules, np.array(block), self._cost, self._wrong)
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
