"""The best draft of words that is found: candidates written out, and a beam of words.

Every word may follow every other, so no search tries all drafts. With the reference in hand it
takes the best of these, each of which may end at any word:

- the reference, as far as its words can be written;
- sentences of the article, the one that gains most after the other;
- either of these without the words that it is worth more without;
- a beam of drafts that grow by the words of the reference, and one that keeps a single draft.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.document import DocumentBatch
from lightbulb_envs.engines.tokens_task import TokensTask
from lightbulb_envs.rewards.compiled import CompiledPotential
from lightbulb_envs.rewards.compose import Potential
from lightbulb_envs.search import Plan

BEAM_WIDTH = 4
"""Drafts of one length that a beam keeps. Part of what a version of an id means."""
METHOD = f"best of reference, extracts and beam-{BEAM_WIDTH}"


@dataclass(frozen=True)
class _PlainDraft:
    """A draft in Python, with what the kernel's `WordDraft` offers."""

    potential: Potential | CompiledPotential
    state: Any

    def extend(self, word: int) -> "_PlainDraft":
        return _PlainDraft(self.potential, self.potential.extend(self.state, word))

    def value(self) -> float:
        return self.potential.value(self.state)

    def values(self, words: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        values[:] = [self.extend(word).value() for word in words.tolist()]


@dataclass
class WordsToWrite:
    """One document as the oracle searches it; words are actions."""

    start: Callable[[], Any]
    """Returns the empty draft."""
    budget: int
    sentences: list[list[int]]
    """The article's sentences, in words that can be written."""
    reference: list[int]
    """The reference's words that can be written."""
    plans: dict[tuple[int, ...], Plan] = field(default_factory=dict)
    """The plans found so far, by the drafts that they go on from."""

    @staticmethod
    def of(task: TokensTask, batch: DocumentBatch, row: int) -> "WordsToWrite":
        """Returns the document at a row of a batch."""
        own = batch.take(np.array([row]))
        actions = task.table.actions(own)
        legal = np.flatnonzero(actions.mask[0, :-1])
        action_of = dict(zip(actions.words[0, legal].tolist(), legal.tolist(), strict=True))

        def written(words: NDArray[np.int32]) -> list[int]:
            return [action_of[word] for word in words.tolist() if word in action_of]

        if task.is_compiled:
            (document,) = task.compile(own)
            start = document.start
        else:
            (pick, _), *_ = task.plain(own)
            potential = pick.potential

            def start() -> _PlainDraft:
                return _PlainDraft(potential, potential.start())

        return WordsToWrite(
            start=start,
            budget=task.budget,
            sentences=[written(line) for line in own.words[0, : int(own.num_sentences[0])]],
            reference=written(own.reference_words[0].ravel()),
        )

    def plan(self, prefix: tuple[int, ...] = ()) -> Plan:
        """Returns the best draft found that starts with `prefix`; that may be `prefix` itself.

        Every way point of a plan is planned too: a search must not change its mind.
        """
        if prefix not in self.plans:
            best = self._search(prefix)
            for end in range(len(prefix), len(best.draft) + 1):
                self.plans.setdefault(best.draft[:end], best)
        return self.plans[prefix]

    def _search(self, prefix: tuple[int, ...]) -> Plan:
        start = self.start()
        for word in prefix:
            start = start.extend(word)
        told = self._written(start, prefix, self.reference), self._extracted(start, prefix)
        found = [(start.value(), prefix), *told]
        found += [self._shortened(start, prefix, *one) for one in told]
        found += [self._beam(start, prefix, width) for width in (1, BEAM_WIDTH)]
        value, draft = max(found, key=lambda pair: pair[0])  # of equals the first
        return Plan(draft, value, METHOD)

    def _written(
        self, draft: Any, prefix: tuple[int, ...], words: Sequence[int]
    ) -> tuple[float, tuple[int, ...]]:
        """Returns the best draft that goes on with the first of some words."""
        best, grown = (draft.value(), prefix), prefix
        for word in words[: self.budget - len(prefix)]:
            draft, grown = draft.extend(word), (*grown, word)
            best = max(best, (draft.value(), grown), key=lambda pair: pair[0])
        return best

    def _extracted(self, draft: Any, prefix: tuple[int, ...]) -> tuple[float, tuple[int, ...]]:
        """Returns the draft that goes on with sentences of the article, the best one each time."""
        best = draft.value(), prefix
        while True:
            tried = [self._written(draft, best[1], words) for words in self.sentences]
            better = max(tried, key=lambda pair: pair[0], default=best)
            if better[0] <= best[0]:
                return best
            for word in better[1][len(best[1]) :]:
                draft = draft.extend(word)
            best = better

    def _shortened(
        self, start: Any, prefix: tuple[int, ...], value: float, draft: tuple[int, ...]
    ) -> tuple[float, tuple[int, ...]]:
        """Returns a draft without words that it is worth more without, the last ones first."""
        own = list(draft[len(prefix) :])
        is_shorter = True
        while is_shorter:
            is_shorter = False
            before = [start]
            for word in own:
                before.append(before[-1].extend(word))
            for place in range(len(own) - 1, -1, -1):
                left = before[place]
                for word in own[place + 1 :]:
                    left = left.extend(word)
                if left.value() > value:
                    value, is_shorter = left.value(), True
                    del own[place]
        return value, (*prefix, *own)

    def _beam(
        self, draft: Any, prefix: tuple[int, ...], width: int
    ) -> tuple[float, tuple[int, ...]]:
        """Returns the best of the drafts that a beam of so many finds, by the reference's words."""
        words = np.array(sorted(set(self.reference)), dtype=np.int64)
        best, beam = (draft.value(), prefix), [(prefix, draft)]
        while len(words) and len(beam[0][0]) < self.budget:
            values = np.empty((len(beam), len(words)))
            for row, (_, one) in enumerate(beam):
                one.values(words, values[row])
            order = np.argsort(-values, axis=None, kind="stable")[:width]
            rows, places = np.unravel_index(order, values.shape)
            if values[rows[0], places[0]] > best[0]:
                grown = (*beam[rows[0]][0], int(words[places[0]]))
                best = float(values[rows[0], places[0]]), grown
            beam = [
                ((*beam[row][0], int(words[place])), beam[row][1].extend(int(words[place])))
                for row, place in zip(rows.tolist(), places.tolist(), strict=True)
            ]
        return best


def greedy_draft(document: WordsToWrite) -> tuple[int, ...]:
    """Returns what is written by whoever takes the word that gains most, until none gains."""
    words = np.array(
        sorted({word for line in (*document.sentences, document.reference) for word in line}),
        dtype=np.int64,
    )
    draft, values = document.start(), np.empty(len(words))
    grown: tuple[int, ...] = ()
    value = draft.value()
    while len(words) and len(grown) < document.budget:
        draft.values(words, values)
        best = int(values.argmax())
        if values[best] <= value:
            break
        value, word = float(values[best]), int(words[best])
        draft, grown = draft.extend(word), (*grown, word)
    return grown
