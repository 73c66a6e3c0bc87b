"""N drafts that grow sentence by sentence: what the summariser's engine does at every step.

`PlainDrafts` is the specification, in plain Python; `CompiledDrafts` does the same in C, bit for
bit, many rows in one call. What is observed of the rows lies in arrays that the engine owns and
that these write to.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from gymnasium.spaces import Discrete
from numpy.typing import NDArray

from lightbulb_envs.actions import check_actions
from lightbulb_envs.document import DocumentBatch
from lightbulb_envs.engines.engine import Step, Taken
from lightbulb_envs.engines.one_row import Paid, first_of
from lightbulb_envs.engines.summarise_task import SummariseTask
from lightbulb_envs.search import ExtractiveTask
from lightbulb_envs.summation import add_in_order

_INTEGER = np.dtype(np.int64)


@dataclass(frozen=True)
class Observed:
    """What is observed of N rows besides features; `left` is the share of the budget."""

    tokens: NDArray[np.int32]  # (N, S, T)
    selected: NDArray[np.int8]  # (N, S)
    left: NDArray[np.float32]  # (N, 1)
    mask: NDArray[np.int8]  # (N, S + 1)


class Drafts(Protocol):
    """N rows, each with a draft of a document. A document is an opaque thing that may be kept."""

    def compile(self, batch: DocumentBatch) -> list[Any]:
        """Returns the documents of a batch, ready to be loaded into rows, time and again."""

    def load(self, rows: NDArray[np.int64], documents: list[Any]) -> None:
        """Starts an episode of a document in every row given."""

    def step_among(self, rows: NDArray[np.int64], actions: NDArray[Any]) -> Step:
        """Does what `step` does; returns a step of all rows, zeros for those not given."""

    def load_row(self, row: int, document: Any) -> None:
        """Starts an episode of a document in one row."""

    def restart(self, rows: NDArray[np.int64]) -> None:
        """Starts an episode of the same document in every row given."""

    def step(self, rows: NDArray[np.int64], actions: NDArray[Any]) -> Step:
        """Takes one action in every row given; nothing is done where one cannot be taken."""

    def step_row(self, row: int, action: Any, names: tuple[str, ...]) -> Paid:
        """Takes one action in one row; the parts of what it pays are called `names`."""

    def draft(self, row: int) -> tuple[int, ...]:
        """Returns the sentences that a row has picked, in the order of picking."""

    def scores(self, row: int) -> Sequence[float]:
        """Returns the weighted score of every part."""

    def clock(self, row: int) -> tuple[int, bool]:
        """Returns how many steps a row has taken, and whether its episode has ended."""

    def taken(self, row: int) -> tuple[Taken, ...]:
        """Returns the actions of a row's episode so far, and what each was paid."""

    def resume(
        self,
        row: int,
        draft: tuple[int, ...],
        steps: int,
        has_ended: bool,
        taken: Sequence[Taken],
    ) -> None:
        """Makes a row's episode what `draft`, `clock` and `taken` told of it."""


class CompiledTask(Protocol):
    """A task whose documents C scores."""

    @property
    def weights(self) -> Mapping[str, float]:
        """The weights of the reward's parts."""

    def compile(self, batch: DocumentBatch) -> list[Any]:
        """Returns the documents of a batch for the C kernel."""

    def compiled_rows(self, max_steps: int | None, *observed: NDArray[Any]) -> Any:
        """Returns N episodes in C, over arrays that it writes to."""


@dataclass
class _Row:
    """One row of `PlainDrafts`."""

    task: ExtractiveTask
    state: Any = None
    scores: list[float] = field(default_factory=list)
    draft: list[int] = field(default_factory=list)
    left: int = 0
    steps: int = 0
    has_ended: bool = False
    taken: list[Taken] = field(default_factory=list)


class PlainDrafts:
    """Drafts in Python; see `Drafts`.

    Args:
        task: what is to be summarised, a `SummariseTask`; another's drafts override `compile`.
        observed: the arrays to write to, `Observed`; others override how drafts are shown.
        max_steps: steps after which a row is truncated, None for no limit.
    """

    def __init__(self, task: Any, observed: Any, max_steps: int | None):
        self._task = task
        self._observed = observed
        self._max_steps = max_steps
        self._penalty = task.config.illegal_penalty
        self._stop = observed.mask.shape[1] - 1
        self._space = Discrete(self._stop + 1)
        self._rows: list[_Row | None] = [None] * len(observed.tokens)

    def compile(self, batch: DocumentBatch) -> list[Any]:
        return [(self._task.task(batch, row), batch.tokens[row]) for row in range(len(batch))]

    def load(self, rows: NDArray[np.int64], documents: list[Any]) -> None:
        for row, (task, tokens) in zip(rows.tolist(), documents, strict=True):
            self._rows[row] = _Row(task)
            self._observed.tokens[row] = tokens
        self.restart(rows)

    def load_row(self, row: int, document: Any) -> None:
        self.load(np.array([row]), [document])

    def restart(self, rows: NDArray[np.int64]) -> None:
        for number in rows.tolist():
            task = self._row(number).task
            state = task.potential.start()
            self._rows[number] = _Row(task, state, task.potential.scores(state), left=task.budget)
            self._show_none(number)

    def _row(self, number: int) -> _Row:
        row = self._rows[number]
        if row is None:
            raise RuntimeError(f"row {number} has no episode: call reset first")
        return row

    def _show_none(self, number: int) -> None:
        """Shows a row's empty draft."""
        self._observed.selected[number] = 0
        self._update(number)

    def _show(self, number: int, row: _Row) -> None:
        """Shows the last pick of a row's draft."""
        self._observed.selected[number, row.draft[-1]] = len(row.draft)
        self._update(number)

    def _update(self, number: int) -> None:
        """Brings what a row observes besides its article up to date."""
        row = self._row(number)
        costs = row.task.costs
        mask = self._observed.mask[number]
        mask[: len(costs)] = [cost <= row.left for cost in costs]
        mask[: len(costs)] &= self._observed.selected[number, : len(costs)] == 0
        mask[len(costs) :] = 0
        mask[self._stop] = 1
        self._observed.left[number] = row.left / row.task.budget

    def step(self, rows: NDArray[np.int64], actions: NDArray[Any]) -> Step:
        count = len(rows)
        chosen = check_actions(actions, count, self._space)
        for number in rows.tolist():
            if self._row(number).has_ended:
                raise RuntimeError(f"the episode of row {number} has ended: call reset first")
        parts = np.zeros((count, len(self._task.weights) + 1))
        terminated = np.zeros(count, dtype=bool)
        truncated = np.zeros(count, dtype=bool)
        is_illegal = np.zeros(count, dtype=bool)
        for at, (number, action) in enumerate(zip(rows.tolist(), chosen.tolist(), strict=True)):
            row = self._row(number)
            row.steps += 1
            is_illegal[at] = not self._observed.mask[number, action]
            if is_illegal[at]:
                parts[at, -1] = -self._penalty
            elif action == self._stop:
                terminated[at] = True
            else:
                parts[at, :-1] = self._pick(number, row, action)
                terminated[at] = not self._observed.mask[number, : self._stop].any()
            if self._max_steps is not None and row.steps >= self._max_steps:
                truncated[at] = True  # also at the end of the task, as Gymnasium's TimeLimit
            row.has_ended = bool(terminated[at] or truncated[at])
            row.taken.append(Taken(action, tuple(parts[at].tolist()), bool(is_illegal[at])))
        reward = np.array([add_in_order(paid) for paid in parts.tolist()])
        return Step(reward, parts, terminated, truncated, is_illegal)

    def step_among(self, rows: NDArray[np.int64], actions: NDArray[Any]) -> Step:
        return self.step(rows, actions).among(rows, len(self._rows))

    def step_row(self, row: int, action: Any, names: tuple[str, ...]) -> Paid:
        return first_of(self.step(np.array([row]), np.asarray([action])), names)

    def _pick(self, number: int, row: _Row, sentence: int) -> list[float]:
        """Adds a sentence to the draft; returns the gain of every part."""
        potential = row.task.potential
        row.state = potential.extend(row.state, sentence)
        before, row.scores = row.scores, potential.scores(row.state)
        row.draft.append(sentence)
        row.left -= row.task.costs[sentence]
        self._show(number, row)
        return [after - earlier for after, earlier in zip(row.scores, before, strict=True)]

    def draft(self, row: int) -> tuple[int, ...]:
        return tuple(self._row(row).draft)

    def scores(self, row: int) -> Sequence[float]:
        return self._row(row).scores

    def clock(self, row: int) -> tuple[int, bool]:
        return self._row(row).steps, self._row(row).has_ended

    def taken(self, row: int) -> tuple[Taken, ...]:
        return tuple(self._row(row).taken)

    def resume(
        self,
        row: int,
        draft: tuple[int, ...],
        steps: int,
        has_ended: bool,
        taken: Sequence[Taken],
    ) -> None:
        self.restart(np.array([row]))
        own = self._row(row)
        for sentence in draft:
            self._pick(row, own, sentence)
        own.steps, own.has_ended, own.taken = steps, has_ended, list(taken)


class CompiledDrafts:
    """Drafts in C, equal to those in Python bit for bit; see `Drafts`.

    Args:
        task: what makes documents and rows for the kernel.
        observed: the arrays to write to, in the order in which the rows take them.
        max_steps: steps after which a row is truncated, None for no limit.
    """

    def __init__(self, task: CompiledTask, observed: Any, max_steps: int | None):
        self._task = task
        self._space = Discrete(observed.mask.shape[1])
        self._num_rows = len(observed.tokens)
        self._num_parts = len(task.weights) + 1
        self._rows = task.compiled_rows(max_steps, *vars(observed).values())

    def compile(self, batch: DocumentBatch) -> list[Any]:
        return self._task.compile(batch)

    def load(self, rows: NDArray[np.int64], documents: list[Any]) -> None:
        self._rows.load(np.ascontiguousarray(rows), documents)

    def load_row(self, row: int, document: Any) -> None:
        self._rows.load_row(row, document)

    def restart(self, rows: NDArray[np.int64]) -> None:
        self._rows.restart(np.ascontiguousarray(rows))

    def step(self, rows: NDArray[np.int64], actions: NDArray[Any]) -> Step:
        return self._step(rows, actions, len(rows), among=False)

    def step_among(self, rows: NDArray[np.int64], actions: NDArray[Any]) -> Step:
        return self._step(rows, actions, self._num_rows, among=True)

    def _step(
        self, rows: NDArray[np.int64], actions: NDArray[Any], told: int, *, among: bool
    ) -> Step:
        """Steps rows; returns what is paid in the order of rows, or among all of them."""
        count = len(rows)
        actions = np.asarray(actions)
        if actions.dtype != _INTEGER or actions.shape != (count,):
            actions = check_actions(actions, count, self._space)
        make = np.zeros if among else np.empty  # a row that is not given is paid nothing
        paid = make((self._num_parts + 1, told))
        flags = make((3, told), np.bool_)
        rows, actions = np.ascontiguousarray(rows), np.ascontiguousarray(actions)
        if not self._rows.step(rows, actions, paid, flags, among):
            check_actions(actions, count, self._space)
            raise AssertionError("the kernel refused actions that are in their space")
        return Step.of(paid, flags)

    def step_row(self, row: int, action: Any, names: tuple[str, ...]) -> Paid:
        if type(action) is int or isinstance(action, np.integer):
            paid: Paid | None = self._rows.step_row(row, action, names)
            if paid is not None:
                return paid
        return first_of(self.step(np.array([row]), np.asarray([action])), names)

    def draft(self, row: int) -> tuple[int, ...]:
        draft: tuple[int, ...] = self._rows.draft(row)
        return draft

    def scores(self, row: int) -> Sequence[float]:
        scores: tuple[float, ...] = self._rows.scores(row)
        return scores

    def clock(self, row: int) -> tuple[int, bool]:
        clock: tuple[int, bool] = self._rows.clock(row)
        return clock

    def taken(self, row: int) -> tuple[Taken, ...]:
        return tuple(Taken(*taken) for taken in self._rows.taken(row))

    def resume(
        self,
        row: int,
        draft: tuple[int, ...],
        steps: int,
        has_ended: bool,
        taken: Sequence[Taken],
    ) -> None:
        told = [(one.action, tuple(one.parts), one.is_illegal) for one in taken]
        self._rows.resume(row, tuple(draft), steps, has_ended, told)


def open_drafts(task: SummariseTask, observed: Observed, max_steps: int | None) -> Drafts:
    """Returns drafts in C where the task's documents are compiled, in Python elsewhere."""
    return (CompiledDrafts if task.is_compiled else PlainDrafts)(task, observed, max_steps)
