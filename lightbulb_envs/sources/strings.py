"""Strings held flat, one after the other, as UTF-8."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Strings:
    """Many strings in one array of bytes."""

    utf8: NDArray[np.uint8]
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    """Bytes of each string."""

    @staticmethod
    def of(texts: Iterable[str]) -> "Strings":
        """Returns strings as one."""
        encoded = [text.encode("utf-8") for text in texts]
        lengths = np.array([len(one) for one in encoded], dtype=np.int64)
        return Strings.at(np.frombuffer(b"".join(encoded), dtype=np.uint8), lengths)

    @staticmethod
    def at(utf8: NDArray[np.uint8], lengths: NDArray[np.int64]) -> "Strings":
        """Returns the strings of these lengths that lie one after the other in `utf8`."""
        return Strings(utf8, np.cumsum(lengths) - lengths, lengths)

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, number: int) -> str:
        return self.take(number, 1)[0]

    def take(self, start: int, count: int) -> tuple[str, ...]:
        """Returns `count` strings from number `start` on."""
        if count == 0:
            return ()
        starts = (self.starts[start : start + count] - self.starts[start]).tolist()
        ends = [*starts[1:], starts[-1] + int(self.lengths[start + count - 1])]
        first = int(self.starts[start])
        utf8 = self.utf8[first : first + ends[-1]].tobytes()
        return tuple(utf8[one:end].decode() for one, end in zip(starts, ends, strict=True))
