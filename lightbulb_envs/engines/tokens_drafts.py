"""N drafts that grow word by word: what the engine of writing does at every step.

`PlainWriting` is the specification, in plain Python; the kernel's `WordRows` do the same in C, bit
for bit. A word is picked as `drafts.PlainDrafts` picks a sentence, and may be picked again.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.document import DocumentBatch
from lightbulb_envs.engines.drafts import CompiledDrafts, Drafts, PlainDrafts
from lightbulb_envs.engines.tokens_task import TokensTask


@dataclass(frozen=True)
class Shown:
    """What is observed of N rows; `left` is the share of the budget."""

    tokens: NDArray[np.int32]  # (N, S, T)
    words: NDArray[np.int32]  # (N, A, P)
    article: NDArray[np.int32]  # (N, S, T)
    draft: NDArray[np.int32]  # (N, budget)
    left: NDArray[np.float32]  # (N, 1)
    mask: NDArray[np.int8]  # (N, A + 1)


class PlainWriting(PlainDrafts):
    """Drafts of words in Python; see `Drafts`."""

    def __init__(self, task: TokensTask, observed: Shown, max_steps: int | None):
        super().__init__(task, observed, max_steps)
        self._actions: list[Any] = [None] * len(observed.tokens)

    def compile(self, batch: DocumentBatch) -> list[Any]:
        plain = self._task.plain(batch)
        return [(*told, tokens) for told, tokens in zip(plain, batch.tokens, strict=True)]

    def load(self, rows: NDArray[np.int64], documents: list[Any]) -> None:
        for row, (_, actions, _) in zip(rows.tolist(), documents, strict=True):
            self._actions[row] = actions
            self._observed.words[row] = actions.pieces[0]
            self._observed.article[row] = actions.article[0]
        super().load(rows, [(task, tokens) for task, _, tokens in documents])

    def _show_none(self, number: int) -> None:
        self._observed.draft[number] = 0
        self._update(number)

    def _show(self, number: int, row: Any) -> None:
        self._observed.draft[number, len(row.draft) - 1] = row.draft[-1] + 1
        self._update(number)

    def _update(self, number: int) -> None:
        row, mask = self._row(number), self._observed.mask[number]
        mask[:] = self._actions[number].mask[0]
        if row.left == 0:
            mask[:-1] = 0
        self._observed.left[number] = row.left / row.task.budget


def open_writing(task: TokensTask, observed: Shown, max_steps: int | None) -> Drafts:
    """Returns drafts in C where the task's documents are compiled, in Python elsewhere."""
    return (CompiledDrafts if task.is_compiled else PlainWriting)(task, observed, max_steps)
