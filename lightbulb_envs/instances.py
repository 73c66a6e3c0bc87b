"""Which document an episode is about: seeds, and the stream of instances that follows one.

Row i of a batch seeded with one int s draws from `SeedSequence([s, i])`; a row seeded with its
own int draws as row 0 would. Instance k of a row is a counter-based function of the row's seed
and k, so it can be looked up ahead, and a snapshot of a stream is two numbers a row.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.kernel import native
from lightbulb_envs.randomness import derive_key, philox, to_range
from lightbulb_envs.splits import SUITE_VERSION

ENDLESS = 1 << 53
"""Instances of an endless stream lie in [0, ENDLESS): a JSON number holds each exactly."""
_NOTHING = np.int64(-(1 << 60))
AHEAD = 32
"""Instances of a row that are worked out at a time; more where rows are few."""
_AHEAD_OF_ALL = 256


def row_seed(seed: int | None, row: int) -> tuple[int, int]:
    """Returns the two 32-bit words that stand for a seed and a row; fresh ones for None.

    A seed below 2**32 gives `SeedSequence([seed, row])`. A longer seed's further words follow the
    row, where no shorter seed has any.
    """
    if seed is None:
        words = np.random.SeedSequence().generate_state(2)
    else:
        if seed < 0:
            raise ValueError(f"seed must be 0 or more, got {seed}")
        long = [seed >> 32] if seed >> 32 else []
        words = np.random.SeedSequence([seed & 0xFFFFFFFF, row, *long]).generate_state(2)
    return int(words[0]), int(words[1])


class InstanceStream:
    """The instances of N rows, each drawn from [0, num_instances), or without end when None."""

    def __init__(self, rows: int, num_instances: int | None):
        if num_instances is not None and not 1 <= num_instances < 1 << 32:
            raise ValueError(f"num_instances must be in [1, 2**32), got {num_instances}")
        self._size = num_instances
        self._key = derive_key("instances", str(SUITE_VERSION))
        self._seed = np.zeros((rows, 2), dtype=np.uint64)
        self._count = np.zeros(rows, dtype=np.int64)
        self._ahead = np.zeros((rows, max(AHEAD, _AHEAD_OF_ALL // rows)), dtype=np.int64)
        self._first = np.full(rows, _NOTHING)  # the count that a row of `_ahead` starts with
        self._native = native()
        self.seed(None)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_native": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._native = native()

    def seed(
        self,
        seed: int | Sequence[int | None] | None,
        rows: NDArray[np.int64] | None = None,
    ) -> None:
        """Seeds rows, all by default: by one int, by a list with an entry a row, or afresh by None.

        A list has an entry for every row, seeded or not; None in it leaves its row as it is.
        """
        count = len(self._count)
        chosen = range(count) if rows is None else rows.tolist()
        if seed is None or isinstance(seed, (int, np.integer)):
            own = None if seed is None else int(seed)
            for row in chosen:
                self._seed_row(row, row_seed(own, row))
            return
        if len(seed) != count:
            raise ValueError(f"a list of seeds needs one for each of {count} rows, got {len(seed)}")
        for row in chosen:
            single = seed[row]
            if single is not None:
                self._seed_row(row, row_seed(int(single), 0))

    def _seed_row(self, row: int, words: tuple[int, int]) -> None:
        self._seed[row] = words
        self._count[row] = 0
        self._first[row] = _NOTHING

    def state(self) -> dict[str, list[Any]]:
        """Returns the seeds and counts of all rows as plain data."""
        return {"seed": self._seed.tolist(), "count": self._count.tolist()}

    def set_state(self, state: dict[str, list[Any]]) -> None:
        """Goes back to a state that `state` returned."""
        self._seed[:] = np.array(state["seed"], dtype=np.uint64)
        self._count[:] = state["count"]
        self._first[:] = _NOTHING

    def draw(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Returns the next instance of every row in `rows`."""
        module = self._native
        if module is not None:
            drawn = np.empty(len(rows), dtype=np.int64)
            told = (drawn, np.ascontiguousarray(rows), self._count, self._first, self._ahead)
            if not module.take_instances(*told):
                self._look_ahead()
                module.take_instances(*told)
            return drawn
        place = self._count[rows] - self._first[rows]
        if (place >= self._ahead.shape[1]).any():
            self._look_ahead()
            place = np.zeros_like(place)
        self._count[rows] += 1
        return np.asarray(self._ahead[rows, place])

    def draw_one(self, row: int) -> int:
        """Returns the next instance of one row."""
        count = self._count.item(row)
        place = count - self._first.item(row)
        if place >= self._ahead.shape[1]:
            self._look_ahead()
            place = 0
        self._count[row] = count + 1
        return self._ahead.item(row, place)

    def upcoming(self, count: int) -> NDArray[np.int64]:
        """Returns the next instances of rows, up to `count` of each, the nearest first.

        Rows that have drawn less than two since they were seeded are left out: who seeds every
        episode draws no second one.
        """
        most = self._ahead.shape[1]
        count = min(count, most)
        if (self._count - self._first > most - count).any():
            self._look_ahead()
        going = np.flatnonzero(self._count >= 2)
        place = (self._count - self._first)[going, None] + np.arange(count)
        coming: NDArray[np.int64] = self._ahead[going[:, None], place].T.ravel()
        return coming

    def _look_ahead(self) -> None:
        """Works out the next instances of all rows."""
        self._first[:] = self._count
        module = self._native
        if module is not None:
            module.draw_instances(self._ahead, self._count, self._seed, *self._key, self._size or 0)
            return
        shape = self._ahead.shape
        low, high, *_ = philox(
            (
                (self._count[:, None] + np.arange(shape[1])).astype(np.uint64),
                np.zeros(shape, dtype=np.uint64),
                np.broadcast_to(self._seed[:, :1], shape),
                np.broadcast_to(self._seed[:, 1:], shape),
            ),
            self._key,
        )
        if self._size is None:
            endless = (high & np.uint64(0x1FFFFF)) << np.uint64(32) | low
            self._ahead[:] = endless.astype(np.int64)
        else:
            self._ahead[:] = to_range(low.astype(np.uint32), self._size)
