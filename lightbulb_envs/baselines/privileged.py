"""Actors that know the truth: greedy on the reward, the readable ceiling, and the oracle.

They rebuild each document from its instance, so they act through any adapter. Whoever uses them
is told apart on a leaderboard: no reader has what they have.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lightbulb_envs.baselines.planned import Planned
from lightbulb_envs.document import DocumentBatch
from lightbulb_envs.engines.engine import Observation
from lightbulb_envs.engines.summarise import SummariseTask
from lightbulb_envs.rewards.facts import FactState, FactTracker
from lightbulb_envs.search import best_plan, search

_REMEMBERED = 4096
_BLOCK = 256
"""Documents that are read at once."""
CEILING_WIDTH = 64
"""Sets of sentences of one size that the search for the readable ceiling keeps."""


class Privileged(Planned):
    """Plans from the document itself. Plans are remembered by instance."""

    def __init__(self, task: SummariseTask):
        self.task = task
        self._remembered: dict[int, Sequence[int]] = {}

    def plan_document(self, batch: DocumentBatch, place: int) -> Sequence[int]:
        """Returns the picks for the document at a place of a batch."""
        raise NotImplementedError

    def plans(self, observation: Observation, info: dict[str, Any]) -> list[Sequence[int]]:
        instances: list[int] = np.asarray(info["instance"]).tolist()
        missing = list(dict.fromkeys(one for one in instances if one not in self._remembered))
        known = {one: self._remembered[one] for one in instances if one in self._remembered}
        for start in range(0, len(missing), _BLOCK):
            block = missing[start : start + _BLOCK]
            batch = self.task.source.batch(np.array(block))
            known |= {one: self.plan_document(batch, place) for place, one in enumerate(block)}
        self._remembered |= known
        while len(self._remembered) > _REMEMBERED:
            del self._remembered[next(iter(self._remembered))]
        return [known[instance] for instance in instances]


class Greedy(Privileged):
    """Picks what gains most, one sentence at a time, and stops when nothing gains."""

    def plan_document(self, batch: DocumentBatch, place: int) -> Sequence[int]:
        draft, _ = search(self.task.task(batch, place), (), width=1)
        return draft


class Oracle(Privileged):
    """Picks the best draft there is, as far as the search that an id's version names can tell."""

    def plan_document(self, batch: DocumentBatch, place: int) -> Sequence[int]:
        return best_plan(self.task.task(batch, place)).draft


class Ceiling(Privileged):
    """The readable ceiling: the best picks by true facts and weights.

    It maximises fact F1, prefers fewer words where that is equal, and tells the weightiest facts
    first. It does not look at the reference's wording, which no reader can know.
    """

    def __init__(self, task: SummariseTask):
        if not task.source.has_facts:
            raise ValueError(
                "the readable ceiling needs documents whose facts are known: use the newsroom, "
                "or leave it out"
            )
        super().__init__(task)

    def plan_document(self, batch: DocumentBatch, place: int) -> Sequence[int]:
        task = self.task.task(batch, place)
        weight, is_key = batch.fact_weight[place].tolist(), batch.fact_is_key[place].tolist()
        claims = [[fact for fact in row if fact >= 0] for row in batch.claims[place].tolist()]
        words = (batch.words[place] >= 0).sum(axis=1).tolist()
        tracker = FactTracker(weight, is_key)
        best: tuple[tuple[float, int], tuple[int, ...]] = ((0.0, 0), ())
        beam: list[tuple[tuple[int, ...], FactState, int]] = [((), tracker.start(), 0)]
        while beam:
            longer: list[tuple[tuple[float, int], tuple[int, ...], FactState, int]] = []
            for chosen, state, spent in beam:
                after = chosen[-1] + 1 if chosen else 0
                for sentence in range(after, len(task.costs)):
                    cost = spent + task.costs[sentence]
                    if cost <= task.budget:
                        grown = (*chosen, sentence)
                        held = tracker.extend(state, claims[sentence])
                        rank = (
                            round(tracker.score(held).fmeasure, 9),
                            -sum(words[one] for one in grown),
                        )
                        longer.append((rank, grown, held, cost))
            longer.sort(key=lambda entry: entry[0], reverse=True)
            if longer and longer[0][0] > best[0]:
                best = longer[0][:2]
            beam = [(chosen, state, cost) for _, chosen, state, cost in longer[:CEILING_WIDTH]]

        def weightiest(sentence: int) -> float:
            return max((weight[fact] for fact in claims[sentence] if is_key[fact]), default=0.0)

        return sorted(best[1], key=lambda sentence: -weightiest(sentence))
