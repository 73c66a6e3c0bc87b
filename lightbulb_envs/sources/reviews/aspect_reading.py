"""The best way to read a review of two aspects that are asked for in turn."""

import functools
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.sources.reviews.aspects import aspect_level
from lightbulb_envs.sources.reviews.programme import EVEN, Programme
from lightbulb_envs.sources.reviews.source import programme_of
from lightbulb_envs.summation import product_in_order


@dataclass(frozen=True)
class InTurn:
    """What to do and what it returns, by chunks of each aspect that are left, and by their states.

    Actions are 0 to read on, k to commit to label k - 1.
    """

    first: NDArray[np.int64]  # (L + 1, L + 1, Z, Z), while the first aspect is asked for
    second: NDArray[np.int64]  # (L + 1, L + 1, Z)
    value: float
    """The expected return from the start."""


@functools.lru_cache(maxsize=64)
def in_turn(level: int, length: int, cost: float, wrong: float) -> InTurn:
    """Returns the best way to read reviews with so many chunks an aspect, by dynamic programming.

    The order of chunks is uniform over all ways to mix them: where p and q chunks of the aspects
    are left, the next one is of the first with a chance of p / (p + q).
    """
    programme = programme_of(aspect_level(level))
    commit, label = _commit(programme, length, wrong)
    moves = _moves(programme, length)
    states = commit.shape[1]
    size = length + 1
    second = np.zeros((size, size, states))
    first = np.zeros((size, size, states, states))
    acts = np.zeros(second.shape, dtype=np.int64)
    acts_first = np.zeros(first.shape, dtype=np.int64)
    for left in sorted(np.ndindex(size, size), key=sum):
        one, two = left
        total = one + two
        stop = commit[two]
        on = np.full(states, -np.inf)
        if total:
            on = np.full(states, -cost)
            if one:
                on += one / total * second[one - 1, two]
            if two:
                on += (
                    two / total * product_in_order(moves[two], second[one, two - 1][:, None])[:, 0]
                )
        second[left] = np.maximum(stop, on)
        acts[left] = np.where(on > stop, 0, label[two])
        stop_first = commit[one][:, None] + second[left][None, :]
        on_first = np.full((states, states), -np.inf)
        if total:
            on_first = np.full((states, states), -cost)
            if one:
                on_first += one / total * product_in_order(moves[one], first[one - 1, two])
            if two:
                on_first += two / total * product_in_order(first[one, two - 1], moves[two].T)
        first[left] = np.maximum(stop_first, on_first)
        acts_first[left] = np.where(on_first > stop_first, 0, label[one][:, None])
    start = programme.start
    return InTurn(acts_first, acts, float(first[length, length, start, start]))


def _commit(
    programme: Programme, length: int, wrong: float
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Returns what committing pays, half of it an aspect, and to what: by chunks left and state."""
    states = 2 * programme.most + 1
    pays, label = np.zeros((length + 1, states)), np.zeros((length + 1, states), dtype=np.int64)
    for left, state in np.ndindex(pays.shape):
        belief = [float(one) for one in programme.belief(length - left, state, length, EVEN)]
        label[left, state] = 1 + int(np.argmax(belief))
        pays[left, state] = (wrong + (1.0 - wrong) * max(belief)) / 2
    return pays, label


def _moves(programme: Programme, length: int) -> NDArray[np.float64]:
    """Returns how likely states are after a chunk more, by chunks left and state: (L + 1, Z, Z)."""
    states = 2 * programme.most + 1
    moves = np.zeros((length + 1, states, states))
    for left, state in np.ndindex(length + 1, states):
        likely: tuple[Fraction, ...] = programme.belief(length - left, state, length, EVEN)
        if left and any(likely):
            moves[left, state] = programme.next_states(left, state, likely)
    return moves
