"""The baselines of writing word by word: actors that write out a plan, and then stop.

Those that copy read the article's words where the engine has them; nothing in them is not observed.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.baselines.centrality import central_sentences
from lightbulb_envs.baselines.random import Random
from lightbulb_envs.baselines.table import Baseline
from lightbulb_envs.document import DocumentBatch
from lightbulb_envs.engines.engine import Observation
from lightbulb_envs.engines.summarise_tokens import TokensTask
from lightbulb_envs.engines.tokens_oracle import WordsToWrite, greedy_draft

_REMEMBERED = 4096
SENTENCES = 3
"""Sentences that are copied, as many as the baselines of `summarise` pick; the budget may end a
draft within one."""


class Writer:
    """Writes what it planned for a document, word by word. Plans are remembered by instance."""

    def __init__(self, task: TokensTask):
        self.task = task
        self._remembered: dict[int, Sequence[int]] = {}

    def reset(self, seed: int | None = None) -> None:
        """A plan draws nothing."""

    def write(self, batch: DocumentBatch, document: WordsToWrite) -> Sequence[int]:
        """Returns the actions that write about a document, which is a batch of its own."""
        raise NotImplementedError

    def _plan(self, instance: int) -> Sequence[int]:
        if instance not in self._remembered:
            batch = self.task.source.batch(np.array([instance]))
            self._remembered[instance] = self.write(batch, WordsToWrite.of(self.task, batch, 0))
            while len(self._remembered) > _REMEMBERED:
                del self._remembered[next(iter(self._remembered))]
        return self._remembered[instance]

    def act(self, observation: Observation, info: dict[str, Any]) -> NDArray[np.int64]:
        written = (observation["draft"] > 0).sum(axis=1).tolist()
        stop = observation["action_mask"].shape[1] - 1
        plans = [self._plan(instance) for instance in np.asarray(info["instance"]).tolist()]
        actions = [
            plan[place] if place < len(plan) else stop
            for plan, place in zip(plans, written, strict=True)
        ]
        return np.array(actions, dtype=np.int64)


class Lead(Writer):
    """Copies the first sentences."""

    def write(self, batch: DocumentBatch, document: WordsToWrite) -> Sequence[int]:
        return [word for line in document.sentences[:SENTENCES] for word in line]


class Central(Writer):
    """Copies the most central sentences that do not repeat one another (`centrality`)."""

    def write(self, batch: DocumentBatch, document: WordsToWrite) -> Sequence[int]:
        picked, lines = central_sentences(batch.tokens[0], SENTENCES), document.sentences
        return [word for sentence in picked if sentence < len(lines) for word in lines[sentence]]


class Greedy(Writer):
    """Writes the word that gains most, until none gains."""

    def write(self, batch: DocumentBatch, document: WordsToWrite) -> Sequence[int]:
        return greedy_draft(document)


class Oracle(Writer):
    """Writes the best draft that the search of an id's version finds."""

    def write(self, batch: DocumentBatch, document: WordsToWrite) -> Sequence[int]:
        return document.plan().draft


BASELINES: dict[str, Baseline] = {
    "random": Baseline(lambda engine: Random(engine.action_space)),
    "lead-3": Baseline(lambda engine: Lead(engine.task)),
    "centrality": Baseline(lambda engine: Central(engine.task)),
    "greedy": Baseline(lambda engine: Greedy(engine.task), knows_truth=True),
    "oracle": Baseline(lambda engine: Oracle(engine.task), knows_truth=True),
}
"""The baselines of writing."""
