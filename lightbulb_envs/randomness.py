"""Draws that depend only on what they are for: a counter-based generator over arrays.

A draw is a function of (key, index, stream, number): nothing is stored between draws, so document
5 is the same whether it is made alone, in a block, or in another process. The function is
Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"), whose counter
holds four 32-bit words (index low, index high, block number, stream) and whose key holds two.
"""

import hashlib
import math

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.kernel import native

_ROUNDS = 10
_MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_WEYL = (0x9E3779B9, 0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_SHIFT = np.uint64(32)
_AT_A_TIME = 64
"""Words of an index that are drawn at a time, a multiple of 4."""


def derive_key(*words: str) -> tuple[int, int]:
    """Returns a Philox key (two 32-bit words) for a tuple of words.

    Each word is hashed with its length first, so ("ab", "c") and ("a", "bc") differ.
    """
    digest = hashlib.blake2b(digest_size=8)
    for word in words:
        encoded = word.encode()
        digest.update(len(encoded).to_bytes(4, "little"))
        digest.update(encoded)
    number = int.from_bytes(digest.digest(), "little")
    return number & 0xFFFFFFFF, number >> 32


def philox(
    counter: tuple[NDArray[np.uint64], ...], key: tuple[int, int]
) -> tuple[NDArray[np.uint64], ...]:
    """Returns four arrays of 32-bit words (held in uint64) for four arrays of counter words."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(_ROUNDS):
        product0 = c0 * _MULTIPLIERS[0]
        product1 = c2 * _MULTIPLIERS[1]
        c0, c1, c2, c3 = (
            (product1 >> _SHIFT) ^ c1 ^ np.uint64(k0),
            product1 & _LOW,
            (product0 >> _SHIFT) ^ c3 ^ np.uint64(k1),
            product0 & _LOW,
        )
        k0 = (k0 + _WEYL[0]) & 0xFFFFFFFF
        k1 = (k1 + _WEYL[1]) & 0xFFFFFFFF
    return c0, c1, c2, c3


def draw_words(
    key: tuple[int, int], index: NDArray[np.int64], count: int, stream: int = 0, start: int = 0
) -> NDArray[np.uint32]:
    """Returns `count` uniform 32-bit words for every index, as (len(index), count).

    They are words `start`, a multiple of 4, and on. What a word is depends on neither: asking for
    more only appends.
    """
    module = native()
    if module is not None:
        drawn = np.empty((len(index), count), dtype=np.uint32)
        module.draw_words(drawn, np.ascontiguousarray(index, dtype=np.int64), *key, stream, start)
        return drawn
    blocks = -(-count // 4)
    shape = (len(index), blocks)
    wide = index.astype(np.uint64)[:, None]
    counter = (
        np.broadcast_to(wide & _LOW, shape),
        np.broadcast_to(wide >> _SHIFT, shape),
        np.broadcast_to(start // 4 + np.arange(blocks, dtype=np.uint64), shape),
        np.full(shape, stream, dtype=np.uint64),
    )
    words = np.stack(philox(counter, key), axis=-1)
    return words.reshape(len(index), 4 * blocks)[:, :count].astype(np.uint32)


def to_unit(words: NDArray[np.uint32]) -> NDArray[np.float64]:
    """Maps 32-bit words to floats in [0, 1)."""
    return np.multiply(words, 2.0**-32, dtype=np.float64)


def to_range(words: NDArray[np.uint32], size: NDArray[np.integer] | int) -> NDArray[np.int64]:
    """Maps 32-bit words to integers in [0, size), by multiply and shift.

    The bias is at most size / 2**32, which no size used here can make visible.
    """
    product = np.multiply(words, size, dtype=np.uint64, casting="unsafe")
    product >>= _SHIFT
    return product.view(np.int64)


class Draws:
    """Draws for a block of indexes, taken one after the other.

    What a draw is depends on its place in the order of `take` calls alone, so a new draw goes at
    the end of the code that takes them, or every later one changes.

    Args:
        key: of the generator.
        index: whose draws these are.
        stream: tells draws for one purpose from those for another.
        expected: how many words an index will probably take; so many are drawn at once.
    """

    def __init__(
        self, key: tuple[int, int], index: NDArray[np.int64], stream: int, expected: int = 0
    ):
        self._key = key
        self._index = index
        self._stream = stream
        self._words = np.empty((len(index), 0), dtype=np.uint32)  # drawn, and not yet taken
        self._drawn = 0
        self._expected = expected

    def take(self, *shape: int) -> NDArray[np.uint32]:
        """Returns the next words, as (len(index), *shape)."""
        count = math.prod(shape)
        missing = count - self._words.shape[1]
        if missing > 0:
            wanted = max(missing, _AT_A_TIME, self._expected - self._drawn)
            more = -(-wanted // 4) * 4
            fresh = draw_words(self._key, self._index, more, self._stream, start=self._drawn)
            self._words = np.concatenate((self._words, fresh), axis=1)
            self._drawn += more
        words, self._words = self._words[:, :count], self._words[:, count:]
        return words.reshape(len(self._index), *shape)

    @property
    def taken(self) -> int:
        """How many words an index has taken."""
        return self._drawn - self._words.shape[1]

    def unit(self, *shape: int) -> NDArray[np.float64]:
        """Returns the next draws as floats in [0, 1)."""
        return to_unit(self.take(*shape))

    def below(self, size: NDArray[np.integer] | int, *shape: int) -> NDArray[np.int64]:
        """Returns the next draws as integers in [0, size)."""
        return to_range(self.take(*shape), size)

    def between(self, bounds: tuple[int, int], *shape: int) -> NDArray[np.int64]:
        """Returns the next draws as integers from `bounds[0]` to `bounds[1]`, both included."""
        low, high = bounds
        return low + self.below(high - low + 1, *shape)
