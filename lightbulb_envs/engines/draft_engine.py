"""What engines share whose drafts grow action by action: `summarise` and `summarise_tokens`."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.document import Document
from lightbulb_envs.engines.drafts import Drafts
from lightbulb_envs.engines.engine import Step, Taken
from lightbulb_envs.engines.shelf import Shelf, check_instances

ILLEGAL = "illegal_action"
KEPT_BYTES = 1 << 28
"""What the documents that are ready may take in memory; past it the oldest are read again."""
_NONE = np.iinfo(np.int64).min
"""The instance of a row that has no episode yet; nobody can ask for it."""


class DraftEngine:
    """N episodes whose drafts are `Drafts`; see `engines.engine.Engine` for the contract.

    Args:
        task: its source, its weights, and its documents.
        kept_bytes: of a document that is kept ready, by and large.
    """

    _drafts: Drafts

    def __init__(
        self, config: Any, task: Any, num_envs: int, max_steps: int | None, kept_bytes: int
    ):
        self.config = config
        self.num_envs = num_envs
        self.max_steps = max_steps
        self.task = task
        self.source = task.source
        self.num_instances: int | None = task.num_instances
        self.part_names: tuple[str, ...] = (*task.weights, ILLEGAL)
        self._kept = KEPT_BYTES // kept_bytes
        self._instance = np.full(num_envs, _NONE)

    def _open(self) -> None:
        """Makes what holds the episodes; there are none yet."""
        self._drafts = self._open_drafts()
        is_endless = self.num_instances is None
        self._shelf = Shelf(self._read, self.num_envs, self._kept, is_endless=is_endless)

    def _open_drafts(self) -> Drafts:
        """Returns the drafts of all rows, which write what is observed of them."""
        raise NotImplementedError

    def _forget(self, rows: NDArray[np.int64]) -> None:
        """Gives up what was found out about the documents of rows."""
        raise NotImplementedError

    def _read(self, instances: NDArray[np.int64]) -> Sequence[Any]:
        """Returns documents ready for rows."""
        return self._drafts.compile(self.source.batch(instances))

    @property
    def upcoming(self) -> Callable[[int], NDArray[np.int64]] | None:
        """What tells the instances to come, if anything does."""
        return self._shelf.upcoming

    @upcoming.setter
    def upcoming(self, upcoming: Callable[[int], NDArray[np.int64]] | None) -> None:
        self._shelf.upcoming = upcoming

    def __getstate__(self) -> dict[str, Any]:
        """Returns what `pickle` keeps: drafts in C as snapshots, and no documents."""
        started = np.flatnonzero(self._instance >= 0).tolist()
        left_out = dict.fromkeys(("_drafts", "_shelf"))
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
        if is_new.all():
            self._load(rows, instances)
            return
        if is_new.any():
            self._load(rows[is_new], instances[is_new])
        self._drafts.restart(rows[~is_new])

    def _load(self, rows: NDArray[np.int64], instances: NDArray[np.int64]) -> None:
        """Starts an episode of a document in every row given."""
        wanted = instances.tolist()
        check_instances(wanted, self.source.num_documents)
        self._drafts.load(rows, self._shelf.take(wanted))
        self._instance[rows] = instances
        self._forget(rows)

    def step(self, rows: NDArray[np.int64], actions: NDArray[Any]) -> Step:
        """Takes one action in every row given."""
        return self._drafts.step(rows, actions)

    def step_among(self, rows: NDArray[np.int64], actions: NDArray[Any]) -> Step:
        """Takes one action in every row given; returns a step of all rows."""
        return self._drafts.step_among(rows, actions)

    def instance(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Returns the rows' instances."""
        return self._instance[rows]

    def document(self, row: int) -> Document:
        """Returns a row's document as text, with its facts where they are known."""
        self._drafts.clock(row)  # it may have no episode
        document: Document = self.source.document(int(self._instance[row]))
        return document

    def draft(self, row: int) -> tuple[int, ...]:
        """Returns the actions that made a row's draft, in order."""
        return self._drafts.draft(row)

    def taken(self, row: int) -> tuple[Taken, ...]:
        """Returns the actions of a row's episode so far, and what each was paid."""
        return self._drafts.taken(row)

    def scores(self, row: int) -> dict[str, float]:
        """Returns the weighted score of every part of a row's draft."""
        return dict(zip(self.task.weights, self._drafts.scores(row), strict=True))

    def snapshot(self, row: int) -> dict[str, Any]:
        """Returns a row's episode as plain data."""
        steps, has_ended = self._drafts.clock(row)
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
        self._drafts.resume(row, draft, snapshot["steps"], snapshot["has_ended"], taken)
