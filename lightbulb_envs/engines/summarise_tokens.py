"""Summarising by writing: a draft grows word by word, in words of the article and function words.

The instances and the reward are those of `summarise`; action i writes word i of `tokens_actions`,
the last action stops. Each word is paid the gain of the draft's potential, so a return is the score
of the finished draft. What the draft claims is read from its words (`rewards.stated_facts`).
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, ClassVar

import gymnasium
import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.document import Document
from lightbulb_envs.engines.engine import Observation, Step, Taken
from lightbulb_envs.engines.one_row import Paid
from lightbulb_envs.engines.shelf import Shelf, check_instances
from lightbulb_envs.engines.summarise import ILLEGAL, KEPT_BYTES
from lightbulb_envs.engines.tokens_drafts import Shown, open_writing
from lightbulb_envs.engines.tokens_oracle import METHOD, WordsToWrite
from lightbulb_envs.engines.tokens_task import TokensConfig, TokensTask
from lightbulb_envs.search import Plan

__all__ = ["TokensConfig", "TokensEngine", "TokensTask"]

_BYTES_A_TOKEN = 4
"""Of a kept document, by and large."""
_BYTES_A_WORD = 48
"""Of every word that may be written about a kept document, by and large."""
_NONE = np.iinfo(np.int64).min
"""The instance of a row that has no episode yet; nobody can ask for it."""


class TokensEngine:
    """N episodes of writing word by word; see `engines.engine.Engine` for the contract."""

    Config: ClassVar[type] = TokensConfig
    baselines: ClassVar[str] = "lightbulb_envs.baselines.writing:BASELINES"
    canaries: ClassVar[str] = "lightbulb_envs.baselines.writing_canaries:CANARIES"
    keeps_tokens: ClassVar[bool] = True
    has_stop: ClassVar[bool] = True

    def __init__(self, config: TokensConfig, num_envs: int, max_steps: int | None = None):
        self.config = config
        self.num_envs = num_envs
        self.max_steps = max_steps
        self.task = TokensTask(config)
        self.source = self.task.source
        self.num_instances = self.task.num_instances
        self.part_names: tuple[str, ...] = (*self.task.weights, ILLEGAL)
        sentences, tokens = self.source.max_sentences, self.source.max_tokens
        words, budget = self.task.num_words, self.task.budget
        pieces = self.task.table.num_pieces
        self.stop = words
        most = self.source.vocabulary.size - 1
        spaces = gymnasium.spaces
        self.observation_space = spaces.Dict(
            tokens=spaces.Box(0, most, (sentences, tokens), np.int32),
            words=spaces.Box(0, most, (words, pieces), np.int32),
            draft=spaces.Box(0, words, (budget,), np.int32),
            budget=spaces.Box(0.0, 1.0, (1,), np.float32),
            action_mask=spaces.Box(0, 1, (words + 1,), np.int8),
        )
        self.action_space: gymnasium.Space[Any] = spaces.Discrete(words + 1)
        self._instance = np.full(num_envs, _NONE)
        self._shown = Shown(
            tokens=np.zeros((num_envs, sentences, tokens), dtype=np.int32),
            words=np.zeros((num_envs, words, pieces), dtype=np.int32),
            draft=np.zeros((num_envs, budget), dtype=np.int32),
            left=np.zeros((num_envs, 1), dtype=np.float32),
            mask=np.zeros((num_envs, words + 1), dtype=np.int8),
        )
        self._open()

    def _open(self) -> None:
        """Makes what holds the episodes; there are none yet."""
        self._writing = open_writing(self.task, self._shown, self.max_steps)
        self._searched: dict[int, WordsToWrite] = {}
        size = self.source.max_sentences * self.source.max_tokens * _BYTES_A_TOKEN
        most = KEPT_BYTES // (size + self.task.num_words * _BYTES_A_WORD)
        self._shelf = Shelf(self._read, self.num_envs, most, is_endless=self.num_instances is None)

    def _read(self, instances: NDArray[np.int64]) -> Sequence[Any]:
        """Returns documents ready for rows."""
        return self._writing.compile(self.source.batch(instances))

    @property
    def task_text(self) -> str:
        """What is to be done, in words."""
        return (
            f"Write a short summary of the article, word by word, of {self.task.budget} words at "
            "most: each number stands for a word, which is added to the draft."
        )

    @property
    def upcoming(self) -> Callable[[int], NDArray[np.int64]] | None:
        """What tells the instances to come, if anything does."""
        return self._shelf.upcoming

    @upcoming.setter
    def upcoming(self, upcoming: Callable[[int], NDArray[np.int64]] | None) -> None:
        self._shelf.upcoming = upcoming

    def __getstate__(self) -> dict[str, Any]:
        """Returns what `pickle` keeps: drafts as snapshots, and no documents."""
        started = np.flatnonzero(self._instance >= 0).tolist()
        left_out = dict.fromkeys(("_writing", "_shelf", "_searched"))
        return {**self.__dict__, **left_out, "snapshots": [self.snapshot(row) for row in started]}

    def __setstate__(self, state: dict[str, Any]) -> None:
        snapshots = state.pop("snapshots")
        self.__dict__.update(state)
        started = np.flatnonzero(self._instance >= 0).tolist()
        self._instance[:] = _NONE
        self._open()
        for row, snapshot in zip(started, snapshots, strict=True):
            self.restore(row, snapshot)

    def reset(self, rows: NDArray[np.int64], instances: NDArray[np.int64]) -> None:
        """Starts an episode in every row given; a row with the same instance is not read again."""
        instances = np.asarray(instances, dtype=np.int64)
        is_new = self._instance[rows] != instances
        if is_new.any():
            self._load(rows[is_new], instances[is_new])
        if not is_new.all():
            self._writing.restart(rows[~is_new])

    def _load(self, rows: NDArray[np.int64], instances: NDArray[np.int64]) -> None:
        """Starts an episode of a document in every row given."""
        wanted = instances.tolist()
        check_instances(wanted, self.source.num_documents)
        self._writing.load(rows, self._shelf.take(wanted))
        self._instance[rows] = instances
        if self._searched:
            for row in rows.tolist():
                self._searched.pop(row, None)

    def step(self, rows: NDArray[np.int64], actions: NDArray[Any]) -> Step:
        """Takes one action in every row given."""
        return self._writing.step(rows, actions)

    def step_among(self, rows: NDArray[np.int64], actions: NDArray[Any]) -> Step:
        """Takes one action in every row given; returns a step of all rows."""
        return self._writing.step_among(rows, actions)

    def one_row(self, row: int) -> "TokensRow":
        """Returns a row that is stepped alone."""
        return TokensRow(self, row)

    def views(self) -> Observation:
        """Returns what all rows observe, as arrays that later steps write into."""
        return {
            "tokens": self._shown.tokens,
            "words": self._shown.words,
            "draft": self._shown.draft,
            "budget": self._shown.left,
            "action_mask": self._shown.mask,
        }

    def observe(self, rows: NDArray[np.int64]) -> Observation:
        """Returns fresh arrays of the rows' observations."""
        return {name: array[rows] for name, array in self.views().items()}

    def instance(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Returns the rows' instances."""
        return self._instance[rows]

    def document(self, row: int) -> Document:
        """Returns a row's document as text, with its facts where they are known."""
        self._writing.clock(row)  # it may have no episode
        return self.source.document(int(self._instance[row]))

    def draft(self, row: int) -> tuple[int, ...]:
        """Returns the actions that wrote a row's draft, in order."""
        return self._writing.draft(row)

    def words_of(self, row: int) -> list[str]:
        """Returns the word that every action but the last writes, "" where there is none."""
        self._writing.clock(row)  # it may have no episode
        actions = self.task.table.actions(self.source.batch(self._instance[[row]]))
        legal = actions.mask[0, :-1].tolist()
        words = actions.words[0].tolist()
        return [
            self.task.table.text(word) if is_legal else ""
            for word, is_legal in zip(words, legal, strict=True)
        ]

    def taken(self, row: int) -> tuple[Taken, ...]:
        """Returns the actions of a row's episode so far, and what each was paid."""
        return self._writing.taken(row)

    def scores(self, row: int) -> dict[str, float]:
        """Returns the weighted score of every part of a row's draft."""
        return dict(zip(self.task.weights, self._writing.scores(row), strict=True))

    def oracle(self, row: int, *, from_start: bool = True) -> Plan:
        """Returns the best draft found of a row's document, or the best that goes on from its own.

        Time limits are not looked at: the budget ends a draft.
        """
        document = self._searched.get(row)
        if document is None:
            self._writing.clock(row)  # it may have no episode
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

    def snapshot(self, row: int) -> dict[str, Any]:
        """Returns a row's episode as plain data."""
        steps, has_ended = self._writing.clock(row)
        return {
            "instance": int(self._instance[row]),
            "draft": list(self.draft(row)),
            "steps": steps,
            "has_ended": has_ended,
            "taken": [asdict(taken) for taken in self.taken(row)],
        }

    def restore(self, row: int, snapshot: dict[str, Any]) -> None:
        """Goes back to a row's episode as `snapshot` returned it."""
        self.reset(np.array([row]), np.array([snapshot["instance"]]))
        taken = [Taken.of(one) for one in snapshot["taken"]]
        draft = tuple(snapshot["draft"])
        self._writing.resume(row, draft, snapshot["steps"], snapshot["has_ended"], taken)

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
        self._step_row = engine._writing.step_row
        self._views = {name: array[row] for name, array in engine.views().items()}

    def __reduce__(self) -> tuple[Any, ...]:
        return TokensRow, (self._engine, self._row)  # its views must be of the engine's arrays

    def reset(self, instance: int) -> None:
        engine = self._engine
        document = engine._shelf.take_ready(instance)
        if document is None:
            engine.reset(self._rows, np.array([instance]))
            return
        engine._writing.load_row(self._row, document)
        engine._instance[self._row] = instance
        engine._searched.pop(self._row, None)

    def step(self, action: Any) -> Paid:
        return self._step_row(self._row, action, self._names)

    def observe(self) -> Observation:
        return {name: array.copy() for name, array in self._views.items()}

    def instance(self) -> int:
        instance: int = self._engine._instance.item(self._row)
        return instance
