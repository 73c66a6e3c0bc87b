"""The polarity programme: a review as a machine whose last state is its label.

Every chunk of a review is an operation on a state, which starts at 0 and is kept within bounds: it
shifts the state, and after a turn ("that said, ...") what came before counts half. How an operation
is worded ("good", "not bad at all", somebody else's opinion) is no concern of this file. The label
is the sign of the last state, which is never 0.

Reviews lean: whoever has praised so far will probably go on. An operation that leads from a state s
(halved by a turn) to s + d is

    (b^(s + d) + b^-(s + d)) / (b^s + b^-s)

times as likely as its weight says, for a lean b. That is what chunks drawn by an author who is for
or against it, with odds of b^2 a point, look like to a reader who does not know which.

Reviews are drawn by label, so that labels are balanced, and then chunk by chunk given that the
operations must lead to that label: Doob's h-transform of the Markov chain (Doob 1957). All of it is
counted in integers, so a draw is the same on every machine, and what a reader may believe of the
label after some chunks is exact.

Letters of shapes: N reviews, C chunks, O operations, Z states, K labels.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.summation import add_in_order

LABELS = ("negative", "positive")
EVEN = (Fraction(1, 2), Fraction(1, 2))
NOTHING = -1
"""The operation of a chunk that is not there."""
_BITS = 32


@dataclass(frozen=True)
class Operation:
    """What one chunk does to the state."""

    shift: int
    is_turn: bool = False
    """Whether what came before is halved first, towards 0."""


@dataclass(frozen=True)
class Stopping:
    """The best way to read a review of a known length that pays 1 for the right label.

    All are by the chunks read so far, from 0 to the review's length, and by the state.
    """

    belief: NDArray[np.float64]  # (C + 1, Z, K), how likely each label is; 0 off the reachable
    value: NDArray[np.float64]  # (C + 1, Z), the expected return from here on
    action: NDArray[np.int64]  # (C + 1, Z), 0 to read on, k to commit to label k - 1


class Programme:
    """Operations with their weights, over states from -`most` to `most`.

    Args:
        weights: how often an operation is drawn, beside the others.
        most: the bound of the state.
        longest: chunks of the longest review.
        lean: how much what was said foretells what comes, 1 for not at all.
    """

    def __init__(
        self,
        weights: dict[Operation, int],
        most: int,
        longest: int,
        lean: Fraction = Fraction(1),
    ):
        if not weights or min(weights.values()) < 1:
            raise ValueError(f"an operation needs a weight of 1 or more, got {weights}")
        if most < 1 or longest < 1:
            raise ValueError(f"most and longest must be 1 or more, got {most} and {longest}")
        if lean < 1:
            raise ValueError(f"lean must be 1 or more, got {lean}")
        self.operations = tuple(weights)
        self.most = most
        self.longest = longest
        states = range(2 * most + 1)
        self.after = np.array(
            [[self._apply(one, state) for state in states] for one in self.operations]
        )  # (O, Z)
        self._weights = [self._lean(weights, lean, state - most) for state in states]
        self._ways = self._count_ways()
        self._bounds = self._count_bounds()

    @property
    def start(self) -> int:
        """The number of the state 0."""
        return self.most

    def weights(self) -> list[list[int]]:
        """Returns the weights of operations, (Z, O), in proportion within a state."""
        return self._weights

    def label_of(self, state: int) -> int:
        """Returns the label of a review that ends in a state, by the state's number.

        No review ends in the state 0.
        """
        return int(state > self.most)

    def _apply(self, operation: Operation, state: int) -> int:
        shifted = _before(operation, state - self.most) + operation.shift
        return min(max(shifted, -self.most), self.most) + self.most

    def _lean(self, weights: dict[Operation, int], lean: Fraction, state: int) -> list[int]:
        """Returns the weights of operations in a state, in proportion and without a fraction."""

        def pull(value: int) -> Fraction:
            return lean**value + lean**-value

        leaning = [
            weight * pull(_before(one, state) + one.shift) / pull(_before(one, state))
            for one, weight in weights.items()
        ]
        whole = math.lcm(*(weight.denominator for weight in leaning))
        return [int(weight * whole) for weight in leaning]

    def _count_ways(self) -> list[list[list[Fraction]]]:
        """Returns the chances to end in each label, by chunks that are left and state."""
        states = range(2 * self.most + 1)
        none = Fraction(0)
        ends = [
            [
                Fraction(int(state != self.start and self.label_of(state) == label))
                for label in (0, 1)
            ]
            for state in states
        ]
        ways = [ends]
        for _ in range(self.longest):
            ways.append(
                [
                    [
                        sum(
                            (
                                weight * ways[-1][after][label]
                                for weight, after in zip(
                                    self._weights[state], self.after[:, state].tolist(), strict=True
                                )
                            ),
                            none,
                        )
                        / sum(self._weights[state])
                        for label in range(len(LABELS))
                    ]
                    for state in states
                ]
            )
        return ways

    def _shares(self, left: int, state: int, label: int) -> list[Fraction]:
        """Returns how likely each operation is, given the label; `left` counts its own chunk."""
        whole = self._ways[left][state][label] * sum(self._weights[state])
        return [
            weight * self._ways[left - 1][after][label] / whole
            for weight, after in zip(
                self._weights[state], self.after[:, state].tolist(), strict=True
            )
        ]

    def _count_bounds(self) -> NDArray[np.uint64]:
        """Returns what a 32-bit word must lie below for an operation to be drawn, summed up.

        By label, chunks that are left with this one, state and operation: (K, C + 1, Z, O).
        """
        shape = (len(LABELS), self.longest + 1, 2 * self.most + 1, len(self.operations))
        bounds = np.zeros(shape, dtype=np.uint64)
        for label, left, state in np.ndindex(shape[:3]):
            if left == 0 or not self._ways[left][state][label]:
                continue
            passed = Fraction(0)
            for number, share in enumerate(self._shares(left, state, label)):
                passed += share
                bounds[label, left, state, number] = int(passed * (1 << _BITS))
        return bounds

    def draw(
        self,
        words: NDArray[np.uint32],  # (N, C)
        labels: NDArray[np.int64],  # (N,)
        lengths: NDArray[np.int64],  # (N,)
    ) -> NDArray[np.int64]:
        """Returns the operations of reviews with these labels, (N, C), `NOTHING` past the end.

        Raises:
            ValueError: a length at which no review has its label.
        """
        rows = np.arange(len(labels))
        state = np.full(len(labels), self.start)
        drawn = np.full(words.shape, NOTHING, dtype=np.int64)
        for chunk in range(words.shape[1]):
            left = np.maximum(lengths - chunk, 0)
            bounds = self._bounds[labels, left, state]
            is_there = left > 0
            if (bounds[is_there, -1] == 0).any():
                raise ValueError(
                    f"no review of {lengths[is_there].min()} chunks has every label: the "
                    "operations do not lead there"
                )
            chosen = (bounds <= words[:, chunk, None]).sum(axis=1)
            drawn[rows[is_there], chunk] = chosen[is_there]
            state[is_there] = self.after[chosen[is_there], state[is_there]]
        return drawn

    def states(self, operations: NDArray[np.int64]) -> NDArray[np.int64]:
        """Returns the state after every chunk, and before the first: (N, C + 1)."""
        state = np.full(len(operations), self.start)
        passed = [state]
        for chunk in operations.T:
            state = np.where(chunk == NOTHING, state, self.after[chunk, state])
            passed.append(state)
        return np.stack(passed, axis=1)

    def belief(
        self, read: int, state: int, length: int, before: Sequence[Fraction] = EVEN
    ) -> tuple[Fraction, ...]:
        """Returns how likely each label is of a review, some chunks of which led to a state.

        `before` is how likely each was to begin with. Where no label leads there, all are 0.
        """
        left, whole = self._ways[length - read][state], self._ways[length][self.start]
        if not all(whole):
            raise ValueError(f"a review of {length} chunks cannot have every label")
        likely = [own * left[label] / whole[label] for label, own in enumerate(before)]
        total = sum(likely, Fraction(0))
        return tuple(one / total if total else one for one in likely)

    def stopping(
        self, length: int, cost: float, wrong: float = -1.0, before: Sequence[Fraction] = EVEN
    ) -> Stopping:
        """Returns the best way to read reviews of a length, by dynamic programming.

        A chunk costs `cost` to read, the right label pays 1 and another one `wrong`; `before` is
        how likely each label is to begin with. Ties are broken for committing, and for the lower
        label.
        """
        states = 2 * self.most + 1
        belief = np.zeros((length + 1, states, len(LABELS)))
        value = np.zeros((length + 1, states))
        action = np.zeros((length + 1, states), dtype=np.int64)
        for read in range(length, -1, -1):
            for state in range(states):
                likely = self.belief(read, state, length, before)
                belief[read, state] = [float(one) for one in likely]
                best = int(np.argmax(belief[read, state]))
                value[read, state] = wrong + (1.0 - wrong) * belief[read, state, best]
                action[read, state] = best + 1
                if read < length and any(likely):
                    chances = self.next_states(length - read, state, likely)
                    on = add_in_order((chances * value[read + 1]).tolist()) - cost
                    if on > value[read, state]:
                        value[read, state], action[read, state] = on, 0
        return Stopping(belief, value, action)

    def next_states(self, left: int, state: int, likely: Sequence[Fraction]) -> NDArray[np.float64]:
        """Returns how likely each state is after one chunk more, (Z,).

        Args:
            left: chunks that are left, with this one.
            likely: how likely each label is.
        """
        chances = np.zeros(2 * self.most + 1)
        for label, own in enumerate(likely):
            if own:
                shares = self._shares(left, state, label)
                for share, after in zip(shares, self.after[:, state].tolist(), strict=True):
                    chances[after] += float(own * share)
        return chances


def _before(operation: Operation, state: int) -> int:
    """Returns what of a state an operation starts from."""
    return int(state / 2) if operation.is_turn else state
