"""Summarising by writing: a draft grows word by word, in words of the article and function words.

The instances and the reward are those of `summarise`; action i writes word i of `tokens_actions`,
the last action stops. Each word is paid the gain of the draft's potential, so a return is the score
of the finished draft. What the draft claims is read from its words (`rewards.stated_facts`).
"""

from typing import Any, ClassVar

import gymnasium
import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.engines.copies import rows_of
from lightbulb_envs.engines.draft_engine import DraftEngine
from lightbulb_envs.engines.drafts import Drafts
from lightbulb_envs.engines.engine import Observation
from lightbulb_envs.engines.one_row import Paid
from lightbulb_envs.engines.tokens_drafts import Shown, open_writing
from lightbulb_envs.engines.tokens_oracle import METHOD, WordsToWrite
from lightbulb_envs.engines.tokens_task import TokensConfig, TokensTask
from lightbulb_envs.search import Plan

__all__ = ["TokensConfig", "TokensEngine", "TokensTask"]

_BYTES_A_TOKEN = 4
"""Of a kept document, by and large."""
_BYTES_A_WORD = 48
"""Of every word that may be written about a kept document, by and large."""


class TokensEngine(DraftEngine):
    """N episodes of writing word by word; see `engines.engine.Engine` for the contract."""

    Config: ClassVar[type] = TokensConfig
    baselines: ClassVar[str] = "lightbulb_envs.baselines.writing:BASELINES"
    canaries: ClassVar[str] = "lightbulb_envs.baselines.writing_canaries:CANARIES"
    keeps_tokens: ClassVar[bool] = True
    has_stop: ClassVar[bool] = True

    def __init__(self, config: TokensConfig, num_envs: int, max_steps: int | None = None):
        task = TokensTask(config)
        sentences, tokens = task.source.max_sentences, task.source.max_tokens
        words, budget = task.num_words, task.budget
        size = 2 * sentences * tokens * _BYTES_A_TOKEN + words * _BYTES_A_WORD
        super().__init__(config, task, num_envs, max_steps, size)
        pieces = self.task.table.num_pieces
        self.stop = words
        most = self.source.vocabulary.size - 1
        spaces = gymnasium.spaces
        self.observation_space = spaces.Dict(
            tokens=spaces.Box(0, most, (sentences, tokens), np.int32),
            words=spaces.Box(0, most, (words, pieces), np.int32),
            article=spaces.Box(0, words, (sentences, tokens), np.int32),
            draft=spaces.Box(0, words, (budget,), np.int32),
            budget=spaces.Box(0.0, 1.0, (1,), np.float32),
            action_mask=spaces.Box(0, 1, (words + 1,), np.int8),
        )
        self.action_space: gymnasium.Space[Any] = spaces.Discrete(words + 1)
        self._shown = Shown(
            tokens=np.zeros((num_envs, sentences, tokens), dtype=np.int32),
            words=np.zeros((num_envs, words, pieces), dtype=np.int32),
            article=np.zeros((num_envs, sentences, tokens), dtype=np.int32),
            draft=np.zeros((num_envs, budget), dtype=np.int32),
            left=np.zeros((num_envs, 1), dtype=np.float32),
            mask=np.zeros((num_envs, words + 1), dtype=np.int8),
        )
        self._open()

    def _open(self) -> None:
        super()._open()
        self._searched: dict[int, WordsToWrite] = {}

    def _open_drafts(self) -> Drafts:
        return open_writing(self.task, self._shown, self.max_steps)

    @property
    def task_text(self) -> str:
        """What is to be done, in words."""
        return (
            f"Write a short summary of the article, word by word, of {self.task.budget} words at "
            "most: each number stands for a word, which is added to the draft."
        )

    def __getstate__(self) -> dict[str, Any]:
        """Returns what `pickle` keeps: drafts in C as snapshots, and no documents."""
        return {**super().__getstate__(), "_searched": None}

    def _forget(self, rows: NDArray[np.int64]) -> None:
        if self._searched:
            for row in rows.tolist():
                self._searched.pop(row, None)

    def one_row(self, row: int) -> "TokensRow":
        """Returns a row that is stepped alone."""
        return TokensRow(self, row)

    def views(self) -> Observation:
        """Returns what all rows observe, as arrays that later steps write into."""
        return {
            "tokens": self._shown.tokens,
            "words": self._shown.words,
            "article": self._shown.article,
            "draft": self._shown.draft,
            "budget": self._shown.left,
            "action_mask": self._shown.mask,
        }

    def observe(self, rows: NDArray[np.int64]) -> Observation:
        """Returns fresh arrays of the rows' observations."""
        return rows_of(self.views(), rows)

    def words_of(self, row: int) -> list[str]:
        """Returns the word that every action but the last writes, "" where there is none."""
        self._drafts.clock(row)  # it may have no episode
        actions = self.task.table.actions(self.source.batch(self._instance[[row]]))
        legal = actions.mask[0, :-1].tolist()
        words = actions.words[0].tolist()
        return [
            self.task.table.text(word) if is_legal else ""
            for word, is_legal in zip(words, legal, strict=True)
        ]

    def oracle(self, row: int, *, from_start: bool = True) -> Plan:
        """Returns the best draft found of a row's document, or the best that goes on from its own.

        Time limits are not looked at: the budget ends a draft.
        """
        document = self._searched.get(row)
        if document is None:
            self._drafts.clock(row)  # it may have no episode
            batch = self.source.batch(self._instance[[row]])
            document = self._searched[row] = WordsToWrite.of(self.task, batch, 0)
        return document.plan(() if from_start else self.draft(row))

    def oracle_action(self, row: int) -> int:
        """Returns the next word of the best continuation of a row's draft, or STOP."""
        draft = self.draft(row)
        plan = self.oracle(row, from_start=False)
        return plan.draft[len(draft)] if len(plan.draft) > len(draft) else self.stop

    def oracle_return(self, row: int) -> float:
        """Returns the return of the oracle's draft of a row's document."""
        return self.oracle(row).value

    def oracle_method(self, row: int) -> str:
        """Returns what the best draft is searched among."""
        return METHOD

    def render(self, row: int, mode: str) -> str:
        """Returns a row's episode as text for a terminal ("ansi") or as one page ("html")."""
        from lightbulb_envs.render_tokens import render_tokens, render_tokens_page

        return render_tokens_page(self, row) if mode == "html" else render_tokens(self, row)


class TokensRow:
    """A row that is stepped alone; see `engines.one_row.OneRow`."""

    def __init__(self, engine: TokensEngine, row: int):
        self._engine = engine
        self._row = row
        self._rows = np.array([row])
        self._names = engine.part_names
        self._step_row = engine._drafts.step_row
        self._views = {name: array[row] for name, array in engine.views().items()}

    def __reduce__(self) -> tuple[Any, ...]:
        return TokensRow, (self._engine, self._row)  # its views must be of the engine's arrays

    def reset(self, instance: int) -> None:
        engine = self._engine
        document = engine._shelf.take_ready(instance)
        if document is None:
            engine.reset(self._rows, np.array([instance]))
            return
        engine._drafts.load_row(self._row, document)
        engine._instance[self._row] = instance
        engine._searched.pop(self._row, None)

    def step(self, action: Any) -> Paid:
        return self._step_row(self._row, action, self._names)

    def observe(self) -> Observation:
        return {name: array.copy() for name, array in self._views.items()}

    def instance(self) -> int:
        instance: int = self._engine._instance.item(self._row)
        return instance
