"""Hypothesis strategies: actions of any space, and moves, legal and not, of an episode."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Discrete, MultiBinary, MultiDiscrete, Text
from hypothesis import strategies as st
from numpy.typing import NDArray

from lightbulb_envs.checker.moves import Move

LONGEST = 12
"""Moves of an episode, at most."""


def actions(space: gymnasium.Space[Any]) -> st.SearchStrategy[Any]:
    """Returns a strategy for actions: Discrete, MultiDiscrete, MultiBinary, Box or Text."""
    if isinstance(space, Discrete):
        return st.integers(int(space.start), int(space.start) + int(space.n) - 1)
    if isinstance(space, MultiDiscrete):
        places = [st.integers(0, int(size) - 1) for size in space.nvec]
        return st.tuples(*places).map(_as_array)
    if isinstance(space, MultiBinary):
        size = int(np.prod(space.shape))
        bits = st.lists(st.integers(0, 1), min_size=size, max_size=size)
        return bits.map(lambda drawn: np.array(drawn, dtype=np.int8))
    if isinstance(space, Box):
        pairs = zip(space.low.tolist(), space.high.tolist(), strict=True)
        width = 8 * space.dtype.itemsize
        weights = [
            st.floats(low, high, width=width)  # type: ignore[arg-type] # that of a float type
            for low, high in pairs
        ]
        return st.tuples(*weights).map(lambda drawn: np.array(drawn, dtype=space.dtype))
    if isinstance(space, Text):
        texts = st.text(max_size=min(space.max_length, 60))
        examples: tuple[str, ...] = getattr(space, "examples", ())
        return st.one_of(texts, st.sampled_from(examples)) if examples else texts
    raise TypeError(
        f"actions of {space} cannot be drawn: use Discrete, MultiDiscrete, MultiBinary, Box, Text"
    )


def _as_array(drawn: tuple[int, ...]) -> NDArray[np.int64]:
    return np.array(drawn, dtype=np.int64)


def moves(space: gymnasium.Space[Any]) -> st.SearchStrategy[list[Move]]:
    """Returns a strategy for lists of moves, about half of them legal whatever the mask says.

    Some lists are one action again and again: where most actions end an episode, others do not get
    far.
    """
    legal = st.integers(0, (1 << 32) - 1).map(Move)
    free = actions(space).map(lambda action: Move(0, action))
    mixed = st.lists(st.one_of(legal, free), min_size=1, max_size=LONGEST)
    again = free.map(lambda move: [move] * (2 * LONGEST))
    return st.one_of(mixed, mixed, mixed, again)
