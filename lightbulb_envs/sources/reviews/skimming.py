"""Reading a simulated review out of order: what any chunks tell of its label.

Where some chunks are read and others are not, a review is a hidden Markov chain: the states are
those of its programme, and the operations that were read are known. What is believed of the label
is exact (forward and backward messages, Rabiner 1989, section III.A). Which chunk to read next is
chosen by looking two chunks ahead, which is no more than a good rule: the best one would have to
plan for all that may be read later.

Letters of shapes: C chunks, O operations, Z states, K labels.
"""

import functools
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.sources.reviews.programme import Programme
from lightbulb_envs.summation import add_in_order, product_in_order

_CERTAIN = 1e-12
"""Gains of reading that are smaller are rounding."""
_CANDIDATES = 3
"""Chunks of which two steps ahead are weighed."""
_TINY = 1e-300
"""What is divided by at least, where something cannot be."""


class Skimmer:
    """Beliefs about reviews of one length.

    Args:
        length: C.
        before: how likely each label is to begin with.
    """

    def __init__(self, programme: Programme, length: int, before: tuple[float, ...]):
        steps = _steps(programme)
        self._steps = steps  # (O, Z, Z), the chance to go from a state to a state by an operation
        self._any = steps.sum(axis=0)
        self._start = programme.start
        states = np.arange(steps.shape[1])
        labels = np.array([programme.label_of(int(state)) for state in states])
        is_end = states != programme.start
        ends = np.stack([(labels == label) & is_end for label in range(len(before))])
        whole = ends.astype(np.float64)
        for _ in range(length):
            whole = product_in_order(whole, self._any.T)
        self._ends = ends * (np.array(before) / whole[:, self._start])[:, None]  # (K, Z)
        self._chunks = range(length)

    def look(self, read: dict[int, int]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Returns beliefs (K,), and how likely each operation and label is at each chunk (C, O, K).

        Args:
            read: the operations of the chunks that were read, by their places.
        """
        beliefs, chances = self._look([self._steps_of(read, chunk) for chunk in self._chunks])
        for chunk, operation in read.items():
            chances[0, chunk, np.arange(len(self._steps)) != operation] = 0.0
        return beliefs[0], chances[0]

    def look_beyond(
        self, read: dict[int, int], chunk: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Returns the same for each operation that one more chunk may have: (O, K), (O, C, O, K).

        All is 0 for an operation that it cannot have.
        """
        steps = [self._steps_of(read, one) for one in self._chunks]
        steps[chunk] = self._steps
        return self._look(steps)

    def _steps_of(self, read: dict[int, int], chunk: int) -> NDArray[np.float64]:
        """Returns the moves of a chunk, (1, Z, Z)."""
        moves: NDArray[np.float64] = self._steps[read[chunk]] if chunk in read else self._any
        return moves[None]

    def _look(
        self, steps: list[NDArray[np.float64]]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Returns beliefs (B, K) and chances (B, C, O, K) for moves (1 or B, Z, Z) of chunks."""
        after = [self._ends[None]]  # (B, K, Z) each
        for step in reversed(steps):
            after.append(np.einsum("bkz,byz->bky", after[-1], step))
        after.reverse()
        state = np.zeros((1, 1, len(self._any)))
        state[0, 0, self._start] = 1.0
        forward = [state]  # (B, 1, Z) each
        for step in steps:
            forward.append(np.einsum("bkz,bzy->bky", forward[-1], step))
        total = np.einsum("bkz,bz->bk", after[0], forward[0][:, 0])  # (B, K)
        chances = []
        for chunk in self._chunks:
            moved = np.einsum("bs,ost->bot", forward[chunk][:, 0], self._steps)
            chances.append(np.einsum("bot,bkt->bok", moved, after[chunk + 1]))
        batch = max(len(one) for one in chances)
        shape = (batch, *chances[0].shape[1:])
        spread = np.stack([np.broadcast_to(one, shape) for one in chances], axis=1)
        whole = np.maximum(total.sum(axis=1), _TINY)
        return total / whole[:, None], spread / whole[:, None, None, None]


@functools.lru_cache(maxsize=16)
def _steps(programme: Programme) -> NDArray[np.float64]:
    """Returns how likely each operation is in each state, as moves from state to state."""
    weights = np.array(programme.weights(), dtype=np.float64)  # (Z, O)
    chances = weights / weights.sum(axis=1, keepdims=True)
    count, states = programme.after.shape
    steps = np.zeros((count, states, states))
    for operation in range(count):
        steps[operation, np.arange(states), programme.after[operation]] = chances[:, operation]
    return steps


def skim(
    programme: Programme,
    operations: NDArray[np.int64],
    before: tuple[float, ...],
    cost: float,
    wrong: float,
    has_read: Iterable[int] = (),
) -> list[int]:
    """Returns what a reader does who looks two chunks ahead: chunks to read, then a label.

    A chunk is its place; label k is C + k, for a review of C chunks. Of the few chunks that promise
    most by themselves it reads the one that promises most with the best one after it. Ties are
    broken for committing, for the lower label, and for the earlier candidate.

    Args:
        operations: (C,) of the review, of which it sees those that it reads.
        has_read: the chunks that are read already.
    """
    skimmer = Skimmer(programme, len(operations), before)
    read = {chunk: int(operations[chunk]) for chunk in has_read}
    told: list[int] = []
    while True:
        belief, chances = skimmer.look(read)
        best, most = None, _worth(belief, wrong)
        promise = _promise(chances, read, wrong) - cost
        for chunk in np.argsort(-promise, kind="stable")[:_CANDIDATES].tolist():
            if chunk in read:
                continue
            then = _two_ahead(skimmer, read, chunk, chances[chunk].sum(axis=1), cost, wrong)
            if then > most + _CERTAIN:
                best, most = chunk, then
        if best is None:
            return [*told, len(operations) + int(belief.argmax())]
        read[best] = int(operations[best])
        told.append(best)


def _worth(belief: NDArray[np.float64], wrong: float) -> float:
    """Returns what committing to the likeliest label pays on average."""
    return wrong + (1.0 - wrong) * float(belief.max())


def _promise(
    chances: NDArray[np.float64], read: dict[int, int], wrong: float
) -> NDArray[np.float64]:
    """Returns what committing after one chunk more pays on average, (C,); -inf where it is read."""
    promise: NDArray[np.float64] = wrong + (1.0 - wrong) * chances.max(axis=2).sum(axis=1)
    promise[list(read)] = -np.inf
    return promise


def _two_ahead(
    skimmer: Skimmer,
    read: dict[int, int],
    chunk: int,
    likely: NDArray[np.float64],
    cost: float,
    wrong: float,
) -> float:
    """Returns what reading a chunk, and one after it if that pays, returns on average.

    Args:
        likely: (O,), how likely each operation is there.
    """
    beliefs, chances = skimmer.look_beyond(read, chunk)
    promise = wrong + (1.0 - wrong) * chances.max(axis=3).sum(axis=2)  # (O, C)
    promise[:, [*read, chunk]] = -np.inf
    worth = wrong + (1.0 - wrong) * beliefs.max(axis=1)
    on = np.maximum(worth, promise.max(axis=1) - cost)
    return add_in_order((likely * on).tolist()) - cost
