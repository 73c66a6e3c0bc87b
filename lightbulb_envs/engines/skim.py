"""Reading out of order: choose which chunk of a review to read, and commit to a label when sure.

Action i reads chunk i, counted from 0, for which it pays; action C + k commits to label k, counted
from 0, where C is the most chunks that there may be. What is not read stays padding.
"""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.engines.sentiment import SentimentEngine
from lightbulb_envs.sources.labelled import Review
from lightbulb_envs.sources.reviews.reading import before_reading
from lightbulb_envs.sources.reviews.skimming import skim
from lightbulb_envs.summation import add_in_order


class SkimEngine(SentimentEngine):
    """N episodes of reading out of order; see `engines.engine.Engine` for the contract."""

    reveals_in_order: ClassVar[bool] = False
    baselines: ClassVar[str] = "lightbulb_envs.baselines.skimming:BASELINES"

    def _count_reads(self) -> int:
        return int(self.source.max_sentences) - 1

    def _task_of(self, labels: str) -> str:
        return (
            f". Read chunks of it in any order, which costs {self.read_cost:g} a chunk, and commit "
            f"when you are sure: answer 0 for the first chunk, 1 for the next, and so on, {labels}."
        )

    def _chunk(self, rows: NDArray[np.int64], actions: NDArray[np.int64]) -> NDArray[np.int64]:
        return actions

    def _may_read(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        is_there = np.arange(self.reads) < self._length[rows, None]
        return is_there & ~self._is_read[rows]

    def _told(self, review: Review, read: list[int]) -> list[str]:
        return [f"[{chunk}] {review.chunks[chunk]}" for chunk in read]

    def _plan_from(self, row: int, read: list[int]) -> list[int]:
        """Returns the actions of the oracle on a row's text, when these chunks are read."""
        if self.rules is None:
            return [self.reads + int(self._label[row])]
        known = self._plans.setdefault(row, {})
        if tuple(read) not in known:
            chosen = plan(self.rules, int(self._instance[row]), self, read)
            for count in range(len(chosen)):  # and what is to come on the way
                known[tuple(sorted([*read, *chosen[:count]]))] = chosen[count:]
        return known[tuple(read)]

    def beliefs(self, row: int) -> None:
        """Returns nothing: what is believed after so many chunks depends on which they are."""

    def _open(self) -> None:
        super()._open()
        self._plans: dict[int, dict[tuple[int, ...], list[int]]] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_plans": None}

    def _load(self, rows: NDArray[np.int64], instances: NDArray[np.int64]) -> None:
        super()._load(rows, instances)
        for row in rows.tolist():
            self._plans.pop(row, None)

    def oracle_action(self, row: int) -> int:
        """Returns the next action of who knows the rules and looks two chunks ahead."""
        return self._plan_from(row, self.chunks_read(row))[0]

    def oracle_return(self, row: int) -> float:
        """Returns what the oracle's plan returns on a row's text."""
        *read, label = self._plan_from(row, [])
        is_right = label - self.reads == int(self._label[row])
        paid = [-self.read_cost] * len(read)
        return add_in_order([*paid, 1.0 if is_right else self.config.wrong])

    def oracle_method(self, row: int) -> str:
        """Returns "lookahead-2": it plans two chunks ahead. Of real text it is "exact"."""
        return "lookahead-2" if self.rules is not None else "exact"


def plan(rules: Any, instance: int, engine: SentimentEngine, read: list[int]) -> list[int]:
    """Returns what a reader who has read some chunks, and looks two ahead, does in an engine."""
    said = rules.opinions(np.array([instance]))
    length = int(said.length[0])
    before = tuple(float(one) for one in before_reading(rules, int(said.signature[0])))
    operations = said.operation[0, :length]
    cost, wrong = engine.read_cost, engine.config.wrong
    *chunks, label = skim(rules.programme, operations, before, cost, wrong, read)
    return [*chunks, engine.reads + label - length]
