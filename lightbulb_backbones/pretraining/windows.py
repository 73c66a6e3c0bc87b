"""Windows of tokens: texts one after the other, cut into pieces of one length.

An epoch's windows begin at an offset of its own and come in an order of its own, both drawn from
(seed, epoch), so that where one is in the data is two numbers. A stream is cut as it comes.
"""

from collections.abc import Iterable
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from lightbulb_backbones.pretraining.corpus import OpenStream
from lightbulb_backbones.pretraining.tokenizer import encode


@runtime_checkable
class Windows(Protocol):
    """Gives windows without an end, and goes on where it was."""

    def take(self, count: int) -> NDArray[np.int64]:
        """Returns the next windows, (count, T)."""
        ...

    def state(self) -> dict[str, Any]:
        """Returns where it is, as plain data."""
        ...

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes back to where it was."""
        ...

    def place(self) -> str:
        """Returns where it is, in words."""
        ...


class ShuffledWindows:
    """Windows of tokens that are in memory.

    Args:
        tokens: (N,), of all texts.
        length: T.
        seed: of offsets and orders.

    Raises:
        ValueError: they do not fill a window.
    """

    def __init__(self, tokens: NDArray[np.int32], length: int, seed: int):
        if len(tokens) < length:
            raise ValueError(
                f"the data has {len(tokens):,} tokens, and a window has {length:,}: give more "
                "data, or lower --length"
            )
        self.tokens = tokens
        self._length = length
        self._seed = seed
        self._epoch, self._place = -1, 0
        self._starts: NDArray[np.int64] = np.empty(0, dtype=np.int64)

    def take(self, count: int) -> NDArray[np.int64]:
        """Returns the next windows, (count, T)."""
        starts = np.fromiter((self._next() for _ in range(count)), np.int64, count)
        found: NDArray[np.int64] = self.tokens[
            starts[:, None] + np.arange(self._length)[None, :]
        ].astype(np.int64)
        return found

    def state(self) -> dict[str, Any]:
        """Returns where it is, as plain data."""
        return {"epoch": self._epoch, "place": self._place}

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes back to where it was."""
        if state["epoch"] >= 0:
            self._begin(state["epoch"])
        self._place = state["place"]

    def place(self) -> str:
        """Returns where it is, in words."""
        return f"window {self._place:,} of epoch {self._epoch}"

    def _next(self) -> int:
        if self._place == len(self._starts):
            self._begin(self._epoch + 1)
        self._place += 1
        return int(self._starts[self._place - 1])

    def _begin(self, epoch: int) -> None:
        rng = np.random.default_rng((self._seed, epoch))
        spare = len(self.tokens) - self._length
        offset = int(rng.integers(min(self._length, spare + 1)))
        count = (len(self.tokens) - offset) // self._length
        self._starts = offset + self._length * rng.permutation(count)
        self._epoch, self._place = epoch, 0


class StreamedWindows:
    """Windows of a stream, in its order."""

    def __init__(self, texts: OpenStream, tokenizer: Any, length: int):
        self._texts = texts
        self._tokenizer = tokenizer
        self._length = length
        self._left: NDArray[np.int32] = np.empty(0, dtype=np.int32)

    def take(self, count: int) -> NDArray[np.int64]:
        """Returns the next windows, (count, T)."""
        wanted = count * self._length
        parts, held = [self._left], len(self._left)
        while held < wanted:
            tokens, _ = encode(self._tokenizer, next(self._texts))
            parts.append(tokens)
            held += len(tokens)
        tokens = np.concatenate(parts)
        self._left = tokens[wanted:]
        return tokens[:wanted].reshape(count, self._length).astype(np.int64)

    def state(self) -> dict[str, Any]:
        """Returns where it is, as plain data."""
        return {"stream": self._texts.state(), "left": self._left.tolist()}

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes back to where it was."""
        self._texts = self._texts.stream.open(state["stream"])
        self._left = np.array(state["left"], dtype=np.int32)

    def place(self) -> str:
        """Returns where it is, in words."""
        return f"what follows {self._texts.count:,} texts of {self._texts.stream.place}"


def encode_all(tokenizer: Any, texts: Iterable[str]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Returns the tokens of texts, (N,), and how many characters each stands for, (N,)."""
    told = [encode(tokenizer, text) for text in texts]
    if not told:
        empty: NDArray[np.int32] = np.empty(0, dtype=np.int32)
        return empty, empty
    return np.concatenate([tokens for tokens, _ in told]), np.concatenate([one for _, one in told])
