"""Rows of different lengths, held flat, and their padding."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Ragged:
    """Rows of integers of different lengths, one after the other."""

    values: NDArray[np.int32]
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]

    @staticmethod
    def of(rows: Iterable[Iterable[int]]) -> "Ragged":
        """Returns rows as one."""
        listed = [list(row) for row in rows]
        lengths = np.array([len(row) for row in listed], dtype=np.int64)
        flat = [value for row in listed for value in row]
        return Ragged(np.array(flat, dtype=np.int32), np.cumsum(lengths) - lengths, lengths)

    def take(self, rows: NDArray[np.integer]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Returns the values of `rows` one after the other, and which of `rows` each is from."""
        lengths = self.lengths[rows]
        owner = np.repeat(np.arange(len(rows)), lengths)
        ends = np.cumsum(lengths)
        within = np.arange(len(owner)) - np.repeat(ends - lengths, lengths)
        return self.values[self.starts[rows][owner] + within], owner


def pad(
    values: NDArray[np.int32],
    owner: NDArray[np.int64],
    rows: int,
    width: int | None,
    padding: int,
) -> NDArray[np.int32]:
    """Returns flat values as (rows, width), `owner` (ascending) saying whose each is.

    Without a width, the longest row's is taken.

    Raises:
        ValueError: a row is longer than the width.
    """
    lengths = np.bincount(owner, minlength=rows)
    longest = int(lengths.max(initial=0))
    if width is None:
        width = max(longest, 1)
    if longest > width:
        raise ValueError(f"a row of {longest} does not fit a width of {width}")
    padded = np.full((rows, width), padding, dtype=np.int32)
    padded[np.arange(width) < lengths[:, None]] = values
    return padded
