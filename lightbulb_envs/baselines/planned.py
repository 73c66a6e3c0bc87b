"""Actors that follow a plan: a list of sentences for each document, then STOP.

They act in all forms of picking: sentence by sentence, in slates and in subsets.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.engines.engine import Observation


def follow_plans(observation: Observation, plans: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    """Returns the next action of every row's plan: its first sentence that may still be picked.

    A plan ends at STOP as soon as it is used up. A slate or a subset is the whole plan.
    """
    mask = observation["action_mask"]
    sentences = observation["tokens"].shape[1]
    if mask.ndim == 3:
        return _slates(mask, plans)
    if mask.shape[1] == sentences:
        return _subsets(mask, plans)
    stop = sentences
    picked = (observation["selected"] > 0).sum(axis=1)
    actions = np.full(len(mask), stop, dtype=np.int64)
    for row, plan in enumerate(plans):
        for sentence in plan[int(picked[row]) :]:
            if mask[row, sentence]:
                actions[row] = sentence
                break
    return actions


def _slates(mask: NDArray[np.int8], plans: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    """Returns plans as (N, K), STOP after each plan's last sentence."""
    places = mask.shape[1]
    slates = np.full(mask.shape[:2], mask.shape[2] - 1, dtype=np.int64)
    for row, plan in enumerate(plans):
        allowed = [sentence for sentence in plan if mask[row, 0, sentence]][:places]
        slates[row, : len(allowed)] = allowed
    return slates


def _subsets(mask: NDArray[np.int8], plans: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    """Returns plans as bits (N, S)."""
    bits = np.zeros(mask.shape, dtype=np.int64)
    for row, plan in enumerate(plans):
        bits[row, list(plan)] = 1
    return bits * mask


def real_sentences(observation: Observation) -> NDArray[np.int64]:
    """Returns how many sentences the document of every row has."""
    count: NDArray[np.int64] = (observation["tokens"] != 0).any(axis=2).sum(axis=1)
    return count


class Planned:
    """An actor whose `plan` is all there is to it."""

    def reset(self, seed: int | None = None) -> None:
        """A plan draws nothing."""

    def plan(self, observation: Observation, info: dict[str, Any], row: int) -> Sequence[int]:
        """Returns the sentences to pick from a row's document, in order."""
        raise NotImplementedError

    def plans(self, observation: Observation, info: dict[str, Any]) -> list[Sequence[int]]:
        """Returns the plan of every row."""
        return [self.plan(observation, info, row) for row in range(len(observation["action_mask"]))]

    def act(self, observation: Observation, info: dict[str, Any]) -> NDArray[np.int64]:
        return follow_plans(observation, self.plans(observation, info))
