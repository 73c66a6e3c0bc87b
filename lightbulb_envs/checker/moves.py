"""Moves: actions that are chosen when the mask is known, and episodes of them."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, MultiBinary, Text
from numpy.typing import NDArray

from lightbulb_envs.actions import draw_legal, to_plain

Env = gymnasium.Env[Any, Any]


@dataclass(frozen=True)
class Move:
    """An action, or the legal one that a number draws."""

    number: int
    action: Any = None

    def on(self, space: gymnasium.Space[Any], mask: NDArray[np.int8]) -> Any:
        """Returns the action for a mask."""
        if self.action is not None:
            return self.action
        drawn = draw_legal(space, mask[None], np.random.default_rng(self.number))[0]
        return to_plain(drawn) if np.ndim(drawn) == 0 else drawn


LONG = 24
"""Times that the first action is taken, so that what needs many of them is met."""
SCRIPT = tuple(Move(number) for number in range(6))
"""Six legal moves, for laws that need no search."""


def first_action(space: gymnasium.Space[Any]) -> Any:
    """Returns the action of all zeros, or the empty text."""
    if isinstance(space, MultiBinary):
        return np.zeros(space.shape, dtype=np.int8)
    if isinstance(space, Text):
        return ""
    if isinstance(space, Box):
        return np.zeros(space.shape, dtype=space.dtype)
    return 0 if space.shape == () else np.zeros(space.shape or (), dtype=np.int64)


def illegal_action(space: gymnasium.Space[Any], mask: NDArray[np.int8]) -> Any:
    """Returns an action that a mask forbids, None if it forbids none."""
    if isinstance(space, Box):
        return first_action(space)  # which has no weight at all
    forbidden = np.argwhere(mask == 0)
    if not len(forbidden):
        return None
    if isinstance(space, MultiBinary):
        return (np.arange(mask.size) == int(forbidden[0][0])).astype(np.int8).reshape(mask.shape)
    if space.shape == ():
        return int(forbidden[0][0])
    action = np.argmax(mask, axis=-1)
    place, value = forbidden[0]
    action[place] = value
    return action


def outside_actions(space: gymnasium.Space[Any]) -> list[Any]:
    """Returns actions that lie outside a space: too low, too high and of another kind."""
    if isinstance(space, Text):
        return ["x" * (space.max_length + 1), 0, b"text"]
    inside = np.asarray(first_action(space))
    if isinstance(space, Box):
        return [np.full_like(inside, -0.5), space.high + 1, np.full_like(inside, np.nan)]
    most = {"Discrete": "n", "MultiDiscrete": "nvec"}.get(type(space).__name__)
    above = np.asarray(getattr(space, most)) if most else np.full_like(inside, 2)
    return [np.full_like(inside, -1), above.astype(inside.dtype), inside + 0.5]


def play(env: Env, moves: Iterable[Move], observation: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Plays moves from an observation on; returns what every step returned, to the end."""
    told = []
    for move in moves:
        action = move.on(env.action_space, observation["action_mask"])
        step = env.step(action)
        told.append((action, *step))
        observation = step[0]
        if step[2] or step[3]:
            break
    return told


def digest(*told: Any) -> str:
    """Returns a digest of nested dicts, lists, arrays and numbers, exact to the bit."""
    state = hashlib.blake2b(digest_size=16)
    _add(state, told)
    return state.hexdigest()


def _add(state: Any, value: Any) -> None:
    if isinstance(value, dict):
        for name in sorted(value):
            state.update(f"{name}:".encode())
            _add(state, value[name])
    elif isinstance(value, list | tuple):
        state.update(f"[{len(value)}".encode())
        for one in value:
            _add(state, one)
    elif isinstance(value, np.ndarray) and value.dtype != object:
        state.update(f"{value.dtype}{value.shape}".encode())
        state.update(np.ascontiguousarray(value).tobytes())
    elif isinstance(value, np.ndarray):
        _add(state, value.tolist())
    else:
        state.update(repr(value).encode())


def trace(env: Env, seeds: Iterable[int], moves: Iterable[Move] = SCRIPT) -> str:
    """Returns a digest of the episodes that seeds start: an illegal move, then legal ones.

    What the legal ones are differs from seed to seed. The last seed's episode begins with the first
    action, again and again: where most actions end an episode, others do not get far.
    """
    script, seeds = tuple(moves), tuple(seeds)
    told: list[Any] = [repr(env.observation_space), repr(env.action_space)]
    for place, seed in enumerate(seeds):
        own = [Move(move.number + 101 * place, move.action) for move in script]
        if place == len(seeds) - 1:
            own = [Move(0, first_action(env.action_space))] * LONG + own
        observation, info = env.reset(seed=seed)
        told += [observation, info]
        forbidden = illegal_action(env.action_space, observation["action_mask"])
        first = () if forbidden is None else (Move(0, forbidden),)
        told.append(play(env, (*first, *own), observation))
    return digest(told)
