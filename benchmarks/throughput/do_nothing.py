"""An environment that does nothing: it says again what the real one said in some recorded rollouts.

What it says has the sizes of the real thing, so a training loop on it does all the work that it
does on the real one but the environment's own. Actions are ignored; the masks are recorded too, so
every action that a network draws is legal.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightbulb_agents.training import Training
from lightbulb_envs.engines.engine import Observation, Step, make_config
from lightbulb_envs.engines.summarise import SummariseConfig, SummariseEngine
from lightbulb_envs.registry import find_row


@dataclass(frozen=True)
class Rollout:
    """What was said between one reset of all rows and the next, in order."""

    observations: list[Observation] = field(default_factory=list)
    views: list[Observation] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)


class RecordingEngine(SummariseEngine):
    """The real engine, which keeps what it says."""

    keeps_tokens = True

    def __init__(self, config: SummariseConfig, num_envs: int, max_steps: int | None = None):
        super().__init__(config, num_envs, max_steps)
        self.rollouts: list[Rollout] = []

    def reset(self, rows: NDArray[np.int64], instances: NDArray[np.int64]) -> None:
        super().reset(rows, instances)
        self.rollouts.append(Rollout())

    def observe(self, rows: NDArray[np.int64]) -> Observation:
        observation = super().observe(rows)
        self.rollouts[-1].observations.append(observation)
        return observation

    def views(self) -> Observation:
        views = super().views()
        self.rollouts[-1].views.append({name: array.copy() for name, array in views.items()})
        return views

    def step(self, rows: NDArray[np.int64], actions: NDArray[Any]) -> Step:
        step = super().step(rows, actions)
        self.rollouts[-1].steps.append(step)
        return step


class DoNothingEngine(SummariseEngine):
    """Says what was recorded, to whoever asks in the same order; a reset goes to the next rollout.

    Arrays are the recorded ones, not copies: nobody may write into them.
    """

    keeps_tokens = True

    def __init__(self, config: SummariseConfig, num_envs: int, rollouts: Sequence[Rollout]):
        super().__init__(config, num_envs)
        self._rollouts = cycle(rollouts)

    def reset(self, rows: NDArray[np.int64], instances: NDArray[np.int64]) -> None:
        rollout = next(self._rollouts)
        self._observations, self._steps = iter(rollout.observations), iter(rollout.steps)
        self._views = iter(rollout.views)

    def observe(self, rows: NDArray[np.int64]) -> Observation:
        observation = next(self._observations)
        _check(len(rows), len(observation["action_mask"]))
        return observation

    def step(self, rows: NDArray[np.int64], actions: NDArray[Any]) -> Step:
        step = next(self._steps)
        _check(len(rows), len(step.reward))
        return step

    def views(self) -> Observation:
        return next(self._views)


def _check(asked: int, recorded: int) -> None:
    if asked != recorded:
        raise ValueError(f"this recording goes on with {recorded} rows, and {asked} were asked for")


def does_nothing(training: Training, rollouts: int) -> Training:
    """Returns the training, which from now on sees its first rollouts again and again."""
    row = find_row(training.config.env)
    config = make_config(SummariseEngine, {**row.settings, "split": "train"})
    recording = RecordingEngine(config, training.config.rows, row.max_episode_steps)
    training.learner.collector.engine = recording
    for _ in range(rollouts):
        training.learner.collector.collect(n_episode=training.config.rows)
    training.engine = DoNothingEngine(config, training.config.rows, recording.rollouts)
    training.learner.collector.engine = training.engine
    return training
