"""Documents that are ready for episodes: read in blocks, and ahead where it is known what comes."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

BLOCK = 2048
"""Documents that are read at a time, if so many are known to come."""
_FURTHER = 4
"""So many times as far as before."""
_WASTED = 8
"""What was read ahead was in vain if less than one in so many was asked for."""


class Shelf:
    """What documents became, by instance.

    It reads ahead, further every time that what it had read was asked for, and not at all once that
    was in vain: a row that gets a seed an episode never comes to what was to come.

    Args:
        read: returns documents of instances, each made ready.
        num_envs: rows that want documents at a time.
        most: documents that are kept; past it the oldest are read again.
        is_endless: whether no document comes twice, so that what was taken is not kept.
    """

    def __init__(
        self,
        read: Callable[[NDArray[np.int64]], Sequence[Any]],
        num_envs: int,
        most: int,
        *,
        is_endless: bool,
    ):
        self._read = read
        self._most_ahead = BLOCK // num_envs
        self._ahead: int | None = None  # of every row, in the last block
        self._read_ahead = self._found = 0  # how many then, and how many were ready since
        self._most = min(most, 4 * BLOCK) if is_endless else most
        self._is_endless = is_endless
        self._kept: dict[int, Any] = {}
        self.upcoming: Callable[[int], NDArray[np.int64]] | None = None
        """What tells the instances to come, if anything does; see `tell_upcoming`."""

    def take(self, wanted: list[int]) -> list[Any]:
        """Returns documents; those of a fixed pool are kept."""
        documents = list(map(self._kept.get, wanted))
        lacking = documents.count(None)
        self._found += len(documents) - lacking
        if lacking:
            self._fill(wanted)
            documents = list(map(self._kept.get, wanted))
        if self._is_endless:
            for one in wanted:
                self._kept.pop(one, None)
        return documents

    def take_ready(self, wanted: int) -> Any:
        """Returns a document if it is ready, else None."""
        kept = self._kept
        document = kept.pop(wanted, None) if self._is_endless else kept.get(wanted)
        if document is not None:
            self._found += 1
        return document

    def _fill(self, wanted: list[int]) -> None:
        """Reads documents, and with them others that will be wanted, for a block is cheaper."""
        kept = self._kept
        self._ahead = self._next_ahead()
        more = self.upcoming(self._ahead).tolist() if self.upcoming and self._ahead else []
        block = list({one: None for one in (*wanted, *more) if one not in kept})
        block = block[: max(BLOCK, len(wanted))]
        self._read_ahead, self._found = len(set(block).difference(wanted)), 0
        read = dict(zip(block, self._read(np.array(block, dtype=np.int64)), strict=True))
        asked = set(wanted)
        for one in [one for one in kept if one not in asked]:
            if len(kept) + len(read) <= max(self._most, BLOCK + len(asked)):
                break
            del kept[one]  # the oldest
        kept.update(read)

    def _next_ahead(self) -> int:
        """Returns how far ahead to read, from what has become of what was read before."""
        if self._ahead is None or self._found * _WASTED < self._read_ahead:
            return 0
        return min(max(1, _FURTHER * self._ahead), self._most_ahead)


def check_instances(instances: list[int], available: int | None) -> None:
    """Raises ValueError for instances that a source of so many documents (None: any) lacks."""
    most = available if available is not None else 1 << 62
    if not (min(instances) >= 0 and max(instances) < most):
        raise ValueError(f"an instance must be in [0, {most}), got {instances}")


def num_instances_of(wanted: int | None, available: int | None) -> int | None:
    """Returns how many instances there are to draw from, None for no end of them.

    Raises:
        ValueError: a number that is not positive, or more than are available.
    """
    most = (1 << 32) - 1 if available is None else available
    if wanted is not None and not 1 <= wanted <= most:
        told = "" if available is None else ", the documents of the source"
        raise ValueError(f"num_instances must be in [1, {most}]{told}, got {wanted}")
    return available if wanted is None else wanted
